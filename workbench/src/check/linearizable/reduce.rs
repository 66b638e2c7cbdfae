//! Reduces a history that has no order to the few operations that show it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Effect, completed, is_linearizable, step};
use crate::answer::Answer;
use crate::check::unanswered;
use crate::envelope::short;
use crate::history::{History, Moment, Operation};
use crate::words::Seconds;
use crate::workload::{Doing, OfKey};

/// How many searches all reductions of a run may take together.
pub(super) const SEARCHES: usize = 400;
/// How many operations are told.
const TOLD: usize = 12;

/// Operations on one key that have no order.
pub(super) struct Core {
    pub(super) moments: Vec<Moment>,
    /// Those of which it does not matter when they were answered, or whether.
    pub(super) loose: BTreeSet<usize>,
}

/// Leaves out operations as long as the rest has no order either.
///
/// A read may always be left out. A change may be left out only if no other operation needs its value, for else the rest would lack
/// that value. If one does, the change is made loose: its value stays available at any time after it was asked for.
pub(super) fn reduce(history: &History, moments: &[Moment], budget: &mut usize) -> Core {
    let completed: BTreeSet<usize> = moments.iter().filter_map(completed).collect();
    let says_something = |number: usize| {
        history
            .operations()
            .get(number)
            .is_some_and(|asked| step(asked, completed.contains(&number)).is_some())
    };
    let kept = moments.iter().copied().filter(|moment| number(*moment).is_some_and(says_something)).collect();
    let mut core = Core { moments: kept, loose: BTreeSet::new() };
    while core.shrink(history, budget) {}
    core
}

impl Core {
    /// Leaves out or loosens what it can. Returns whether that was anything.
    fn shrink(&mut self, history: &History, budget: &mut usize) -> bool {
        let mut has_shrunk = false;
        for number in self.numbers() {
            let smaller = if self.is_needed(history, number) {
                let Some(smaller) = self.with_loose(number) else { continue };
                smaller
            } else {
                self.without(number)
            };
            if *budget == 0 {
                return false;
            }
            *budget -= 1;
            if is_linearizable(history, &smaller.moments, &smaller.loose) == Some(false) {
                *self = smaller;
                has_shrunk = true;
            }
        }
        has_shrunk
    }

    fn numbers(&self) -> Vec<usize> {
        self.moments.iter().filter_map(|moment| invoked(*moment)).collect()
    }

    fn without(&self, left_out: usize) -> Self {
        let is_kept = |moment: &Moment| number(*moment) != Some(left_out);
        let moments = self.moments.iter().copied().filter(is_kept).collect();
        let loose = self.loose.iter().copied().filter(|other| *other != left_out).collect();
        Self { moments, loose }
    }

    fn with_loose(&self, loosened: usize) -> Option<Self> {
        let mut loose = self.loose.clone();
        let is_new = loose.insert(loosened);
        is_new.then(|| Self { moments: self.moments.clone(), loose })
    }

    /// Whether another operation needs the value that this one writes.
    fn is_needed(&self, history: &History, number: usize) -> bool {
        let Some(written) = self.effect(history, number).and_then(written) else { return false };
        let others = self.numbers().into_iter().filter(|other| *other != number);
        others.filter_map(|other| needed(self.effect(history, other)?)).any(|value| value == written)
    }

    fn effect(&self, history: &History, number: usize) -> Option<Effect> {
        let is_completed = self.moments.contains(&Moment::Completed(number));
        Some(step(history.operations().get(number)?, is_completed)?.effect)
    }

