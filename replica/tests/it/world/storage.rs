//! The reference store behind a network that delays, and loses outcomes.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;
use replica::store::{Outcome, Record, StoreRequest, Token};
use replica::{ReplicaId, RowDelta};

use super::ledger::name;
use super::plan::{Kind, Outage, Plan, ms};
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

pub(crate) struct Storage {
    pub(crate) records: Records,
    outage: Option<Outage>,
    held: Vec<Asked>,
    /// Until when something was out of order.
    trouble: Duration,
    sabotage: Sabotage,
}

impl Storage {
    pub(crate) fn new(plan: &Plan, sabotage: Sabotage) -> Self {
        Self {
            records: Records::new(plan.nodes, plan.has(Kind::Backs)),
            outage: None,
            held: Vec::new(),
            trouble: Duration::ZERO,
            sabotage,
        }
    }

    pub(crate) fn fail(&mut self, outage: Outage) {
        self.outage = Some(outage);
    }

    /// It is in order again. Returns what was held.
    pub(crate) fn recover(&mut self, now: Duration) -> Vec<Asked> {
        if self.outage.take().is_some() {
            self.trouble = self.trouble.max(now);
        }
        std::mem::take(&mut self.held)
    }

    /// When it was last out of order.
    pub(crate) fn last_trouble(&self, now: Duration) -> Duration {
        if self.outage.is_some() { now } else { self.trouble }
    }

    pub(crate) fn arrive(
        &mut self,
        request: Asked,
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
                self.perform(&request, now).map(|_| Next::Nothing)
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
            return self.perform(&request, now).map(|outcome| Next::Tell(outcome, back));
        }
        self.trouble = self.trouble.max(now + wait + plan.store_delay);
        Ok(match rng.random_range(0..6) {
            0 => Next::Tell(Outcome::NotDone, back),
            1 => Next::Tell(Outcome::Unknown, wait),
            2 => {
                self.perform(&request, now)?;
                Next::Tell(Outcome::Unknown, wait)
            }
            3 => Next::Both(Outcome::Unknown, back, late, wait + ms(rng.random_range(0..1000))),
            4 => Next::Tell(self.perform(&request, now)?, wait),
            _ => Next::Again(request, wait),
        })
    }

    fn perform(&mut self, request: &Asked, now: Duration) -> Result<Outcome, String> {
        let (changed, seals) = match &request.what {
            StoreRequest::Seal { node, .. } => (node.clone(), true),
            _ => (name(request.node), false),
        };
        let before = self.records.record(&changed).map(Covered::of);
        let outcome = self.sabotage.perform(&mut self.records, request, now);
        let Some((before, after)) = before.zip(self.records.record(&changed)) else { return Ok(outcome) };
        let grew = before.rows.iter().all(|(replica, version)| *version <= after.version(replica));
        let mut hints = before.hints.iter();
        if !grew || !hints.all(|(replica, upto)| self.still_stands(replica, *upto, after)) {
            return Err("a commit dropped something from the record that is stored nowhere else".into());
        }
        if !seals && matches!(outcome, Outcome::Committed { .. }) && after.is_sealed() {
            return Err("a process of a forgotten node has committed, and the node has not returned".into());
        }
        Ok(outcome)
    }

    /// A hint was in a record before a change. It must have got into its node's record, or stand there still.
    fn still_stands(&self, replica: &ReplicaId, upto: u64, after: &Record) -> bool {
        let is_there = after.hints.get(replica).is_some_and(|held| upto <= held.upto());
        is_there || self.records.was_stored(replica, upto)
    }
}

/// The versions of the rows and hints of a record.
struct Covered {
    rows: Vec<(ReplicaId, u64)>,
    hints: Vec<(ReplicaId, u64)>,
}

impl Covered {
    fn of(record: &Record) -> Self {
        let versions = |rows: &BTreeMap<ReplicaId, RowDelta>| {
            rows.iter().map(|(replica, row)| (replica.clone(), row.upto())).collect()
        };
        Self { rows: versions(&record.rows), hints: versions(&record.hints) }
    }
}

/// A random time up to this one.
pub(crate) fn within(longest: Duration, rng: &mut SmallRng) -> Duration {
    longest.mul_f64(rng.random_range(0.05..1.0))
}
