//! How long something took, in a few numbers.

use std::time::Duration;

/// How often something took how long.
///
/// ```
/// use std::time::Duration;
/// use embedded::Times;
///
/// let mut times = Times::default();
/// times.note(Duration::from_micros(300));
/// assert_eq!(times.counts.iter().sum::<u64>(), 1);
/// assert_eq!(Times::BOUNDS[Times::bucket(Duration::from_micros(300))], Duration::from_micros(500));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// How often, for each of the [`BOUNDS`](Self::BOUNDS): it took at most so long, and longer than the bound before. The last is for
    /// what took longer than all of them.
    pub counts: [u64; Self::BOUNDS.len() + 1],
    /// How long it took all together, in nanoseconds.
    pub nanos: u64,
}

impl Times {
    /// The bounds, smallest first.
    pub const BOUNDS: [Duration; 17] = [
        Duration::from_micros(50),
        Duration::from_micros(100),
        Duration::from_micros(250),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2_500),
        Duration::from_secs(5),
        Duration::from_secs(10),
    ];

    /// The place among the [`counts`](Self::counts) of something that took so long.
    pub fn bucket(time: Duration) -> usize {
        Self::BOUNDS.partition_point(|bound| *bound < time)
    }

    /// Counts something that took so long.
    pub fn note(&mut self, time: Duration) {
        if let Some(count) = self.counts.get_mut(Self::bucket(time)) {
            *count += 1;
        }
        self.nanos = self.nanos.saturating_add(Self::nanos(time));
    }

    /// A time in nanoseconds, as [`nanos`](Self::nanos) has it.
    pub fn nanos(time: Duration) -> u64 {
        u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
    }
}
