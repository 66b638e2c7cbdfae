//! Histories for the tests of checkers, written operation by operation.

use std::time::Duration;

use crate::answer::Answer;
use crate::check::{Excuses, Sums, Violation, Violations};
use crate::history::{Completion, History, Operation, Outcome};
use crate::json::Json;
use crate::plan::Plan;
use crate::words::Seconds;
use crate::workload::{Request, Run, Workload};

/// A complete run, one operation a second.
pub(crate) struct Script {
    pub(crate) plan: Plan,
    history: History,
}

impl Script {
    pub(crate) fn of(workload: &'static dyn Workload) -> Self {
        Self { plan: Plan::new(workload, 1), history: History::default() }
    }

    /// A request and its end half a second later.
    pub(crate) fn run(&mut self, node: usize, request: Request, outcome: Outcome) -> &mut Self {
        self.add(node, request, outcome, false)
    }

    /// The same at the end of the run.
    pub(crate) fn last(&mut self, node: usize, request: Request, outcome: Outcome) -> &mut Self {
        self.add(node, request, outcome, true)
    }

    fn add(&mut self, node: usize, request: Request, outcome: Outcome, is_final: bool) -> &mut Self {
        let invoked = Duration::from_secs(self.history.operations().len() as u64);
        let number = self.history.invoke(Operation {
            process: node as u64,
            worker: node,
            node,
            incarnation: 1,
            request,
            is_final,
            invoked,
            completion: None,
        });
        let at = invoked + Duration::from_millis(500);
        self.history.complete(number, Completion { at, incarnation: 1, outcome });
        self
    }

    /// What the workload finds wrong, with times.
    pub(crate) fn found(&self) -> Vec<String> {
        let show = |found: &Violation| {
            let at = found.at.map_or_else(|| "never".to_owned(), |at| Seconds(at).to_string());
            format!("{at} {}: {}", found.name(), found.text)
        };
        judge_run(&self.plan, &self.history).examples().iter().map(show).collect()
    }
}

/// What the workload finds wrong with a complete run.
pub(crate) fn judge(workload: &'static dyn Workload, history: &History) -> Violations {
    judge_run(&Plan::new(workload, 1), history)
}

fn judge_run(plan: &Plan, history: &History) -> Violations {
    let mut violations = Violations::default();
    let sums = Sums::of(history, &Excuses::default());
    plan.workload.judge(&Run { plan, history, is_complete: true, sums: &sums }, &mut violations);
    violations
}

pub(crate) fn done() -> Outcome {
    Outcome::Ok(Answer::Done)
}

pub(crate) fn json(text: &str) -> Outcome {
    Outcome::Ok(Answer::Json(Json::parse(text).unwrap()))
}
