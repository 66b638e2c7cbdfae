//! Times and lists for people.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// A time with three digits after the point: `1.250 s`.
pub(crate) struct Seconds(pub(crate) Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.0.as_secs_f64())
    }
}

/// How many items of a list are told.
const TOLD: usize = 9;

/// The names of these nodes. Of many only the first are told: `n0 n1 … n8 and 991 more`.
pub(crate) fn node_names(nodes: impl IntoIterator<Item = usize>) -> String {
    first(nodes.into_iter().map(|node| format!("n{node}")), "").join(" ")
}

/// The items of a list. Of many only the first are told, and the last item says how many more `things` there are.
pub(crate) fn first(items: impl Iterator<Item = String>, things: &str) -> Vec<String> {
    let mut items: Vec<String> = items.collect();
    // Words in the place of a single item would gain nothing.
    if items.len() > TOLD + 1 {
        let more = format!("and {} more{things}", items.len() - TOLD);
        items.truncate(TOLD);
        items.push(more);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_nodes_the_first_are_told() {
        assert_eq!(node_names(0..10), "n0 n1 n2 n3 n4 n5 n6 n7 n8 n9");
        assert_eq!(node_names(0..1000), "n0 n1 n2 n3 n4 n5 n6 n7 n8 and 991 more");
    }
}
