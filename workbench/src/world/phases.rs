//! The phases of a run.

use std::collections::VecDeque;
use std::time::Duration;

use super::World;

use crate::nemesis::{Act, Nemesis};
use crate::stagger::Stagger;

/// A phase of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nodes start, and get their names by `init`.
    Setup,
    /// Nodes are told what the workload has for them.
    Briefing,
    /// Clients and nemesis are at work.
    Main {
        until: Duration,
    },
    /// The last requests and the last restart come to an end.
    Draining,
    /// The nemesis ends all faults, one act after the other.
    Recovering {
        acts: VecDeque<Act>,
    },
    /// The nodes have time to converge.
    Waiting {
        until: Duration,
    },
    /// Every worker does the last requests of the workload. Most have one read.
    FinalReads,
    /// No server may send anything.
    Silence {
        until: Duration,
    },
    Done,
}

impl Phase {
    #[cfg(feature = "processes")]
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Setup | Self::Briefing => "starting",
            Self::Main { .. } => "running",
            Self::Draining => "finishing requests",
            Self::Recovering { .. } => "healing",
            Self::Waiting { .. } => "waiting for recovery",
            Self::FinalReads => "final reads",
            Self::Silence { .. } => "listening for silence",
            Self::Done => "done",
        }
    }
}

impl World {
    /// When the present phase must do something without an event.
    fn phase_due(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Main { until } => {
                let can_send = self.plan.rate > 0.0 && self.workers.can_send();
                let request = Some(self.pace.due()).filter(|_| can_send);
                let nemesis = self.nemesis.due().filter(|_| self.nemesis_is_free());
                [Some(*until), request, nemesis, self.malformed.due()].into_iter().flatten().min()
            }
            Phase::Waiting { until } => Some(self.probes.due().min(*until)),
            Phase::Silence { until } => Some(*until),
            Phase::Setup
            | Phase::Briefing
            | Phase::Draining
            | Phase::Recovering { .. }
            | Phase::FinalReads
            | Phase::Done => None,
        }
    }

    /// Takes the next step of the present phase, and of those after it, as far as they go.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some(next) = self.step(now) {
            self.phase = next;
        }
        self.has_news = false;
        self.due = self.phase_due();
    }

    fn step(&mut self, now: Duration) -> Option<Phase> {
        if self.setup_failure.is_some() && self.phase != Phase::Done {
            return Some(Phase::Done);
        }
        match self.phase.clone() {
            Phase::Setup => self.step_setup(now),
            Phase::Briefing => self.step_briefing(now),
            Phase::Main { until } => self.step_main(now, until),
            Phase::Draining => self.step_draining(),
            Phase::Recovering { acts } => self.step_recovering(now, acts),
            Phase::Waiting { until } => self.step_waiting(now, until),
            Phase::FinalReads => self.step_final_reads(now),
            Phase::Silence { until } => (now >= until).then_some(Phase::Done),
            Phase::Done => None,
        }
    }

    fn step_setup(&mut self, now: Duration) -> Option<Phase> {
        if !self.nodes.iter().skip(self.plan.first_node).all(|node| node.is_ready) {
            return None;
        }
        if let Some(request) = self.plan.workload.setup(&self.plan) {
            self.plan.nodes().for_each(|node| self.send_briefing(now, node, &request));
            return Some(Phase::Briefing);
        }
        // Jepsen opens and closes a client for each node before it begins.
        self.clients.skip(self.plan.node_count);
        Some(self.begin_main(now))
    }

    fn step_briefing(&mut self, now: Duration) -> Option<Phase> {
        self.nemesis_is_free().then(|| self.begin_main(now))
    }

    fn begin_main(&mut self, now: Duration) -> Phase {
        let seed = self.node_seeds.generator();
        self.nemesis = Nemesis::new(&self.plan, seed, now);
        self.pace = Stagger::new(super::mean_gap(self.plan.rate), now);
        self.begin_malformed(now);
        Phase::Main { until: now + self.plan.time_limit }
    }

    fn step_main(&mut self, now: Duration, until: Duration) -> Option<Phase> {
        self.run_nemesis(now, until);
        self.send_malformed(now);
        self.issue_operations(now, until);
        if now < until {
            return None;
        }
        self.note_starving(until);
        Some(Phase::Draining)
    }

    fn step_draining(&self) -> Option<Phase> {
        let is_over = self.workers.all_are_free() && self.nemesis_is_free();
        is_over.then(|| Phase::Recovering { acts: self.nemesis.last_acts().into() })
    }

    fn step_recovering(&mut self, now: Duration, mut acts: VecDeque<Act>) -> Option<Phase> {
        if !self.nemesis_is_free() || self.somebody_stutters() {
            return None;
        }
        if let Some(act) = acts.pop_front() {
            self.perform(now, act);
            return Some(Phase::Recovering { acts });
        }
        self.healed(now);
        if !self.plan.workload.has_end() {
            return Some(Phase::Done);
        }
        if self.plan.probes && self.plan.workload.counter().is_some() {
            self.begin_probes(now);
        }
        Some(Phase::Waiting { until: now + self.plan.final_wait })
    }

    fn step_waiting(&mut self, now: Duration, until: Duration) -> Option<Phase> {
        if now < until {
            self.send_probes(now);
            return None;
        }
        self.issue_last_requests(now);
        Some(Phase::FinalReads)
    }

    fn step_final_reads(&self, now: Duration) -> Option<Phase> {
        if !self.workers.all_are_free() {
            return None;
        }
        Some(self.plan.silence.map_or(Phase::Done, |span| Phase::Silence { until: now + span }))
    }
}
