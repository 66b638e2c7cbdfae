//! What clients ask: to add to counters hot and cold, one by one and in batches, to reset them, and to take sources' totals.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::SmallRng;
use replica::{Change, Name, Request};

use super::{Plan, ms};

/// The most counters of a cluster.
const MOST_NAMES: usize = 1000;

/// What the clients of a cluster like to do.
struct Habits {
    /// How many of all adds take away.
    takes: f64,
    batches: f64,
    resets: f64,
    reports: f64,
    /// The most adds of a batch.
    longest: usize,
}

impl Habits {
    fn draw(rng: &mut SmallRng) -> Self {
        let share = |rng: &mut SmallRng, of: &[f64]| of[rng.random_range(0..of.len())];
        Self {
            takes: share(rng, &[0.0, 0.4]),
            batches: share(rng, &[0.0, 0.1, 0.3]),
            resets: share(rng, &[0.0, 0.05, 0.2]),
            reports: share(rng, &[0.0, 0.0, 0.2]),
            longest: [3, 3, 6, 80][rng.random_range(0..4)],
        }
    }
}

/// The names of the counters: mostly few, sometimes many.
pub(crate) fn draw_names(rng: &mut SmallRng) -> Vec<Name> {
    let most = [1, 1, 3, 3, 12, 12, 60, MOST_NAMES][rng.random_range(0..8)];
    (0..rng.random_range(1..=most))
        .map(|at| if at == 0 { "".into() } else { format!("c{at}").into() })
        .collect()
}

impl Plan {
    pub(super) fn draw_asks(&mut self, rng: &mut SmallRng) {
        let habits = Habits::draw(rng);
        let end = u64::try_from(self.heal_at.as_millis()).unwrap();
        let mut totals = BTreeMap::new();
        for node in 0..self.nodes {
            let mut time = 0;
            for _ in 0..rng.random_range(10..50) {
                // Some at once, so that they share a commit.
                if rng.random_bool(0.7) {
                    time = rng.random_range(100..end);
                }
                let change = self.draw_change(&habits, &mut totals, rng);
                if matches!(change, Change::Report { .. }) && rng.random_bool(0.5) {
                    // The source has heard no answer, and tries again elsewhere.
                    let again = (ms(time + rng.random_range(0..500)), rng.random_range(0..self.nodes));
                    self.asks.push((again.0, again.1, Request::Change(change.clone())));
                }
                self.asks.push((ms(time), node, Request::Change(change)));
            }
            for _ in 0..10 {
                let read = Request::Read(self.draw_name(rng));
                self.asks.push((ms(rng.random_range(100..end)), node, read));
            }
        }
    }

    /// A counter: few are hot, and most are cold.
    pub(crate) fn draw_name(&self, rng: &mut SmallRng) -> Name {
        let upto = rng.random_range(0..self.names.len());
        let upto = rng.random_range(0..=upto);
        self.names[rng.random_range(0..=upto)].clone()
    }

    fn draw_add(&self, habits: &Habits, rng: &mut SmallRng) -> (Name, i64) {
        let large = if rng.random_bool(0.02) { 1 << 50 } else { 1 };
        let delta = rng.random_range(0..=9) * large;
        (self.draw_name(rng), if rng.random_bool(habits.takes) { -delta } else { delta })
    }

    /// A change. `totals` are those of the sources so far: not in the order in which they are reported.
    fn draw_change(
        &self,
        habits: &Habits,
        totals: &mut BTreeMap<(Name, usize), u64>,
        rng: &mut SmallRng,
    ) -> Change {
        let kind = rng.random_range(0.0..1.0);
        if kind < habits.resets {
            return Change::Reset(self.draw_name(rng));
        }
        if kind < habits.resets + habits.reports {
            let (counter, source) = (self.draw_name(rng), rng.random_range(0..3));
            let total = totals.entry((counter.clone(), source)).or_default();
            *total += rng.random_range(0..10);
            let total = total.saturating_sub(if rng.random_bool(0.1) { 3 } else { 0 });
            return Change::Report { counter, source: format!("s{source}").into(), total };
        }
        if kind < habits.resets + habits.reports + habits.batches {
            let adds = rng.random_range(0..=habits.longest);
            return Change::adds((0..adds).map(|_| self.draw_add(habits, rng)));
        }
        let (counter, delta) = self.draw_add(habits, rng);
        Change::Add(counter, delta)
    }
}
