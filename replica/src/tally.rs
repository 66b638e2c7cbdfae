//! Counts: a [`Tally`] is the count of one replica, a [`Vector`] has the rows of all.

use std::fmt;

use crdt::PnCounter;

use crate::config::MAX_REPLICAS;
use crate::identity::ReplicaId;

/// Increments and decrements by replica: the whole state, or a part of it. A counter that only grows is one without
/// decrements.
pub type Vector = PnCounter<ReplicaId>;

/// The count of one replica.
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

impl From<(u64, u64)> for Tally {
    fn from((up, down): (u64, u64)) -> Self {
        Self { up, down }
    }
}

impl Tally {
    /// The count of `replica`.
    pub fn of(vector: &Vector, replica: &ReplicaId) -> Self {
        vector.counts(replica).into()
    }

    /// This tally and `delta`. `None` if the increments or the decrements would pass `u64::MAX`.
    pub fn plus(self, delta: i64) -> Option<Self> {
        let (up, down) = if delta < 0 { (0, delta.unsigned_abs()) } else { (delta.unsigned_abs(), 0) };
        Some(Self { up: self.up.checked_add(up)?, down: self.down.checked_add(down)? })
    }

    /// Merges another tally of the same replica.
    pub fn raise(&mut self, other: Self) {
        *self = Self { up: self.up.max(other.up), down: self.down.max(other.down) };
    }

    /// Whether `other` has at least as much, in both directions.
    pub fn is_within(self, other: Self) -> bool {
        self.up <= other.up && self.down <= other.down
    }

    /// The sequence number: how far the replica has counted. The tallies that a replica itself had over time are a chain, so
    /// one number orders them. What others hold of it may be increments and decrements of different times.
    pub fn sequence(self) -> u128 {
        u128::from(self.up) + u128::from(self.down)
    }
}

/// Whether a vector that merges `counts` has no more than [`MAX_REPLICAS`] replicas, or no more than now.
pub(crate) fn has_room_for(vector: &Vector, counts: &Vector) -> bool {
    if vector.len() + counts.len() <= MAX_REPLICAS {
        return true;
    }
    let new = counts.keys().filter(|replica| !vector.contains(*replica)).count();
    new == 0 || vector.len() + new <= MAX_REPLICAS
}

/// The part of a vector whose replicas `keep` accepts.
pub(crate) fn filtered(vector: &Vector, keep: impl Fn(&ReplicaId) -> bool) -> Vector {
    let kept = vector.iter().filter(|(replica, _)| keep(replica));
    kept.map(|(replica, counts)| (replica.clone(), counts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(incarnation: usize) -> ReplicaId {
        format!("n1#{incarnation:08x}").parse().unwrap()
    }

    /// The replicas of `up` have counted 1 up, those of `down` 1 down.
    fn vector(up: std::ops::Range<usize>, down: std::ops::Range<usize>) -> Vector {
        let side = |numbers: std::ops::Range<usize>| numbers.map(|number| (replica(number), 1)).collect();
        Vector::from_parts(side(up), side(down))
    }

    #[test]
    fn the_number_of_replicas_is_bounded() {
        const MOST: usize = MAX_REPLICAS;
        let room = |held: &Vector, more| has_room_for(held, &vector(more, 0..0));
        let one_short = vector(0..MOST - 1, 0..9);
        assert!(room(&one_short, MOST..MOST + 1), "a replica that counts up and down is one");
        assert!(!room(&one_short, MOST..MOST + 2));
        assert!(room(&one_short, MOST - 2..MOST), "one of them is known");
        let full = vector(9..MOST, 0..9);
        assert!(!room(&full, MOST..MOST + 1));
        assert!(room(&full, 0..MOST), "all are known");
        assert!(has_room_for(&vector(0..MOST / 2, 0..MOST / 2), &vector(0..0, MOST / 2..MOST)));
        assert!(room(&Vector::new(), 0..MOST) && !room(&Vector::new(), 0..MOST + 1));
    }

    #[test]
    fn a_replica_is_known_that_has_counted_in_either_direction() {
        let vector = vector(1..2, 2..3);
        assert_eq!([0, 1, 2].map(|number| vector.contains(replica(number))), [false, true, true]);
    }

    #[test]
    fn the_sequence_number_is_the_sum_of_up_and_down() {
        let tally = Tally { up: u64::MAX, down: 3 };
        assert_eq!(tally.sequence(), u128::from(u64::MAX) + 3);
        assert_eq!(tally.plus(1), None);
        assert_eq!(tally.plus(-4), Some(Tally { down: 7, ..tally }));
    }
}
