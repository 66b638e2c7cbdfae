//! Times for people.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// A time with three digits after the point: `1.250 s`.
pub(crate) struct Seconds(pub(crate) Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.0.as_secs_f64())
    }
}
