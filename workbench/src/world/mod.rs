//! The bench as a state machine on virtual time: everything but processes and clocks.

mod clients;
mod deliver;
mod event;
mod faults;
mod malformed;
mod node;
mod operate;
mod phases;
mod probes;
mod receive;
mod start;
#[cfg(feature = "processes")]
mod status;
mod stutter;
mod timers;
mod workers;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use self::clients::Clients;
pub(crate) use self::event::{Action, End, Event};
use self::faults::Faults;
use self::malformed::Malformed;
use self::node::Node;
use self::phases::Phase;
use self::probes::Probes;
use self::timers::{Timer, Timers};
use self::workers::Workers;

use crate::check::{Excuses, Sums, Violations, check_success};
use crate::history::History;
use crate::nemesis::Nemesis;
use crate::network::Network;
use crate::plan::Plan;
use crate::report::{Figure, Rate, Report};
use crate::seeds::{Random, Seeds};
use crate::service::Services;
use crate::stagger::Stagger;
use crate::workload::{Requests, Run};

/// One run: network, services, clients, nemesis, and history.
///
/// 1. Tell it events with [`handle`](Self::handle), and [`wake`](Self::wake) it no later than
///    [`next_wake`](Self::next_wake).
/// 2. After each of these calls do all actions that [`next_action`](Self::next_action) returns.
///
/// `now` never goes back.
#[derive(Debug)]
pub(crate) struct World {
    plan: Plan,
    phase: Phase,
    /// The nodes, by the number in the name. Those before the plan's first one never start.
    nodes: Vec<Node>,
    network: Network,
    services: Services,
    clients: Clients,
    workers: Workers,
    pace: Stagger,
    /// For how long no client was free for a request that was due.
    starved: Duration,
    nemesis: Nemesis,
    faults: Faults,
    probes: Probes,
    malformed: Malformed,
    history: History,
    /// Requests that no process has received yet: the number of the message, and the number of the operation.
    unheard: BTreeMap<u64, usize>,
    violations: Violations,
    /// How many findings have been told to those who watch.
    #[cfg(feature = "processes")]
    told: usize,
    timers: Timers,
    actions: VecDeque<Action>,
    /// Draws requests and workers.
    random: Random,
    requests: Box<dyn Requests>,
    /// How long a client waits for an answer.
    patience: Duration,
    node_seeds: Seeds,
    /// Draws how nodes run after a pause.
    stutter_random: Random,
    node_ids: String,
    setup_failure: Option<SetupFailure>,
    /// Whether something happened that may end the present phase.
    has_news: bool,
    /// When the present phase must do something in any case.
    due: Option<Duration>,
}

/// Why a run never began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetupFailure {
    pub(crate) node: usize,
    pub(crate) text: String,
}

