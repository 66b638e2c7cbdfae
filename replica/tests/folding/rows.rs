//! Rows of one node, and how they merge.

/// Replica numbers are below this. 0 is no replica.
pub(crate) const NUMBERS: usize = 5;

/// An octal digit for each add: how often it is counted.
pub(crate) type Count = u16;

/// The count of one replica, and the floor that was stored with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) count: Count,
    /// Rows of smaller numbers are in this count. 0 if there was no fold.
    pub(crate) floor: u8,
}

/// The row of each replica of the node.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Rows([Row; NUMBERS]);

impl Row {
    pub(crate) fn raise(&mut self, other: Self) {
        self.count = self.count.max(other.count);
        self.floor = self.floor.max(other.floor);
    }
}

impl Rows {
    pub(crate) fn get(&self, number: u8) -> Row {
        self.0[usize::from(number)]
    }

    pub(crate) fn floor(&self) -> u8 {
        self.0.iter().map(|row| row.floor).max().unwrap_or(0)
    }

    /// Merges one row, and drops those below the floor.
    pub(crate) fn raise(&mut self, number: u8, row: Row) {
        self.0[usize::from(number)].raise(row);
        self.drop_below_floor();
    }

    /// Merges other rows, and drops those below the floor.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.join(other);
        self.drop_below_floor();
    }

    /// Takes the larger of each two rows, and drops none.
    pub(crate) fn join(&mut self, other: &Self) {
        for (row, other) in self.0.iter_mut().zip(&other.0) {
            row.raise(*other);
        }
    }

    /// The planted bug: rows are dropped when the floor rises. Those that come later stay.
    pub(crate) fn merge_also_below(&mut self, other: &Self) {
        let floor = self.floor();
        self.join(other);
        if self.floor() > floor {
            self.drop_below_floor();
        }
    }

    fn drop_below_floor(&mut self) {
        let floor = self.floor();
        for row in &mut self.0[..usize::from(floor)] {
            // Only by a planted bug does a row stand below its own floor.
            *row = Row { count: 0, floor: if row.floor == floor { floor } else { 0 } };
        }
    }

    /// Whether each row of `other` is contained here.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        let mut joined = *self;
        joined.join(other);
        joined == *self
    }

    /// The rows of numbers below `limit`.
    pub(crate) fn below(&self, limit: u8) -> Self {
        let mut below = *self;
        below.0[usize::from(limit)..].fill(Row::default());
        below
    }

    /// The rows of numbers from `limit` on.
    pub(crate) fn from(&self, limit: u8) -> Self {
        let mut rows = *self;
        rows.0[..usize::from(limit)].fill(Row::default());
        rows
    }

    /// These rows without that of `number`.
    pub(crate) fn without(&self, number: u8) -> Self {
        let mut rest = *self;
        rest.0[usize::from(number)] = Row::default();
        rest
    }

    /// The planted bug: counts without the floors that were stored with them.
    pub(crate) fn without_floors(&self) -> Self {
        Self(self.0.map(|row| Row { floor: 0, ..row }))
    }

    /// The sum of all counts.
    pub(crate) fn value(&self) -> Count {
        self.0.iter().map(|row| row.count).sum()
    }

    /// The largest number that has counted. 0 if there is none.
    pub(crate) fn last(&self) -> u8 {
        let number = self.0.iter().rposition(|row| *row != Row::default()).unwrap_or(0);
        u8::try_from(number).expect("few numbers")
    }
}

/// As `2:11`, or `2:11/2` with a floor of 2: number, octal count, floor.
impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut list = f.debug_set();
        for (number, Row { count, floor }) in self.0.iter().enumerate() {
            match floor {
                0 if *count == 0 => {}
                0 => drop(list.entry(&format_args!("{number}:{count:o}"))),
                _ => drop(list.entry(&format_args!("{number}:{count:o}/{floor}"))),
            }
        }
        list.finish()
    }
}

/// The adds that a count has in it.
pub(crate) fn adds(count: Count) -> u8 {
    (0..5).filter(|add| count >> (3 * add) & 7 != 0).map(|add| 1 << add).sum()
}

/// Whether a count has some add more than once.
pub(crate) fn has_twice(count: Count) -> bool {
    (0..5).any(|add| count >> (3 * add) & 7 > 1)
}
