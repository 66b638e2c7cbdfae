//! Times in JSON documents: numbers, in seconds.
#![allow(
    clippy::trivially_copy_pass_by_ref,
    clippy::ref_option,
    reason = "serde hands over references to fields"
)]

use std::time::Duration;

use serde::{Serialize, Serializer};

pub(crate) fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    duration.as_secs_f64().serialize(serializer)
}

pub(crate) fn optional_seconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

/// Of a number of milliseconds.
pub(crate) fn millis<S: Serializer>(millis: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    (millis / 1e3).serialize(serializer)
}

/// Of a whole number of milliseconds.
pub(crate) fn whole_millis<S: Serializer>(millis: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    seconds(&Duration::from_millis(*millis), serializer)
}

/// Of a number of microseconds.
#[cfg(feature = "processes")]
pub(crate) fn optional_micros<S: Serializer>(micros: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    micros.map(|micros| micros / 1e6).serialize(serializer)
}