impl World {
    /// A world at time 0, with its first actions ready.
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut seeds = Seeds::new(plan.seed);
        let node_ids: Vec<String> = plan.nodes().map(|index| format!("\"n{index}\"")).collect();
        let mut world = Self {
            phase: Phase::Setup,
            nodes: (0..plan.nodes().end).map(|_| Node::default()).collect(),
            network: Network::new(plan, seeds.generator()),
            services: Services::new(seeds.generator()),
            clients: Clients::default(),
            workers: Workers::new(plan),
            pace: Stagger::new(mean_gap(plan.rate), Duration::ZERO),
            starved: Duration::ZERO,
            nemesis: Nemesis::new(plan, seeds.generator(), Duration::ZERO),
            faults: Faults::default(),
            probes: Probes::new(plan.nodes()),
            malformed: Malformed::new(plan, seeds.generator()),
            history: History::default(),
            unheard: BTreeMap::new(),
            violations: Violations::default(),
            #[cfg(feature = "processes")]
            told: 0,
            timers: Timers::default(),
            actions: VecDeque::new(),
            random: seeds.generator(),
            requests: plan.workload.requests(plan),
            patience: plan.workload.patience(plan),
            node_seeds: Seeds::new(seeds.next_seed()),
            stutter_random: seeds.generator(),
            node_ids: format!("[{}]", node_ids.join(",")),
            setup_failure: None,
            has_news: true,
            due: None,
            plan: plan.clone(),
        };
        world.plan_starts();
        world.wake(Duration::ZERO);
        world
    }

    /// Handles an event.
    pub(crate) fn handle(&mut self, now: Duration, event: &Event<'_>) {
        match *event {
            Event::Line { node, incarnation, line } => self.receive(now, node, incarnation, line),
            Event::Accepted { node, incarnation } => self.accepted(now, node, incarnation),
            Event::Exited { node, incarnation, ref end } => self.exited(now, node, incarnation, end),
        }
        if self.has_news {
            self.advance(now);
        }
        self.mark_violations();
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, now: Duration) {
        while let Some(timer) = self.timers.take_due(now) {
            self.fire(now, timer);
        }
        if self.has_news || self.due.is_some_and(|due| due <= now) {
            self.advance(now);
        }
        self.mark_violations();
    }

    /// Keeps the messages around the violations that are new.
    fn mark_violations(&mut self) {
        for at in self.violations.take_news() {
            self.network.mark(at);
        }
    }

    /// When to wake the world at the latest.
    pub(crate) fn next_wake(&self) -> Option<Duration> {
        [self.timers.next_at(), self.due].into_iter().flatten().min()
    }

    /// The next action. Do it before you tell another event.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether the run is over.
    pub(crate) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Judges the run.
    pub(crate) fn into_report(mut self) -> Report {
        let excuses = Excuses::new(&self.plan, self.faults.windows(), &self.history);
        let sums = Sums::of(&self.history, &excuses);
        if self.is_done() {
            self.judge_malformed();
        }
        let figures = if self.setup_failure.is_none() { self.judge_history(&sums) } else { Vec::new() };
        let healed_at = self.faults.healed_at();
        let convergence = if self.plan.probes {
            self.probes.convergence(healed_at)
        } else {
            self.history.agreement().map(|at| at.saturating_sub(healed_at.unwrap_or(at)))
        };
        self.judge_convergence(convergence);
        self.mark_violations();
        let remarks = self.violations.take_remarks(&self.plan.strict);
        let (messages, trace) = (self.network.journal().clone(), self.network.take_trace());
        let joined = self.workers.count() - self.plan.workers();
        let rate = Rate::of(&self.plan, &self.history, self.starved, self.phase == Phase::Done);
        let (faults, probes) = (self.faults.into_windows(), self.probes.changes());
        let mut report = Report::new(self.plan, self.history, sums, self.violations, messages);
        report.add_faults(faults);
        let drawn_faults = self.nemesis.into_drawn();
        let rate = Rate { joined, ..rate };
        Report { rate, figures, drawn_faults, convergence, remarks, probes, trace, ..report }
    }

    /// Judges what clients saw, and returns what the workload measures.
    fn judge_history(&mut self, sums: &Sums) -> Vec<Figure> {
        let is_complete = self.is_done();
        let run = Run { plan: &self.plan, history: &self.history, is_complete, sums };
        self.plan.workload.judge(&run, &mut self.violations);
        if is_complete {
            check_success(&self.history, &self.plan, &mut self.violations);
        }
        self.plan.workload.figures(&run)
    }

    fn judge_convergence(&mut self, convergence: Option<Duration>) {
        let is_measured = self.is_done() && self.plan.workload.counter().is_some();
        let Some(bound) = self.plan.max_convergence.filter(|_| is_measured) else { return };
        if convergence.is_none_or(|took| took > bound) {
            let took = convergence.map_or("never".into(), |took| format!("after {} s", took.as_secs_f64()));
            let text = format!("the nodes agreed {took}, {} s were allowed", bound.as_secs_f64());
            self.violations.record(crate::check::Check::Convergence, None, text);
        }
    }

    fn fire(&mut self, now: Duration, timer: Timer) {
        match timer {
            Timer::StartServices => self.start_services(),
            Timer::StartNode(node) => self.start_node(now, node),
            Timer::Lane(receiver) => self.deliver(now, receiver),
            Timer::Answer(id) => self.answer_ready(now, id),
            Timer::InitTimeout { node, incarnation } => self.init_timed_out(now, node, incarnation),
            Timer::OpTimeout { worker, operation } => self.operation_timed_out(now, worker, operation),
            Timer::Stutter { node, incarnation } => self.stutter(now, node, incarnation),
            Timer::EndTimeout { node, incarnation } => self.end_timed_out(now, node, incarnation),
        }
    }
}

/// The mean time between two requests.
fn mean_gap(rate: f64) -> Duration {
    let never = Duration::MAX / 4;
    if rate > 0.0 {
        Duration::try_from_secs_f64(1.0 / rate).map_or(never, |gap| gap.min(never))
    } else {
        never
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Counter;

    /// In a long run the messages of that time are gone once the run is over.
    #[test]
    fn a_violation_is_marked_when_it_happens() {
        let mut world = World::new(&Plan { trace: true, ..Plan::new(&Counter::G, 1) });
        while world.violations.examples().is_empty() {
            let next = world.next_wake().unwrap();
            world.wake(next);
        }
        assert!(!world.network.take_trace().unwrap().marks().is_empty());
    }
}
