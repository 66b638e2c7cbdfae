//! Which acknowledged adds a node may lose by its own word: see [`Durability::OneDeathWithoutServices`].

use std::time::Duration;

use crate::history::{Death, History, Operation};
use crate::nemesis::Fault;
use crate::plan::Plan;
use crate::promises::Durability;
use crate::report::FaultWindow;
use crate::workload::Request;

/// How long the services must have been in order, and the node have run, until it has surely found out and stored what it
/// has promised.
const SETTLING: Duration = Duration::from_secs(2);

/// The times in which the services were out of order, and who died in each.
#[derive(Debug, Default)]
pub(crate) struct Leave(Vec<Disturbance>);

#[derive(Debug)]
struct Disturbance {
    from: Duration,
    until: Duration,
    deaths: Vec<Death>,
}

impl Leave {
    pub(crate) fn new(plan: &Plan, windows: &[FaultWindow], history: &History) -> Self {
        match plan.promises.durability {
            Durability::AnyDeaths => Self::default(),
            Durability::OneDeathWithoutServices => {
                let faults = windows.iter().filter(|window| window.fault == Fault::Store);
                let whole_run = plan.cut_store.then_some((Duration::ZERO, Duration::MAX));
                let times = merged(faults.map(settled).chain(whole_run).collect());
                Self(times.into_iter().map(|(from, until)| Disturbance::new(from, until, history)).collect())
            }
        }
    }

    /// Whether the add may be lost although it was acknowledged.
    pub(crate) fn covers(&self, add: &Operation) -> bool {
        matches!(add.request, Request::Add(_)) && add.is_ok() && self.0.iter().any(|time| time.covers(add))
    }
}

/// From the beginning of a store fault until the services have been in order for long enough.
fn settled(fault: &FaultWindow) -> (Duration, Duration) {
    (fault.from, fault.until.map_or(Duration::MAX, |until| until + SETTLING))
}

/// The same times, those that overlap made one: a store that is soon out of order again has not been of use.
fn merged(mut times: Vec<(Duration, Duration)>) -> Vec<(Duration, Duration)> {
    times.sort_unstable();
    let mut merged: Vec<(Duration, Duration)> = Vec::new();
    for (from, until) in times {
        match merged.last_mut() {
            Some((_, end)) if from <= *end => *end = until.max(*end),
            _ => merged.push((from, until)),
        }
    }
    merged
}

impl Disturbance {
    fn new(from: Duration, until: Duration, history: &History) -> Self {
        // Who stood still meanwhile has found out nothing.
        let settled = |death: &Death| match death.last_pause {
            Some((paused, resumed)) if paused <= until => until.max(resumed + SETTLING),
            _ => until,
        };
        let deaths = history.deaths().iter().filter(|death| (from..=settled(death)).contains(&death.at));
        Self { from, until, deaths: deaths.copied().collect() }
    }

