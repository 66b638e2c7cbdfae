//! The latencies of operations.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::history::History;

/// Percentiles of times, in milliseconds, to three digits. In JSON they are in seconds, as all times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latencies {
    /// How many there were.
    pub count: u64,
    /// Half were faster.
    #[serde(rename = "p50", serialize_with = "crate::units::millis")]
    pub p50_ms: f64,
    /// 95 of 100 were faster.
    #[serde(rename = "p95", serialize_with = "crate::units::millis")]
    pub p95_ms: f64,
    /// 99 of 100 were faster.
    #[serde(rename = "p99", serialize_with = "crate::units::millis")]
    pub p99_ms: f64,
    /// The slowest.
    #[serde(rename = "max", serialize_with = "crate::units::millis")]
    pub max_ms: f64,
}

impl Latencies {
    /// By the name of the request.
    pub(crate) fn by_kind(history: &History) -> BTreeMap<&'static str, Self> {
        let mut by_kind: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        for operation in history.operations().iter().filter(|operation| operation.is_ok()) {
            if let Some(completion) = &operation.completion {
                let took = completion.at.saturating_sub(operation.invoked);
                by_kind.entry(operation.request.name()).or_default().push(took);
            }
        }
        by_kind.into_iter().map(|(kind, times)| (kind, Self::of(&times))).collect()
    }

    /// Percentiles of a list of times.
    pub(crate) fn of(times: &[Duration]) -> Self {
        let mut recorder = Recorder::default();
        for time in times {
            recorder.record(*time);
        }
        recorder.latencies()
    }
}

/// Collects times in a histogram, so that it need not keep each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Option<Histogram<u64>>);

impl Recorder {
    pub(crate) fn record(&mut self, time: Duration) {
        if self.0.is_none() {
            self.0 = Histogram::new(3).ok();
        }
        if let Some(histogram) = &mut self.0 {
            // Resizes itself, so that recording cannot fail.
            let _ = histogram.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
    }

    pub(crate) fn latencies(&self) -> Latencies {
        let Some(histogram) = &self.0 else { return Latencies::default() };
        let percentile = |percent: f64| millis(histogram.value_at_percentile(percent));
        Latencies {
            count: histogram.len(),
            p50_ms: percentile(50.0),
            p95_ms: percentile(95.0),
            p99_ms: percentile(99.0),
            max_ms: millis(histogram.max()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_hundred() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let latencies = Latencies::of(&times);
        assert_eq!(latencies.count, 100);
        assert!((latencies.p50_ms - 50.0).abs() < 0.1 && (latencies.p99_ms - 99.0).abs() < 0.1);
        assert_eq!(Latencies::of(&[]).count, 0);
    }
}
