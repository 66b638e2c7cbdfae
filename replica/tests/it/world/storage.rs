//! The store of a world, behind a network that delays, and loses outcomes.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;
use replica::store::{Outcome, StoreRequest, Token};

use super::plan::{Outage, Plan, ms};
use super::process::Process;
use super::records::Records;
use super::sabotage::Sabotage;

/// A request on its way to the store, or held there.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) process: usize,
    pub(crate) node: usize,
    pub(crate) token: Token,
    pub(crate) what: StoreRequest,
    /// Nobody waits for its outcome any more.
    pub(crate) is_late: bool,
}

/// What comes of a request that has arrived.
pub(crate) enum Next {
    /// This outcome is told, after so long.
    Tell(Outcome, Duration),
    /// It arrives once more, after so long.
    Again(Asked, Duration),
    /// The outcome is told after the first time; the request arrives once more after the second.
    Both(Outcome, Duration, Asked, Duration),
    Nothing,
}

/// The engine of a world's store.
pub(crate) trait Storage {
    /// It is out of order from now on.
    fn fail(&mut self, outage: Outage, now: Duration);

    /// It is in order again. Returns what was held.
    fn recover(&mut self, now: Duration) -> Vec<Asked>;

    /// All faults end.
    fn heal(&mut self) {}

    /// When it was last out of order.
    fn last_trouble(&self, now: Duration) -> Duration;

    /// A request has arrived. Whatever becomes of it, `records` are all records as they then are: the judge goes by these.
    fn arrive(
        &mut self,
        request: Asked,
        records: &mut Records,
        at: (Duration, bool),
        plan: &Plan,
        rng: &mut SmallRng,
    ) -> Result<Next, String>;

    /// When it has something to do of its own.
    fn due(&self) -> Option<Duration> {
        None
    }

    /// A process runs again.
    fn rouse(&mut self, _now: Duration) {}

    /// Does what is due, for those processes that run.
    fn advance(
        &mut self,
        _now: Duration,
        _records: &mut Records,
        _processes: &[Process],
    ) -> Result<Progress, String> {
        Ok(Progress::default())
    }

    /// How much longer than eight delays of the store a process may need to get its counts stored.
    fn slack(&self) -> Duration {
        Duration::ZERO
    }
}

/// What an engine has done of its own.
#[derive(Default)]
pub(crate) struct Progress {
    /// The outcomes, each with the process that is told.
    pub(crate) outcomes: Vec<(usize, Token, Outcome)>,
    /// The nodes whose records have changed.
    pub(crate) changed: Vec<usize>,
}

/// The reference store: each request is done at once and in full, or not at all.
pub(crate) struct Reference {
    outage: Option<Outage>,
    held: Vec<Asked>,
    /// Until when something was out of order.
    trouble: Duration,
    sabotage: Sabotage,
}

impl Reference {
    pub(crate) fn new(sabotage: Sabotage) -> Self {
        Self { outage: None, held: Vec::new(), trouble: Duration::ZERO, sabotage }
    }

    fn perform(&self, records: &mut Records, request: &Asked, now: Duration) -> Result<Outcome, String> {
        records.checked(request.node, &request.what, |records| self.sabotage.perform(records, request, now))
    }
}

impl Storage for Reference {
    fn fail(&mut self, outage: Outage, _now: Duration) {
        self.outage = Some(outage);
    }

    fn recover(&mut self, now: Duration) -> Vec<Asked> {
        if self.outage.take().is_some() {
            self.trouble = self.trouble.max(now);
        }
        std::mem::take(&mut self.held)
    }

    fn last_trouble(&self, now: Duration) -> Duration {
        if self.outage.is_some() { now } else { self.trouble }
    }

    fn arrive(
        &mut self,
        request: Asked,
        records: &mut Records,
        (now, is_healed): (Duration, bool),
        plan: &Plan,
        rng: &mut SmallRng,
    ) -> Result<Next, String> {
        let back = within(plan.store_delay, rng);
        if request.is_late {
            return if self.outage.is_some() {
                self.held.push(request);
                Ok(Next::Nothing)
            } else {
                self.perform(records, &request, now).map(|_| Next::Nothing)
            };
        }
        let late = Asked { is_late: true, ..request.clone() };
        let wait = ms(rng.random_range(0..2500)).min(plan.heal_at.saturating_sub(now));
        match self.outage {
            Some(Outage::Silent) => {
                self.held.push(request);
                return Ok(Next::Nothing);
            }
            Some(Outage::Refusing) => return Ok(Next::Tell(Outcome::NotDone, back)),
            Some(Outage::Forgetting) => {
                if rng.random_bool(0.5) {
                    self.held.push(late);
                }
                return Ok(Next::Tell(Outcome::Unknown, wait / 2));
            }
            None => {}
        }
        if is_healed || !rng.random_bool(plan.store_lapses) {
            return self.perform(records, &request, now).map(|outcome| Next::Tell(outcome, back));
        }
        self.trouble = self.trouble.max(now + wait + plan.store_delay);
        Ok(match rng.random_range(0..6) {
            0 => Next::Tell(Outcome::NotDone, back),
            1 => Next::Tell(Outcome::Unknown, wait),
            2 => {
                self.perform(records, &request, now)?;
                Next::Tell(Outcome::Unknown, wait)
            }
            3 => Next::Both(Outcome::Unknown, back, late, wait + ms(rng.random_range(0..1000))),
            4 => Next::Tell(self.perform(records, &request, now)?, wait),
            _ => Next::Again(request, wait),
        })
    }
}

/// A random time up to this one.
pub(crate) fn within(longest: Duration, rng: &mut SmallRng) -> Duration {
    longest.mul_f64(rng.random_range(0.05..1.0))
}