    /// Whoever confirmed the add to the node that acknowledged it did so after it had been asked for.
    fn covers(&self, add: &Operation) -> bool {
        let Some(acknowledged) = add.completion.as_ref().map(|completion| completion.at) else {
            return false;
        };
        let died = |is_victim: &dyn Fn(usize) -> bool, since: Duration| {
            self.deaths.iter().any(|death| is_victim(death.node) && death.at >= since)
        };
        (self.from..=self.until).contains(&acknowledged)
            && died(&|node| node == add.node, acknowledged)
            && died(&|node| node != add.node, add.invoked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::history::{Completion, Outcome};
    use crate::promises::Promises;
    use crate::workload::Workload;

    const PROMISE: Durability = Durability::OneDeathWithoutServices;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn window(fault: Fault) -> FaultWindow {
        lasting(fault, 10, 20)
    }

    fn lasting(fault: Fault, from: u64, until: u64) -> FaultWindow {
        let (from, until) = (seconds(from), Some(seconds(until)));
        FaultWindow { fault, detail: String::new(), from, until, caught_up: None }
    }

    /// An add that n0 acknowledges a second after it was asked for.
    fn add(acknowledged: u64) -> Operation {
        let at = seconds(acknowledged);
        let invoked = seconds(acknowledged - 1);
        let completion = Some(Completion { at, incarnation: 1, outcome: Outcome::Ok(Answer::Done) });
        let request = Request::Add(1);
        Operation {
            process: 0,
            worker: 0,
            node: 0,
            incarnation: 1,
            request,
            is_final: false,
            invoked,
            completion,
        }
    }

    fn plan(durability: Durability) -> Plan {
        let promises = Promises { durability, ..Promises::default() };
        Plan { promises, ..Plan::new(Workload::GCounter, 1) }
    }

    fn leave(durability: Durability, windows: &[FaultWindow], history: &History) -> Leave {
        Leave::new(&plan(durability), windows, history)
    }

    fn died(deaths: &[(u64, usize)]) -> History {
        let mut history = History::default();
        for (at, node) in deaths {
            history.death(Death { at: seconds(*at), node: *node, last_pause: None });
        }
        history
    }

    /// Both die at 30 s and stood still before, as long as this.
    fn died_after_a_pause(from: u64, until: u64) -> History {
        let mut history = History::default();
        let last_pause = Some((seconds(from), seconds(until)));
        (0..2).for_each(|node| history.death(Death { at: seconds(30), node, last_pause }));
        history
    }

    fn covers(durability: Durability, fault: Fault, acknowledged: u64, deaths: &[(u64, usize)]) -> bool {
        leave(durability, &[window(fault)], &died(deaths)).covers(&add(acknowledged))
    }

    fn is_excused(acknowledged: u64, deaths: &[(u64, usize)]) -> bool {
        covers(PROMISE, Fault::Store, acknowledged, deaths)
    }

    #[test]
    fn two_deaths_while_the_store_is_out_of_order_excuse() {
        assert!(is_excused(15, &[(16, 0), (16, 1)]));
        assert!(is_excused(15, &[(16, 1), (19, 0)]));
        assert!(is_excused(15, &[(14, 1), (19, 0)]), "the peer died while its confirmation was on its way");
        assert!(is_excused(21, &[(22, 0), (22, 1)]), "the node had no time yet to find the store in order");
    }

    #[test]
    fn who_stood_still_since_the_services_were_out_of_order_has_found_out_nothing() {
        let is_excused = |from, until| {
            leave(PROMISE, &[window(Fault::Store)], &died_after_a_pause(from, until)).covers(&add(15))
        };
        assert!(is_excused(19, 30) && is_excused(22, 30) && is_excused(21, 28));
        assert!(!is_excused(23, 30), "it had run for two seconds before");
        assert!(!is_excused(19, 27), "it had run for three after");
    }

    #[test]
    fn nothing_else_does() {
        assert!(!is_excused(15, &[]));
        assert!(!is_excused(15, &[(16, 0)]), "one death");
        assert!(!is_excused(15, &[(16, 0), (17, 0)]), "one node twice");
        assert!(!is_excused(15, &[(16, 1), (17, 2)]), "the node that acknowledged it did not die");
        assert!(!is_excused(15, &[(13, 1), (16, 0)]), "the other died before the add was asked for");
        assert!(!is_excused(15, &[(14, 0), (16, 1)]), "the node died before it acknowledged");
        assert!(!is_excused(15, &[(16, 1), (23, 0)]), "it died when all was well again");
        assert!(!is_excused(9, &[(16, 0), (16, 1)]), "acknowledged before the fault");
        assert!(!is_excused(23, &[(23, 0), (23, 1)]), "acknowledged after it");
    }

    #[test]
    fn without_the_claim_or_a_store_fault_there_is_no_leave() {
        let deaths = [(16, 0), (16, 1)];
        assert!(!covers(Durability::AnyDeaths, Fault::Store, 15, &deaths));
        for fault in [Fault::Partition, Fault::Loss, Fault::Slow] {
            assert!(!covers(PROMISE, fault, 15, &deaths));
        }
    }

    #[test]
    fn a_store_that_was_in_order_too_shortly_has_not_been_of_use() {
        let history = died(&[(25, 0), (25, 1)]);
        let then = |from| leave(PROMISE, &[window(Fault::Store), lasting(Fault::Store, from, 26)], &history);
        assert!(then(21).covers(&add(15)));
        assert!(!then(23).covers(&add(15)), "it had been in order for three seconds");
    }

    #[test]
    fn services_cut_off_for_good_are_out_of_order_all_the_time() {
        let history = died(&[(100, 0), (100, 1)]);
        let cut = Plan { cut_store: true, ..plan(PROMISE) };
        assert!(Leave::new(&cut, &[], &history).covers(&add(15)));
        assert!(!leave(PROMISE, &[], &history).covers(&add(15)));
    }

    #[test]
    fn reads_and_failed_adds_are_no_business_of_it() {
        let history = died(&[(16, 0), (16, 1)]);
        let leave = leave(PROMISE, &[window(Fault::Store)], &history);
        assert!(!leave.covers(&Operation { request: Request::Read, ..add(15) }));
        assert!(!leave.covers(&Operation { completion: None, ..add(15) }));
    }
}
