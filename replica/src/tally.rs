//! Rows: what each replica has counted. A [`Tally`] is the row of a replica in a world with one counter.

use std::fmt;

use crdt::named::{Counters, Entry};

use crate::config::{MAX_COUNTERS, MAX_REPLICAS};
use crate::identity::ReplicaId;

/// The rows of all replicas: the whole state, or a part of it.
pub type Rows = Counters<ReplicaId>;

/// What a replica has changed after one version of its row, up to another.
pub type RowDelta = crdt::named::RowDelta<ReplicaId>;

/// A part of a row delta that is too long for one frame.
pub type Part = crdt::named::Part<ReplicaId>;

/// The name of the only counter in a world with one counter.
pub const THE_COUNTER: &str = "";

/// The row of a replica in a world with one counter: its count.
///
/// There the sequence number of a row is [`number`](Self::number), so a message needs no room for one. See
/// [`Numbering::BySum`](crate::Numbering::BySum).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The sum of the increments.
    pub up: u64,
    /// The sum of the decrements.
    pub down: u64,
}

/// As `5`, or `5-2` with decrements.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.down {
            0 => write!(f, "{}", self.up),
            down => write!(f, "{}-{down}", self.up),
        }
    }
}

impl Tally {
    /// The count of `replica`.
    pub fn of(rows: &Rows, replica: &ReplicaId) -> Self {
        let slot = rows.slot(replica, THE_COUNTER);
        let entry = slot.and_then(|slot| rows.entry(replica, slot));
        entry.map_or(Self::default(), |entry| Self { up: entry.up, down: entry.down })
    }

    /// The count that a row delta states.
    ///
    /// ```
    /// use replica::Tally;
    ///
    /// let tally = Tally { up: 5, down: 2 };
    /// let row = tally.row("n0#00000001".parse()?);
    /// assert_eq!((row.from(), row.upto(), Tally::stated(&row)), (0, 7, tally));
    /// # Ok::<(), replica::NoIdentity>(())
    /// ```
    pub fn stated(row: &RowDelta) -> Self {
        let mut items = row.items();
        items.next().map_or(Self::default(), |item| Self { up: item.entry.up, down: item.entry.down })
    }

    /// The whole row of `replica`.
    pub fn row(self, replica: ReplicaId) -> RowDelta {
        let mut row = RowDelta::new(replica, 0, self.number());
        if self != Self::default() {
            let entry = Entry { up: self.up, down: self.down, more: None };
            row.push(0, self.number(), Some(THE_COUNTER), entry);
        }
        row
    }

    /// The sequence number: how far the replica has counted. The tallies of a replica are a chain, so one number orders them.
    /// A process refuses to count past `u64::MAX`; a tally from elsewhere that is more has that number.
    pub fn number(self) -> u64 {
        self.up.saturating_add(self.down)
    }

    /// Whether `other` has at least as much, in both directions.
    pub fn is_within(self, other: Self) -> bool {
        self.up <= other.up && self.down <= other.down
    }
}

/// Whether rows that merge this row have no more than [`MAX_REPLICAS`] replicas and [`MAX_COUNTERS`] counters, or no more
/// than now. `more` replicas are to be merged before.
pub(crate) fn has_room_for(rows: &Rows, row: &RowDelta, more: usize) -> bool {
    let has_room = || rows.versions().counter().len() + more < MAX_REPLICAS;
    let is_known = || rows.version(row.actor()) > 0;
    let names = row.items().filter(|item| item.name.is_some()).count();
    (has_room() || is_known()) && (names == 0 || rows.len() + names <= MAX_COUNTERS)
}
