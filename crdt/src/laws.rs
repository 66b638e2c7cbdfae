//! The laws of a state-based CRDT, checked on samples of any type.
//!
//! Give a check some states, the more unlike each other the better: every law is tried on all of them, on all pairs
//! or on all triples. It returns the first law that does not hold, with the states that break it. Together with a
//! property test these find most mistakes that a type of your own may have:
//!
//! ```
//! use crdt::{Delta, Merge, laws};
//!
//! /// The highest bid so far.
//! #[derive(Clone, Debug, PartialEq, PartialOrd)]
//! struct HighestBid(u32);
//!
//! impl Merge for HighestBid {
//!     fn merge(&mut self, other: &Self) -> bool {
//!         let higher = other.0 > self.0;
//!         self.0 = self.0.max(other.0);
//!         higher
//!     }
//! }
//!
//! impl Delta for HighestBid {
//!     fn delta_since(&self, other: &Self) -> Self {
//!         if self > other { self.clone() } else { HighestBid(0) }
//!     }
//! }
//!
//! laws::all(&[HighestBid(0), HighestBid(3), HighestBid(7)])?;
//! # Ok::<(), laws::Broken>(())
//! ```
//!
//! And this is what a mistake looks like:
//!
//! ```
//! use crdt::{Merge, laws};
//!
//! /// Adds instead of taking the maximum: what is heard twice counts twice.
//! #[derive(Clone, Debug, PartialEq)]
//! struct Sum(u32);
//!
//! impl Merge for Sum {
//!     fn merge(&mut self, other: &Self) -> bool {
//!         self.0 += other.0;
//!         other.0 > 0
//!     }
//! }
//!
//! let broken = laws::merge(&[Sum(0), Sum(1)]).unwrap_err();
//! assert_eq!(broken.to_string(), "not idempotent: [Sum(1)]");
//! ```

use crate::{Delta, Merge};
use alloc::format;
use alloc::string::String;
use core::error::Error;
use core::fmt::{self, Debug};

/// A law that does not hold, and the samples that break it.
///
/// ```
/// let broken = crdt::laws::round_trip(&[1], |_| None).unwrap_err();
/// assert_eq!(broken.law(), "not itself again");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    law: &'static str,
    samples: String,
}

impl Broken {
    /// What is wrong, in a few words.
    ///
    /// ```
    /// # let broken = crdt::laws::round_trip(&[1], |_| None).unwrap_err();
    /// assert_eq!(broken.law(), "not itself again");
    /// ```
    pub const fn law(&self) -> &'static str {
        self.law
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.samples)
    }
}

impl Error for Broken {}

/// The laws of [`Merge`], those of the order, and those of [`Delta`]. Tries all triples: the time grows with the cube of
/// the number of samples.
///
/// ```
/// # use crdt::{GCounter, laws};
/// let samples = [GCounter::new(), [(1, 5)].into_iter().collect(), [(1, 3), (2, 4)].into_iter().collect()];
/// laws::all::<GCounter<u32>>(&samples)?;
/// # Ok::<(), laws::Broken>(())
/// ```
///
/// # Errors
///
/// The first law that is broken.
pub fn all<T: Delta + Clone + PartialOrd + Debug>(samples: &[T]) -> Result<(), Broken> {
    merge(samples)?;
    order(samples)?;
    delta(samples)
}

/// The laws of [`Merge`]: associative, commutative, idempotent, and exact in what it returns. Tries all triples.
///
/// ```
/// # use crdt::{GCounter, laws};
/// laws::merge::<GCounter<u32>>(&[GCounter::new(), [(1, 5)].into_iter().collect()])?;
/// # Ok::<(), laws::Broken>(())
/// ```
///
/// # Errors
///
/// The first law that is broken.
pub fn merge<T: Merge + Clone + PartialEq + Debug>(samples: &[T]) -> Result<(), Broken> {
    for a in samples {
        check("not idempotent", joined(a, a) == *a, &[a])?;
        check("merging itself returned true", !a.clone().merge(a), &[a])?;
        for b in samples {
            let both = joined(a, b);
            check("not commutative", both == joined(b, a), &[a, b])?;
            check(
                "merge did not tell exactly whether it changed",
                a.clone().merge(b) == (both != *a),
                &[a, b],
            )?;
            for c in samples {
                check("not associative", joined(&both, c) == joined(a, &joined(b, c)), &[a, b, c])?;
            }
        }
    }
    Ok(())
}

