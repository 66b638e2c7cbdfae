use core::error::Error;
use core::fmt;

/// An `add` would have taken one actor's count past `u64::MAX`.
///
/// The caller asked for it, and nothing was changed: the counter is as it was before the call.
///
/// ```
/// use crdt::{GCounter, Overflow};
///
/// let mut counter = GCounter::<u32>::new();
/// counter.add(7, u64::MAX)?;
/// assert_eq!(counter.add(7, 1), Err(Overflow));
/// assert_eq!(counter.value(), u128::from(u64::MAX));
/// # Ok::<(), Overflow>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the count of this actor would pass u64::MAX")
    }
}

impl Error for Overflow {}
