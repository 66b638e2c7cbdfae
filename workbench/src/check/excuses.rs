//! Excused adds: the acknowledged adds that a node may lose. See [`Durability::OneDeathWithoutServices`].

use std::time::Duration;

use crate::history::{Death, History, Operation};
use crate::nemesis::Fault;
use crate::plan::Plan;
use crate::promises::Durability;
use crate::report::FaultWindow;

/// After a fault the services must be in order for this long, and the node must run for this long. Then it has certainly
/// stored all its acknowledged adds.
const RECOVERS_WITHIN: Duration = Duration::from_secs(2);

/// The times in which the services were out of order, and the deaths in each.
#[derive(Debug, Default)]
pub(crate) struct Excuses(Vec<Disturbance>);

#[derive(Debug)]
struct Disturbance {
    from: Duration,
    until: Duration,
    deaths: Vec<Death>,
}

impl Excuses {
    pub(crate) fn new(plan: &Plan, windows: &[FaultWindow], history: &History) -> Self {
        match plan.promises.durability {
            Durability::AnyDeaths => Self::default(),
            Durability::OneDeathWithoutServices => {
                let faults = windows.iter().filter(|window| window.fault == Fault::Store);
                let whole_run = plan.cut_store.then_some((Duration::ZERO, Duration::MAX));
                let times = merged(faults.map(out_of_order).chain(whole_run).collect());
                Self(times.into_iter().map(|(from, until)| Disturbance::new(from, until, history)).collect())
            }
        }
    }

    /// Whether the add may be lost although it was acknowledged.
    pub(crate) fn covers(&self, add: &Operation) -> bool {
        add.request.delta().is_some() && add.is_ok() && self.0.iter().any(|time| time.covers(add))
    }
}

/// The time from the beginning of a store fault until the services have been in order for long enough.
fn out_of_order(fault: &FaultWindow) -> (Duration, Duration) {
    (fault.from, fault.until.map_or(Duration::MAX, |until| until + RECOVERS_WITHIN))
}

/// Joins times that overlap. A store that is soon out of order again was not in order for long enough.
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
        // A process that was paused meanwhile has stored nothing.
        let recovered = |death: &Death| match death.last_pause {
            Some((paused, resumed)) if paused <= until => until.max(resumed + RECOVERS_WITHIN),
            _ => until,
        };
        let deaths = history.deaths().iter().filter(|death| (from..=recovered(death)).contains(&death.at));
        Self { from, until, deaths: deaths.copied().collect() }
    }

    /// Whether the add was acknowledged in this time, and then died with both nodes that may have held it. A peer that
    /// confirmed the add did so after the client had asked for it.
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
    use crate::workload::{Counter, Request};

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
        let request = Request::add(1);
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
        Plan { promises, ..Plan::new(&Counter::G, 1) }
    }

    fn excuses(durability: Durability, windows: &[FaultWindow], history: &History) -> Excuses {
        Excuses::new(&plan(durability), windows, history)
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
        excuses(durability, &[window(fault)], &died(deaths)).covers(&add(acknowledged))
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
    fn a_process_that_was_paused_since_the_fault_has_stored_nothing() {
        let is_excused = |from, until| {
            excuses(PROMISE, &[window(Fault::Store)], &died_after_a_pause(from, until)).covers(&add(15))
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
    fn without_the_promise_or_a_store_fault_no_add_is_excused() {
        let deaths = [(16, 0), (16, 1)];
        assert!(!covers(Durability::AnyDeaths, Fault::Store, 15, &deaths));
        for fault in [Fault::Partition, Fault::Loss, Fault::Slow] {
            assert!(!covers(PROMISE, fault, 15, &deaths));
        }
    }

    #[test]
    fn a_store_that_was_in_order_too_shortly_counts_as_out_of_order() {
        let history = died(&[(25, 0), (25, 1)]);
        let then =
            |from| excuses(PROMISE, &[window(Fault::Store), lasting(Fault::Store, from, 26)], &history);
        assert!(then(21).covers(&add(15)));
        assert!(!then(23).covers(&add(15)), "it had been in order for three seconds");
    }

    #[test]
    fn services_cut_off_for_good_are_out_of_order_all_the_time() {
        let history = died(&[(100, 0), (100, 1)]);
        let cut = Plan { cut_store: true, ..plan(PROMISE) };
        assert!(Excuses::new(&cut, &[], &history).covers(&add(15)));
        assert!(!excuses(PROMISE, &[], &history).covers(&add(15)));
    }

    #[test]
    fn reads_and_failed_adds_are_not_excused() {
        let history = died(&[(16, 0), (16, 1)]);
        let excuses = excuses(PROMISE, &[window(Fault::Store)], &history);
        assert!(!excuses.covers(&Operation { request: Request::read(), ..add(15) }));
        assert!(!excuses.covers(&Operation { completion: None, ..add(15) }));
    }
}