/// The order is that of the lattice: `a <= b` if and only if merging `a` into `b` changes nothing, and a merge is
/// above both of its parts.
///
/// ```
/// # use crdt::{GCounter, laws};
/// laws::order::<GCounter<u32>>(&[GCounter::new(), [(1, 5)].into_iter().collect()])?;
/// # Ok::<(), laws::Broken>(())
/// ```
///
/// # Errors
///
/// The first law that is broken.
pub fn order<T: Merge + Clone + PartialOrd + Debug>(samples: &[T]) -> Result<(), Broken> {
    for a in samples {
        for b in samples {
            let both = joined(a, b);
            check("a merge is not above its parts", *a <= both && *b <= both, &[a, b])?;
            check("the order is not that of merging", (a <= b) == (both == *b), &[a, b])?;
            let mirrored = a.partial_cmp(b).map(core::cmp::Ordering::reverse);
            check("the order is not the same from both sides", b.partial_cmp(a) == mirrored, &[a, b])?;
        }
    }
    Ok(())
}

/// The laws of [`Delta`]: a delta has the effect of the whole, changes something exactly if the whole would, and
/// holds nothing that the whole does not.
///
/// ```
/// # use crdt::{GCounter, laws};
/// laws::delta::<GCounter<u32>>(&[GCounter::new(), [(1, 5)].into_iter().collect()])?;
/// # Ok::<(), laws::Broken>(())
/// ```
///
/// # Errors
///
/// The first law that is broken.
pub fn delta<T: Delta + Clone + PartialEq + Debug>(samples: &[T]) -> Result<(), Broken> {
    for a in samples {
        for b in samples {
            let delta = a.delta_since(b);
            check("a delta has not the effect of the whole", joined(b, &delta) == joined(b, a), &[a, b])?;
            let news = b.clone().merge(a);
            check(
                "a delta is not empty exactly if nothing is new",
                b.clone().merge(&delta) == news,
                &[a, b],
            )?;
            check("a delta holds more than the whole", !a.clone().merge(&delta), &[a, b])?;
        }
    }
    Ok(())
}

/// An operation is monotone: it never takes a state down in the order, whatever it returns.
///
/// ```
/// # use crdt::{GCounter, laws};
/// let samples = [GCounter::new(), [(1, u64::MAX)].into_iter().collect()];
/// laws::monotone(&samples, |counter: &mut GCounter<u32>| counter.add(1, 3))?;
/// # Ok::<(), laws::Broken>(())
/// ```
///
/// # Errors
///
/// If the operation takes a sample to a state that is not above it.
pub fn monotone<T: Clone + PartialOrd + Debug, R>(
    samples: &[T],
    operation: impl Fn(&mut T) -> R,
) -> Result<(), Broken> {
    for before in samples {
        let mut after = before.clone();
        operation(&mut after);
        check("not monotone", *before <= after, &[before, &after])?;
    }
    Ok(())
}

/// What is written and read back is the same. `through` writes and reads, and returns `None` if that fails.
///
/// ```
/// # use crdt::{GCounter, laws};
/// let samples = [GCounter::new(), [("n0".to_string(), 3)].into_iter().collect()];
/// laws::round_trip::<GCounter<String>>(&samples, |counter| {
///     serde_json::from_str(&serde_json::to_string(counter).ok()?).ok()
/// })?;
/// # Ok::<(), laws::Broken>(())
/// ```
///
/// # Errors
///
/// If a sample does not come back as it was.
pub fn round_trip<T: PartialEq + Debug>(
    samples: &[T],
    through: impl Fn(&T) -> Option<T>,
) -> Result<(), Broken> {
    samples.iter().try_for_each(|sample| {
        check("not itself again", through(sample).is_some_and(|again| again == *sample), &[sample])
    })
}

fn joined<T: Merge + Clone>(a: &T, b: &T) -> T {
    let mut joined = a.clone();
    joined.merge(b);
    joined
}

fn check<T: Debug>(law: &'static str, holds: bool, samples: &[&T]) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { law, samples: format!("{samples:?}") }) }
}
