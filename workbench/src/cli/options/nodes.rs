//! The names of the nodes.

use std::str::FromStr;

use crate::cli::values;

/// Nodes whose names are `n` and ascending numbers without a gap, such as `n1,n2,n3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeList {
    first: u16,
    count: u16,
}

impl NodeList {
    /// The nodes of a command line of Maelstrom's that names none.
    pub(super) const MAELSTROMS: Self = Self { first: 1, count: 5 };

    /// So many nodes from `n0` on.
    pub(super) fn numbered(count: u16) -> Self {
        Self { first: 0, count }
    }

    /// The number of the first one.
    pub fn first(self) -> usize {
        self.first.into()
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.count.into()
    }
}

impl FromStr for NodeList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        let count = values::node_count(&names.len().to_string())?;
        let number = |name: &&str| name.strip_prefix('n').and_then(|number| number.parse::<u16>().ok());
        let first = names.first().and_then(number).filter(|first| *first <= MOST);
        let list = first.map(|first| Self { first, count });
        let is_named = |list: &Self| {
            let wanted = (list.first..).take(names.len()).map(|number| format!("n{number}"));
            wanted.eq(names.iter().copied())
        };
        list.filter(is_named).ok_or_else(|| {
            "other names are not supported, because the reports number the nodes: give n and ascending numbers without a gap, \
             from n0 to n1000, like n1,n2,n3"
                .to_owned()
        })
    }
}

/// Room is kept for the nodes before the first one.
const MOST: u16 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbers_in_a_row() {
        assert_eq!("n1,n2,n3".parse(), Ok(NodeList { first: 1, count: 3 }));
        assert_eq!("n0".parse(), Ok(NodeList::numbered(1)));
        assert_eq!("n7, n8".parse(), Ok(NodeList { first: 7, count: 2 }));
        for wrong in ["", ",", "a,b", "n1,n3", "n2,n1", "n1,n1", "n01", "n1001", "n65536", "n1,n2,"] {
            let error = wrong.parse::<NodeList>().unwrap_err();
            assert!(error.contains("not supported, because"), "{wrong}: {error}");
        }
    }
}