    /// The operation whose answer fits no order: the last one that ended.
    fn last<'a>(&self, history: &'a History) -> Option<&'a Operation> {
        let last = self.moments.iter().rev().find_map(completed)?;
        history.operations().get(last)
    }

    pub(super) fn at(&self, history: &History) -> Option<Duration> {
        self.last(history)?.ended()
    }

    /// The finding: why no order fits, if that is simple, and the operations in the order in which they were asked for.
    pub(super) fn tell(&self, history: &History, key: u64) -> String {
        let why = self.last(history).map_or_else(String::new, |last| self.why(history, last));
        let mut text = format!("key {key}: {why}these operations fit no order:");
        let numbers = self.numbers();
        for number in numbers.iter().take(TOLD) {
            let Some(operation) = history.operations().get(*number) else { continue };
            let is_completed = self.moments.contains(&Moment::Completed(*number));
            text = format!("{text}\n{}", line(operation, is_completed));
        }
        match numbers.len().checked_sub(TOLD) {
            Some(more @ 1..) => format!("{text}\nand {more} more"),
            Some(0) | None => text,
        }
    }

    /// Why the last answer is wrong, if that is simple: its value was never written, or was gone before it was asked for.
    fn why(&self, history: &History, last: &Operation) -> String {
        let (node, did) = (last.node, did(last));
        let Some(value) = step(last, true).and_then(|step| needed(step.effect)) else {
            return format!("n{node} answered {did}, and ");
        };
        let mut sources = self.numbers().into_iter().filter_map(|number| {
            let is_source = written(self.effect(history, number)?) == Some(value);
            history.operations().get(number).filter(|_| is_source)
        });
        match (sources.next(), sources.next()) {
            (None, _) => format!("n{node} answered {did}, but no client had asked to write {value} before; "),
            (Some(source), None) => match self.between(history, source, last, value) {
                Some(gone) => {
                    format!("n{node} answered {did}, but {value} {gone} before that was asked for; ")
                }
                None => format!("n{node} answered {did}, and "),
            },
            (Some(_), Some(_)) => format!("n{node} answered {did}, and "),
        }
    }

    /// An answer of another value, to a request after the source's end and before the last operation was asked for.
    fn between(&self, history: &History, source: &Operation, last: &Operation, value: i64) -> Option<String> {
        let is_over = |operation: &Operation, next: &Operation| {
            operation.ended().is_some_and(|end| end <= next.invoked)
        };
        self.numbers().into_iter().find_map(|number| {
            let operation = history.operations().get(number)?;
            let is_certain =
                self.moments.contains(&Moment::Completed(number)) && !self.loose.contains(&number);
            let is_between = is_certain && is_over(source, operation) && is_over(operation, last);
            let place = operation.place();
            match self.effect(history, number).filter(|_| is_between)? {
                Effect::Read(Some(other)) if other != value => {
                    Some(format!("was gone: {other} had been read from {place}"))
                }
                Effect::Write(other) | Effect::Cas { to: other, .. } if other != value => {
                    Some(format!("was overwritten by {other} (on {place})"))
                }
                Effect::Read(_) | Effect::Write(_) | Effect::Cas { .. } => None,
            }
        })
    }
}

fn invoked(moment: Moment) -> Option<usize> {
    match moment {
        Moment::Invoked(number) => Some(number),
        Moment::Completed(_) | Moment::Nemesis(_) => None,
    }
}

fn number(moment: Moment) -> Option<usize> {
    match moment {
        Moment::Invoked(number) | Moment::Completed(number) => Some(number),
        Moment::Nemesis(_) => None,
    }
}

fn written(effect: Effect) -> Option<i64> {
    match effect {
        Effect::Read(_) => None,
        Effect::Write(value) | Effect::Cas { to: value, .. } => Some(value),
    }
}

fn needed(effect: Effect) -> Option<i64> {
    match effect {
        Effect::Read(value) => value,
        Effect::Cas { from, .. } => Some(from),
        Effect::Write(_) => None,
    }
}

/// A request and its answer.
fn did(operation: &Operation) -> String {
    let answer = match operation.answer().map(Answer::to_json) {
        Some(Some(value)) => short(value.as_str()),
        Some(None) => "ok".to_owned(),
        None => unanswered(operation.outcome()),
    };
    format!("{} with {answer}", asked(operation))
}

fn asked(operation: &Operation) -> String {
    match operation.request.get::<OfKey>().map(|asked| asked.does) {
        Some(Doing::Write(value)) => format!("write {value}"),
        Some(Doing::Cas { from, to }) => format!("cas from {from} to {to}"),
        Some(Doing::Read) | None => "read".to_owned(),
    }
}

/// `0.100 s to 0.104 s  client 3 of n1: write 4 with ok`.
fn line(operation: &Operation, is_completed: bool) -> String {
    let (from, client, node) = (Seconds(operation.invoked), operation.process, operation.node);
    match operation.ended().filter(|_| is_completed) {
        Some(end) => format!("{from} to {}  client {client} on n{node}: {}", Seconds(end), did(operation)),
        None => format!("{from} to later    client {client} on n{node}: {}", asked(operation)),
    }
}
