use alloc::vec::Vec;

const MOST: usize = 64;

/// How many slots a row had at its numbers: for what was created after a number, a delta carries the name.
///
/// It keeps few numbers, those far back with larger gaps. In a gap it gives too few slots, so that a delta carries some names
/// that the receiver has. It is no part of the state: two equal states may differ in it.
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

    /// Drops every second one of the older half.
    fn thin(&mut self) {
        let mut at = 0;
        self.known.retain(|_| {
            at += 1;
            at > MOST / 2 || at % 2 == 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_exact_for_what_is_recent_and_never_gives_more() {
        let mut births = Births::default();
        for number in 1..=1000_u64 {
            births.note(2 * number, u32::try_from(number).unwrap());
            for ago in 0..number.min(30) {
                let at = number - ago;
                assert_eq!(u64::from(births.at(2 * at)), at);
                assert_eq!(u64::from(births.at(2 * at + 1)), at);
            }
            assert!((0..=number).all(|at| u64::from(births.at(2 * at)) <= at));
            assert!(births.known.len() <= MOST);
        }
        assert!(births.at(1000) > 200, "older ones are thinned, not forgotten");
    }
}
