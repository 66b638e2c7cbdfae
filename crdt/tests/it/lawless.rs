//! The laws kit finds what is wrong in lattices that break one law each.

use crdt::{Delta, Merge, laws};
use std::cmp::Ordering;

/// A number that merges by maximum, with one method or the bottom replaced.
macro_rules! wrong {
    ($Name:ident, bottom $bottom:expr $(, $method:item)*) => {
        #[derive(Clone, Debug, PartialEq)]
        struct $Name(u32);

        impl Default for $Name {
            fn default() -> Self {
                Self($bottom)
            }
        }

        impl Merge for $Name {
            $($method)*
        }
    };
}

fn raise(ours: &mut u32, theirs: u32) -> bool {
    let larger = theirs > *ours;
    *ours = theirs.max(*ours);
    larger
}

wrong!(
    Sum,
    bottom 0,
    fn merge(&mut self, other: &Self) -> bool {
        self.0 += other.0;
        other.0 > 0
    }
);
wrong!(
    Chatty,
    bottom 0,
    fn merge(&mut self, other: &Self) -> bool {
        raise(&mut self.0, other.0);
        true
    }
);
wrong!(
    Silent,
    bottom 0,
    fn merge(&mut self, other: &Self) -> bool {
        raise(&mut self.0, other.0);
        false
    },
    fn covers(&self, other: &Self) -> bool {
        self.0 >= other.0
    }
);
wrong!(
    FirstStays,
    bottom 0,
    fn merge(&mut self, other: &Self) -> bool {
        self.0 == 0 && raise(&mut self.0, other.0)
    }
);
wrong!(
    HighBottom,
    bottom 5,
    fn merge(&mut self, other: &Self) -> bool {
        raise(&mut self.0, other.0)
    }
);
wrong!(
    NeverBottom,
    bottom 0,
    fn merge(&mut self, other: &Self) -> bool {
        raise(&mut self.0, other.0)
    },
    fn is_bottom(&self) -> bool {
        false
    }
);
wrong!(
    CoversAll,
    bottom 0,
    fn merge(&mut self, other: &Self) -> bool {
        raise(&mut self.0, other.0)
    },
    fn covers(&self, _: &Self) -> bool {
        true
    },
    fn is_bottom(&self) -> bool {
        self.0 == 0
    }
);

/// Two of rock, paper and scissors become the winner: all laws hold on pairs, and none of three.
#[derive(Clone, Debug, Default, PartialEq)]
enum Hand {
    #[default]
    None,
    Rock,
    Paper,
    Scissors,
}

impl Merge for Hand {
    fn merge(&mut self, other: &Self) -> bool {
        let loses = matches!(
            (&*self, other),
            (Self::None, Self::Rock | Self::Paper | Self::Scissors)
                | (Self::Rock, Self::Paper)
                | (Self::Paper, Self::Scissors)
                | (Self::Scissors, Self::Rock)
        );
        if loses {
            self.clone_from(other);
        }
        loses
    }
}

#[test]
fn each_law_of_merge_is_missed_by_a_lattice_that_breaks_it() {
    fn law<T: Merge + PartialEq + std::fmt::Debug>(samples: &[T]) -> &'static str {
        laws::merge(samples).unwrap_err().law()
    }
    assert_eq!(law(&[Sum(0), Sum(1)]), "not idempotent");
    assert_eq!(law(&[Chatty(1)]), "merging itself returned true");
    assert_eq!(law(&[HighBottom(5), HighBottom(1)]), "the bottom is not neutral");
    assert_eq!(law(&[NeverBottom(0)]), "is_bottom is not whether it is the bottom");
    assert_eq!(law(&[FirstStays(1), FirstStays(2)]), "not commutative");
    assert_eq!(law(&[Silent(1), Silent(2)]), "merge did not tell exactly whether it changed");
    assert_eq!(law(&[CoversAll(1), CoversAll(2)]), "covers is not whether merging changes nothing");
    assert_eq!(law(&[Hand::Rock, Hand::Paper, Hand::Scissors]), "not associative");
    laws::merge(&[Hand::None, Hand::Rock, Hand::Paper]).unwrap();
}

