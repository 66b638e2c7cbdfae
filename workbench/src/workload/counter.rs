//! The counters: one that only grows, and one that also falls.

use rand::RngExt;

use super::{Ask, Request, Requests, Rpc, Run, Shape, Workload};
use crate::check::{Check, Violations, check_final_reads, check_reads};
use crate::json::Json;
use crate::plan::Plan;
use crate::seeds::Random;

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// `g-counter`: it only grows. Adds of 0 to 4, and about twice as many reads.
    G,
    /// `pn-counter`: it also falls. Adds of -5 to 4, and as many reads.
    Pn,
}

const ADD: Rpc = Rpc {
    name: "add",
    about: "Add a number to the counter.",
    is_read: false,
    trusts_errors: false,
    asks: &[("delta", "an integer, not negative for a g-counter")],
    answers: None,
};

const READ: Rpc = Rpc {
    name: "read",
    about: "Tell the sum of all adds.",
    is_read: true,
    trusts_errors: false,
    asks: &[],
    answers: Some(("value", Shape::Integer)),
};

/// A request to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    Add(i64),
    Read,
}

impl Ask for Counting {
    fn rpc(&self) -> &'static Rpc {
        match self {
            Self::Add(_) => &ADD,
            Self::Read => &READ,
        }
    }

    fn values(&self) -> Vec<Json> {
        match self {
            Self::Add(delta) => vec![Json::from(*delta)],
            Self::Read => Vec::new(),
        }
    }
}

impl Request {
    /// Adds this much to a counter.
    pub fn add(delta: i64) -> Self {
        Self::new(Counting::Add(delta))
    }

    /// Reads the value of a counter.
    pub fn read() -> Self {
        Self::new(Counting::Read)
    }

    /// How much it adds to a counter, if it does.
    pub(crate) fn delta(&self) -> Option<i64> {
        match self.get()? {
            Counting::Add(delta) => Some(*delta),
            Counting::Read => None,
        }
    }
}

/// Adds and reads have even chances. The counter that only grows skips negative adds.
#[derive(Debug)]
struct Mix {
    counter: Counter,
    /// All reads are this one.
    read: Request,
}

impl Mix {
    fn new(counter: Counter) -> Self {
        Self { counter, read: Request::read() }
    }
}

impl Requests for Mix {
    fn next(&mut self, _: usize, random: &mut Random) -> Request {
        loop {
            if !random.random::<bool>() {
                return self.read.clone();
            }
            let delta = random.random_range(-5..5);
            if self.counter == Counter::Pn || delta >= 0 {
                return Request::add(delta);
            }
        }
    }

    fn at_end(&mut self, _: usize, round: u32) -> Option<Request> {
        (round == 0).then(|| self.read.clone())
    }
}

impl Workload for Counter {
    fn name(&self) -> &'static str {
        match self {
            Self::G => "g-counter",
            Self::Pn => "pn-counter",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::G => "A counter that only grows: adds of 0 to 4, and about twice as many reads",
            Self::Pn => "A counter: adds of -5 to 4, and as many reads",
        }
    }

    fn protocol(&self) -> &'static [&'static Rpc] {
        &[&ADD, &READ]
    }

    fn requests(&self, _: &Plan) -> Box<dyn Requests> {
        Box::new(Mix::new(*self))
    }

    fn has_end(&self) -> bool {
        true
    }

    fn counter(&self) -> Option<Counter> {
        Some(*self)
    }

    fn checks(&self) -> &'static [Check] {
        match self {
            Self::G => CHECKS,
            Self::Pn => CHECKS_OF_ANY,
        }
    }

    fn judge(&self, run: &Run<'_>, violations: &mut Violations) {
        check_reads(run.history, run.plan, violations);
        if run.is_complete {
            check_final_reads(run.history, run.sums, violations);
        }
    }
}

/// The checks of a counter of any kind.
const CHECKS_OF_ANY: &[Check] = &[
    Check::FinalReads,
    Check::FinalReadsAnswered,
    Check::Agreement,
    Check::ImpossibleReads,
    Check::DefiniteErrors,
    Check::Malformed,
    Check::Convergence,
];

/// Those, and the checks of growth.
const CHECKS: &[Check] = &[
    Check::FinalReads,
    Check::FinalReadsAnswered,
    Check::Agreement,
    Check::ImpossibleReads,
    Check::DefiniteErrors,
    Check::Malformed,
    Check::Convergence,
    Check::MonotonicReads,
    Check::MonotonicReadsAcrossCrashes,
    Check::OwnAdds,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;

    fn draws(counter: Counter) -> Vec<Request> {
        let (mut mix, mut random) = (Mix::new(counter), Seeds::new(8).generator());
        (0..9000).map(|_| mix.next(0, &mut random)).collect()
    }

    fn deltas(requests: &[Request]) -> std::collections::BTreeSet<i64> {
        requests.iter().filter_map(Request::delta).collect()
    }

    #[test]
    fn the_grow_only_counter_is_a_third_adds_of_0_to_4() {
        let requests = draws(Counter::G);
        let reads = requests.iter().filter(|request| request.is_read()).count();
        assert!((5700..6300).contains(&reads), "{reads} reads in 9000");
        assert_eq!(deltas(&requests), (0..5).collect());
    }

    #[test]
    fn the_other_counter_is_half_adds_of_minus_5_to_4() {
        let requests = draws(Counter::Pn);
        let reads = requests.iter().filter(|request| request.is_read()).count();
        assert!((4200..4800).contains(&reads), "{reads} reads in 9000");
        assert_eq!(deltas(&requests), (-5..5).collect());
    }
}
