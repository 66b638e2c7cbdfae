//! Times contenders in turn, in one process, so that what disturbs one disturbs all.
#![expect(clippy::disallowed_types, reason = "to measure is to read a clock")]

use std::hint::black_box;
use std::iter::repeat_with;
use std::time::{Duration, Instant};

/// A batch lasts about this long, if its states fit into the cache: far longer than reading the clock.
const BATCH: Duration = Duration::from_micros(40);

/// Whom a contender stands for in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// This crate, in the row of this index among those that the race is for.
    Ours(usize),
    Peer,
    BTreeMap,
    HashMap,
    Limit,
}

/// One operation of one make. `run` performs it that often and returns the time of that alone.
pub(crate) struct Contender {
    pub(crate) side: Side,
    pub(crate) name: &'static str,
    most: u32,
    run: Box<dyn FnMut(u32) -> Duration>,
}

impl Contender {
    /// An operation that leaves its state as it was.
    pub(crate) fn in_place<T>(
        side: Side,
        name: &'static str,
        n: u64,
        mut operation: impl FnMut() -> T + 'static,
    ) -> Self {
        let run = move |times| {
            if fits_a_cache(n) {
                black_box(operation());
            }
            let start = Instant::now();
            for _ in 0..times {
                black_box(operation());
            }
            start.elapsed()
        };
        Self { side, name, most: 1 << 14, run: Box::new(run) }
    }

    /// An operation that uses its state up: each gets one of its own, made and dropped off the clock.
    pub(crate) fn with_fresh<S, T>(
        side: Side,
        name: &'static str,
        n: u64,
        mut make: impl FnMut() -> S + 'static,
        mut operation: impl FnMut(&mut S) -> T + 'static,
    ) -> Self {
        let run = move |times| {
            if fits_a_cache(n) {
                black_box(operation(&mut make()));
            }
            let mut states: Vec<S> = repeat_with(&mut make).take(times as usize).collect();
            let start = Instant::now();
            for state in &mut states {
                black_box(operation(black_box(state)));
            }
            start.elapsed()
        };
        let most = u32::try_from((4096 / n).clamp(1, 256)).unwrap_or(1);
        Self { side, name, most, run: Box::new(run) }
    }
}

/// Where it does, an operation before those that count warms it.
const fn fits_a_cache(n: u64) -> bool {
    n < 1 << 17
}

/// How a contender has done so far.
struct Runner<'a> {
    contender: &'a mut Contender,
    times: u32,
    spent: Duration,
    /// Seconds an operation, one a batch.
    samples: Vec<f64>,
}

impl Runner<'_> {
    /// Finds how many operations make a batch.
    fn calibrate(&mut self) {
        let start = Instant::now();
        while (self.contender.run)(self.times) < BATCH / 2 && self.times < self.contender.most {
            self.times *= 2;
        }
        self.spent = start.elapsed();
    }

    fn batch(&mut self) {
        let start = Instant::now();
        let time = (self.contender.run)(self.times);
        self.samples.push(time.as_secs_f64() / f64::from(self.times));
        self.spent += start.elapsed();
    }

    fn median(mut self) -> f64 {
        self.samples.sort_by(f64::total_cmp);
        self.samples.get(self.samples.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// The median time of an operation in seconds, for each contender.
///
/// The next batch is always of the contender that has used the least time so far, its clones included. So all of them
/// are spread over the same time. Ends when `budget` is used up and each has had `least` batches.
pub(crate) fn race(contenders: &mut [Contender], budget: Duration, least: usize) -> Vec<f64> {
    let mut runners: Vec<Runner<'_>> = contenders
        .iter_mut()
        .map(|contender| Runner { contender, times: 1, spent: Duration::ZERO, samples: Vec::new() })
        .collect();
    runners.iter_mut().for_each(Runner::calibrate);
    loop {
        let over = runners.iter().map(|runner| runner.spent).sum::<Duration>() >= budget;
        let next = runners
            .iter_mut()
            .filter(|runner| !over || runner.samples.len() < least)
            .min_by_key(|runner| runner.spent);
        match next {
            Some(runner) => runner.batch(),
            None => return runners.into_iter().map(Runner::median).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One whose operations take so long, without doing anything.
    fn fake(nanos: u64) -> Contender {
        let run = move |times| Duration::from_nanos(nanos * u64::from(times));
        Contender { side: Side::Peer, name: "fake", most: 1 << 14, run: Box::new(run) }
    }

    #[test]
    fn each_contender_gets_its_own_time() {
        let seconds = race(&mut [fake(100), fake(30_000_000), fake(7)], Duration::from_millis(1), 3);
        let nanos: Vec<f64> = seconds.iter().map(|seconds| (seconds * 1e9).round()).collect();
        assert_eq!(nanos, [100.0, 30_000_000.0, 7.0]);
    }

    #[test]
    fn the_median_is_not_moved_by_a_disturbed_batch() {
        let mut batches = 0;
        let mut contender = fake(0);
        contender.most = 1;
        contender.run = Box::new(move |_| {
            batches += 1;
            if batches % 3 == 0 { Duration::from_secs(1) } else { Duration::from_nanos(50) }
        });
        let seconds = race(&mut [contender], Duration::ZERO, 5);
        assert_eq!(seconds.iter().map(|seconds| (seconds * 1e9).round()).collect::<Vec<_>>(), [50.0]);
    }
}