/// A number by maximum, whose deltas are made by the function at hand.
#[derive(Clone, Debug, Default)]
struct Told(u32, Option<fn(u32, u32) -> u32>);

impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Merge for Told {
    fn merge(&mut self, other: &Self) -> bool {
        raise(&mut self.0, other.0)
    }
}

impl Delta for Told {
    fn delta_since(&self, other: &Self) -> Self {
        Self(self.1.map_or(0, |delta| delta(self.0, other.0)), self.1)
    }
}

#[test]
fn each_law_of_deltas_is_missed_by_one_that_breaks_it() {
    let law = |delta: fn(u32, u32) -> u32| {
        laws::all(&[Told(0, Some(delta)), Told(1, Some(delta)), Told(7, Some(delta))])
            .map_err(|broken| broken.law())
    };
    assert_eq!(law(|ours, theirs| if ours > theirs { ours } else { 0 }), Ok(()));
    assert_eq!(law(|_, _| 0), Err("a delta has not the effect of the whole"));
    assert_eq!(law(|ours, _| ours), Err("a delta is not the bottom exactly if nothing is new"));
}

/// A pair by maxima, whose delta brings along a half of the other.
#[derive(Clone, Debug, Default, PartialEq)]
struct TooMuch(u32, u32);

impl Merge for TooMuch {
    fn merge(&mut self, other: &Self) -> bool {
        raise(&mut self.0, other.0) | raise(&mut self.1, other.1)
    }
}

impl Delta for TooMuch {
    fn delta_since(&self, other: &Self) -> Self {
        if other.covers(self) { Self::default() } else { Self(self.0.max(other.0), self.1) }
    }
}

#[test]
fn a_delta_that_holds_more_than_the_whole_is_found() {
    let law = laws::delta(&[TooMuch(0, 1), TooMuch(1, 0)]).unwrap_err().law();
    assert_eq!(law, "a delta holds more than the whole");
}

/// A number that merges as it should, and is compared the wrong way round, or on one side only.
#[derive(Clone, Debug, Default)]
struct Compared(u32, bool);

impl PartialEq for Compared {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Merge for Compared {
    fn merge(&mut self, other: &Self) -> bool {
        raise(&mut self.0, other.0)
    }
}

impl PartialOrd for Compared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.1 { other.0.partial_cmp(&self.0) } else { (self.0 <= other.0).then(|| self.0.cmp(&other.0)) }
    }
}

#[test]
fn a_wrong_order_is_found() {
    let upside_down = [Compared(1, true), Compared(2, true)];
    laws::merge(&upside_down).unwrap();
    assert_eq!(laws::order(&upside_down).unwrap_err().law(), "a merge is not above its parts");
    let one_sided = [Compared(1, false), Compared(2, false)];
    assert_eq!(laws::order(&one_sided).unwrap_err().law(), "the order is not the same from both sides");
    // Sets are ordered by their elements: not the order of the lattice, so that `all` does not ask for it.
    let sets = [std::collections::BTreeSet::from([2]), [1, 2].into()];
    laws::merge(&sets).unwrap();
    assert_eq!(laws::order(&sets).unwrap_err().law(), "a merge is not above its parts");
}

#[test]
fn an_operation_that_goes_down_is_found() {
    let down = laws::monotone(&[3], |n| *n = 1);
    assert_eq!(down.unwrap_err().to_string(), "not monotone: [3, 1]");
}

#[test]
fn what_does_not_come_back_as_it_was_is_found() {
    laws::round_trip(&[1], |&sample| Some(sample)).unwrap();
    for wrong in [None, Some(2)] {
        assert_eq!(laws::round_trip(&[1], |_| wrong).unwrap_err().law(), "not itself again");
    }
}
