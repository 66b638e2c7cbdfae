use alloc::vec::Vec;

/// More than [`Births::thin`] leaves of any number of slots.
const MOST: usize = 256;

/// How many slots a row had at its numbers: for what was created after a number, a delta carries the name.
///
/// It keeps few numbers, those far back with larger gaps. In a gap it gives too few slots: of the slots created since, it may name a
/// third too many, which the receiver has. It is no part of the state: two equal states may differ in it.
#[derive(Clone, Default)]
pub(super) struct Births {
    /// Numbers, ascending, and the slots that the row had from there on.
    known: Vec<(u64, u32)>,
}

impl Births {
    /// At `number` the row has come to `slots`. Numbers come in ascending order.
    pub(super) fn note(&mut self, number: u64, slots: u32) {
        match self.known.last_mut() {
            Some((last, known)) if *last == number => *known = slots,
            Some(_) | None => {
                if self.known.len() == MOST {
                    self.thin();
                }
                if self.known.is_empty() {
                    self.known.reserve_exact(1); // for most rows of a large cluster it is the only one
                }
                self.known.push((number, slots));
            }
        }
    }

    /// How many slots the row had at `number`, or fewer.
    pub(super) fn at(&self, number: u64) -> u32 {
        let behind = self.known.partition_point(|&(known, _)| known <= number);
        behind.checked_sub(1).and_then(|at| self.known.get(at)).map_or(0, |&(_, slots)| slots)
    }

    /// Drops each one whose neighbours are so near to each other that the older one does nearly as well.
    fn thin(&mut self) {
        let mut kept: Vec<(u64, u32)> = Vec::with_capacity(MOST);
        let newest = self.known.last().map_or(0, |&(_, slots)| slots);
        let older = self.known.iter().rev().skip(1).map(|&(_, slots)| slots).chain([0]);
        for (&(number, slots), older) in self.known.iter().rev().zip(older) {
            let newer = kept.last().map_or(u32::MAX, |&(_, slots)| slots);
            if newer.saturating_sub(older) > newest.saturating_sub(slots) / 4 {
                kept.push((number, slots));
            }
        }
        kept.reverse();
        self.known = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_at_most_a_third_too_many_and_never_too_few() {
        let mut births = Births::default();
        for number in 1..=3000_u64 {
            births.note(2 * number, u32::try_from(number).unwrap());
            for at in 0..=number {
                let found = u64::from(births.at(2 * at));
                assert!(found <= at && births.at(2 * at + 1) == births.at(2 * at));
                assert!(number - found <= (number - at) * 4 / 3, "{number}: {found} at {at}");
            }
            assert!(births.known.len() <= MOST);
        }
    }

    /// The most that are ever left are far fewer than there is room for, or each call would thin.
    #[test]
    fn it_leaves_room() {
        let mut births = Births { known: (0..200_000).map(|n| (u64::from(n), n * 20_000)).collect() };
        births.thin();
        assert!(births.known.len() < MOST / 2, "{}", births.known.len());
    }
}
