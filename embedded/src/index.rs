//! The names of all counters in order, for lists by prefix.

use replica::Rows;

/// So many names may wait to be sorted in.
const FEW: usize = 4_096;

/// The positions of all names in [`Rows::names`], in the order of the names: 4 bytes a name.
///
/// New names are kept apart, in order too, until there are [`FEW`]. So a new name does not move a million others.
#[derive(Debug, Default)]
pub(crate) struct Index {
    sorted: Vec<u32>,
    new: Vec<u32>,
}

impl Index {
    /// Takes in the names that have come since the last time. Costs a sort for the first, and a search for each later one.
    pub(crate) fn catch_up(&mut self, rows: &Rows) {
        let known = self.sorted.len() + self.new.len();
        if rows.len() == known {
            return;
        }
        let news = (known..rows.len()).filter_map(|position| u32::try_from(position).ok());
        if rows.len() - known > FEW {
            self.sorted.append(&mut self.new);
            self.sorted.extend(news);
            return self.sorted.sort_unstable_by(|a, b| text(rows, *a).cmp(text(rows, *b)));
        }
        for position in news {
            let name = text(rows, position);
            let at = self.new.partition_point(|other| text(rows, *other) < name);
            self.new.insert(at, position);
        }
        if self.new.len() > FEW {
            self.merge(rows);
        }
    }

    /// The names that begin with `prefix` and come behind `after`, in order. Call [`catch_up`](Self::catch_up) before.
    pub(crate) fn names<'a>(
        &'a self,
        rows: &'a Rows,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = &'a str> {
        let is_before = move |name: &str| name < prefix || after.is_some_and(|after| name <= after);
        let from = |positions: &'a [u32]| {
            let at = positions.partition_point(|position| is_before(text(rows, *position)));
            positions.get(at..).unwrap_or_default().iter().map(|position| text(rows, *position)).peekable()
        };
        let (mut sorted, mut new) = (from(&self.sorted), from(&self.new));
        let next = move || match (sorted.peek(), new.peek()) {
            (Some(one), Some(other)) if other < one => new.next(),
            (Some(_), _) => sorted.next(),
            (None, _) => new.next(),
        };
        std::iter::from_fn(next).take_while(move |name| name.starts_with(prefix))
    }

    fn merge(&mut self, rows: &Rows) {
        let mut merged = Vec::with_capacity(self.sorted.len() + self.new.len());
        let mut sorted = self.sorted.iter().copied().peekable();
        for new in self.new.drain(..) {
            while let Some(old) = sorted.next_if(|old| text(rows, *old) < text(rows, new)) {
                merged.push(old);
            }
            merged.push(new);
        }
        merged.extend(sorted);
        self.sorted = merged;
    }
}

fn text(rows: &Rows, position: u32) -> &str {
    rows.names_from(position as usize).next().unwrap_or_default()
}
