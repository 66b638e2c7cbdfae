//! The time that the bench itself takes.

use serde::Serialize;

use super::latencies::Latencies;
#[cfg(feature = "processes")]
use super::latencies::Recorder;

/// What the bench adds to every latency that it reports (child processes only).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Overhead {
    /// From the moment at which something was due (a request, a delayed message, a timeout) until the bench did it.
    pub late: Latencies,
    /// From the moment at which a line was handed over until the bench began to write it to the process.
    pub writing: Latencies,
    /// From the moment at which a line of a process was read until the bench had handled it.
    pub reading: Latencies,
}

/// Measures the overhead.
#[cfg(feature = "processes")]
#[derive(Clone, Debug, Default)]
pub(crate) struct OverheadRecorder {
    pub(crate) late: Recorder,
    pub(crate) writing: Recorder,
    pub(crate) reading: Recorder,
}

#[cfg(feature = "processes")]
impl OverheadRecorder {
    pub(crate) fn overhead(&self) -> Overhead {
        let Self { late, writing, reading } = self;
        Overhead { late: late.latencies(), writing: writing.latencies(), reading: reading.latencies() }
    }
}
