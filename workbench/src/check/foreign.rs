//! The verdict on a history that another program has recorded.

use super::{Excuses, Sums, Violations, check_final_reads, check_reads};
use crate::history::History;
use crate::plan::Plan;

/// Judges a history of one counter that another program has recorded, of servers that the bench can't run.
///
/// It checks the reads in the order of the moments, and the final reads at the end. Of the plan it looks at the workload, the
/// promises and `cut_store`. All violations are returned, strict or not. Costs a pass over the history.
///
/// ```
/// use std::time::Duration;
/// use workbench::{Answer, Check, Completion, Counter, History, Operation, Outcome, Plan, Request, judge_counter};
///
/// let mut history = History::default();
/// let mut record = |request, is_final, answer| {
///     let operation = Operation {
///         process: 0,
///         worker: 0,
///         node: 0,
///         incarnation: 1,
///         request,
///         is_final,
///         invoked: Duration::ZERO,
///         completion: None,
///     };
///     let number = history.invoke(operation);
///     history.complete(number, Completion { at: Duration::ZERO, incarnation: 1, outcome: Outcome::Ok(answer) });
/// };
/// record(Request::add(3), false, Answer::Done);
/// record(Request::read(), true, Answer::Integer(2));
/// let violations = judge_counter(&history, &Plan::new(&Counter::G, 0));
/// assert!(violations.counts().contains_key(&Check::FinalReads), "an acknowledged add is lost");
/// ```
pub fn judge_counter(history: &History, plan: &Plan) -> Violations {
    let mut violations = Violations::default();
    check_reads(history, plan, &mut violations);
    let excuses = Excuses::new(plan, &[], history);
    check_final_reads(history, &Sums::of(history, &excuses), &mut violations);
    violations
}
