//! The delays of messages between servers.

use std::time::Duration;

use rand::RngExt;
use serde::Serialize;

use crate::seeds::Random;

/// A distribution of delays, drawn anew for each message.
///
/// As in Maelstrom, a delay is a whole number of milliseconds, rounded down, and messages to or from a client have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Mean delay, in milliseconds.
    #[serde(rename = "mean", serialize_with = "crate::units::whole_millis")]
    pub mean_ms: u64,
    /// Shape of the distribution.
    pub shape: LatencyShape,
}

/// The shape of a [`Latency`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum LatencyShape {
    /// Always the mean.
    #[default]
    Constant,
    /// Any whole number of milliseconds from 0 up to twice the mean, which is not included.
    Uniform,
    /// Many short delays and a few long ones: messages overtake each other.
    Exponential,
}

impl Latency {
    /// Draws one delay.
    pub(crate) fn draw(self, random: &mut Random) -> Duration {
        if self.mean_ms == 0 {
            return Duration::ZERO;
        }
        match self.shape {
            LatencyShape::Constant => Duration::from_millis(self.mean_ms),
            LatencyShape::Uniform => Duration::from_millis(random.random_range(0..self.mean_ms * 2)),
            LatencyShape::Exponential => exponential(self.mean_ms, random),
        }
    }
}

fn exponential(mean_ms: u64, random: &mut Random) -> Duration {
    // `1 - u` is above 0 and at most 1, so that the logarithm is finite and not positive.
    let unit = 1.0 - random.random::<f64>();
    let millis = -unit.ln() * Duration::from_millis(mean_ms).as_secs_f64() * 1e3;
    Duration::from_secs_f64(millis.floor() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;

    fn mean_ms(shape: LatencyShape) -> u128 {
        let mut random = Seeds::new(1).generator();
        let latency = Latency { mean_ms: 50, shape };
        (0..10_000).map(|_| latency.draw(&mut random)).sum::<Duration>().as_millis() / 10_000
    }

    #[test]
    fn each_shape_has_its_mean() {
        for shape in [LatencyShape::Constant, LatencyShape::Uniform, LatencyShape::Exponential] {
            assert!((48..=52).contains(&mean_ms(shape)), "{shape:?}: {} ms", mean_ms(shape));
        }
    }

    #[test]
    fn no_mean_no_delay() {
        let mut random = Seeds::new(1).generator();
        for shape in [LatencyShape::Constant, LatencyShape::Uniform, LatencyShape::Exponential] {
            assert_eq!(Latency { mean_ms: 0, shape }.draw(&mut random), Duration::ZERO);
        }
    }
}
