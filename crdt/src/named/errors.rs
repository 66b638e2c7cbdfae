//! Why something is refused. Nothing was changed then, whatever the error.

use crate::Overflow;
use core::error::Error;
use core::fmt;

/// There is no room: a state has at most 2³² − 1 counters, and 4 GiB of names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

/// Why a change was refused. The state, or the batch, is as it was before the call.
///
/// ```
/// use crdt::named::{ChangeError, Counters};
///
/// let mut counters = Counters::<String>::new();
/// counters.add("n0", "views", i64::MAX)?;
/// counters.add("n0", "views", i64::MAX)?;
/// let refused = counters.add("n0", "views", 2);
/// assert_eq!(refused, Err(ChangeError::Overflow));
/// # Ok::<(), ChangeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ChangeError {
    /// What the actor added to the counter, or took from it, would pass `u64::MAX`. Or its numbers are used up.
    Overflow,
    /// The counter has [`MAX_SOURCES`](super::MAX_SOURCES) sources, and the total is of another one.
    Sources,
    /// There is no room for another counter: a state has at most 2³² − 1, and 4 GiB of names.
    Full,
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overflow => "the count of this actor would pass u64::MAX: nothing was counted",
            Self::Sources => {
                "the counter has as many sources as it may: nothing was counted; report under a source that it has, or to \
                 another counter"
            }
            Self::Full => "there is no room for another counter: nothing was counted; use a counter that exists",
        })
    }
}

impl Error for ChangeError {}

impl From<Overflow> for ChangeError {
    fn from(Overflow: Overflow) -> Self {
        Self::Overflow
    }
}

impl From<Full> for ChangeError {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

/// Why a delta was not applied to a state, or not joined to another delta. These are as they were before.
///
/// Except for a gap and a lack of room, whoever sent the delta is wrong, or it is about another history of the actor: two
/// processes counted under one id.
///
/// ```
/// use crdt::named::{DeltaError, Counters, RowDelta};
///
/// let delta = RowDelta::new("n0".to_string(), 4, 7);
/// let mut counters = Counters::<String>::new();
/// let refused = counters.apply(&delta).unwrap_err();
/// assert_eq!(refused, DeltaError::Gap { from: 4, version: 0 });
/// assert!(refused.to_string().contains("ask for what is above 0"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeltaError {
    /// The delta covers what is above `from`, and the state has only covered up to `version`. Ask for a delta from there.
    Gap {
        /// Where the delta begins.
        from: u64,
        /// What the state has covered.
        version: u64,
    },
    /// The slot of this number is new, but it is not the next one, or it is there twice.
    Slot(u32),
    /// The name of this slot is missing, is not the one it had before, or is that of another slot too.
    Name(u32),
    /// An item has a number that the delta does not cover, or the two ends of the delta are the wrong way round.
    Number(u64),
    /// The two deltas to join are of different actors.
    Actor,
    /// There is no room for its counters: a state has at most 2³² − 1, and 4 GiB of names.
    Full,
}

impl fmt::Display for DeltaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { from, version } => write!(
                f,
                "the delta begins at {from} and the state has covered {version}: discard it and ask for what is above \
                 {version}"
            ),
            Self::Slot(slot) => write!(
                f,
                "slot {slot} of the delta is neither known nor the next new one: whoever made the delta is wrong"
            ),
            Self::Name(slot) => write!(
                f,
                "slot {slot} of the delta has no name, or not the one it has here: whoever made the delta is wrong, or two \
                 processes count under one id"
            ),
            Self::Number(number) => write!(
                f,
                "the delta has number {number}, which it does not cover: whoever made the delta is wrong"
            ),
            Self::Actor => f.write_str("the two deltas are of different actors: join only those of one"),
            Self::Full => f.write_str("there is no room for the counters of this delta"),
        }
    }
}

impl Error for DeltaError {}

impl From<Full> for DeltaError {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

/// Why an [`Assembly`](super::Assembly) refused a part.
///
/// ```
/// use crdt::named::{Assembly, Counters, PartError};
///
/// let mut counters = Counters::<String>::new();
/// counters.add("n0", "views", 3)?;
/// counters.add("n0", "likes", 3)?;
/// let parts = counters.row_since("n0", 0).unwrap().split(1);
/// let mut assembly = Assembly::new(8);
/// assert_eq!(assembly.accept(parts[0].clone()), Err(PartError::TooLong));
/// # Ok::<(), crdt::named::ChangeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartError {
    /// The parts of this delta are more than the assembly was made for. Those it had are dropped. Ask for the delta with fewer
    /// numbers, or make the assembly larger.
    TooLong,
    /// The part has no items, or more than there are from its place on. Whoever made it is wrong. Nothing was changed.
    Place,
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => {
                "the parts of the delta are longer together than this assembly takes: they were dropped"
            }
            Self::Place => "the part does not fit where it says it belongs: whoever made it is wrong",
        })
    }
}

impl Error for PartError {}
