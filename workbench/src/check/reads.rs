//! The checks of reads while the run goes on. Maelstrom does not judge these reads.

use std::collections::BTreeMap;
use std::time::Duration;

use super::own_adds::OwnAdds;
use super::{Check, Violations};
use crate::answer::Answer;
use crate::envelope::short;
use crate::history::{History, Moment, Operation};
use crate::plan::Plan;
use crate::words::Seconds;
use crate::workload::{Counter, Counting};

/// Judges every read against the moments before it, in their order.
pub(crate) fn check_reads(history: &History, plan: &Plan, violations: &mut Violations) {
    let grows = plan.workload.counter() == Some(Counter::G);
    let survives = plan.promises.reads_survive_crashes;
    let mut state = Watch { grows, survives, ..Watch::default() };
    for (place, moment) in (1..).zip(history.moments()) {
        match *moment {
            Moment::Invoked(number) => {
                let Some(operation) = history.operations().get(number) else { continue };
                state.invoked(number, operation);
                if grows && operation.request.get::<Counting>().is_some() {
                    state.own_adds.invoked(place, number, operation);
                }
            }
            Moment::Completed(number) => {
                let Some(operation) = history.operations().get(number) else { continue };
                state.completed(number, operation, violations);
                state.completed_own(place, number, history, violations);
            }
            Moment::Nemesis(_) => {}
        }
    }
}

/// An incarnation: the node, and its number.
type Incarnation = (usize, u32);

#[derive(Default)]
struct Watch {
    grows: bool,
    /// Whether the nodes promise that reads survive crashes.
    survives: bool,
    /// Sums of the negative and of the positive adds invoked so far.
    invoked: (i64, i64),
    /// The largest value that a read on the incarnation has shown.
    read: BTreeMap<Incarnation, Shown>,
    /// The largest value that a read on the node has shown.
    read_in_any_incarnation: BTreeMap<usize, Shown>,
    own_adds: OwnAdds,
    /// The least values that each pending read must show.
    floors: BTreeMap<usize, Floors>,
}

/// A value, and when a read showed it.
type Shown = (i64, Duration);

/// The two of the reads, at the time the read was invoked.
#[derive(Clone, Copy)]
struct Floors {
    read: Option<Shown>,
    read_in_any_incarnation: Option<Shown>,
}

impl Watch {
    fn invoked(&mut self, number: usize, operation: &Operation) {
        match operation.request.get() {
            Some(Counting::Add(delta)) if *delta < 0 => self.invoked.0 += delta,
            Some(Counting::Add(delta)) => self.invoked.1 += delta,
            Some(Counting::Read) => {
                let incarnation = (operation.node, operation.incarnation);
                let read = self.read.get(&incarnation).copied();
                let read_in_any_incarnation = self.read_in_any_incarnation.get(&operation.node).copied();
                self.floors.insert(number, Floors { read, read_in_any_incarnation });
            }
            None => {}
        }
    }

    fn completed(&mut self, number: usize, operation: &Operation, violations: &mut Violations) {
        let Some(floors) = self.floors.remove(&number) else { return };
        if let Some(Answer::Huge(number)) = operation.answer() {
            let number = short(number.as_str());
            let text = format!("n{} read {number}, which is too large for 64 bits", operation.node);
            violations.record(Check::ImpossibleReads, operation.ended(), text);
        }
        let Some((value, at)) = operation.value().zip(operation.ended()) else { return };
        self.check_possible(operation, value, violations);
        if self.grows && is_in_one_incarnation(operation) {
            self.check_floors(operation, value, floors, violations);
            let incarnation = (operation.node, operation.incarnation);
            raise(self.read.entry(incarnation).or_insert((value, at)), (value, at));
            raise(self.read_in_any_incarnation.entry(operation.node).or_insert((value, at)), (value, at));
        }
    }

    fn completed_own(&mut self, place: usize, number: usize, history: &History, violations: &mut Violations) {
        let Some(operation) = history.operations().get(number) else { return };
        let counts = is_in_one_incarnation(operation);
        match operation.request.get() {
            Some(Counting::Add(delta)) => {
                let delta = (operation.is_ok() && counts).then_some(*delta);
                self.own_adds.add_ended(number, operation, delta);
            }
            Some(Counting::Read) => {
                let value = operation.value().filter(|_| counts);
                if let Some(floor) = self.own_adds.read_ended((place, number), operation, value) {
                    violations.record(Check::OwnAdds, operation.ended(), floor.tell(history, operation));
                }
            }
            None => {}
        }
    }

    fn check_possible(&self, read: &Operation, value: i64, violations: &mut Violations) {
        let (low, high) = self.invoked;
        if !(low..=high).contains(&value) {
            let (node, range) =
                (read.node, if low == high { format!("{low}") } else { format!("{low} to {high}") });
            let text =
                format!("n{node} read {value}, but all adds that were asked for until then made {range}");
            violations.record(Check::ImpossibleReads, read.ended(), text);
        }
    }

    fn check_floors(&self, operation: &Operation, value: i64, floors: Floors, violations: &mut Violations) {
        let node = operation.node;
        let above = |floor: Option<Shown>| floor.filter(|(floor, _)| value < *floor);
        if let Some((before, at)) = above(floors.read) {
            let text = format!("n{node} read {value}, and at {} it had read {before}", Seconds(at));
            violations.record(Check::MonotonicReads, operation.ended(), text);
        } else if let Some((before, at)) = above(floors.read_in_any_incarnation).filter(|_| self.survives) {
            let at = Seconds(at);
            let text =
                format!("n{node} read {value}, and before its process ended, at {at}, it had read {before}");
            violations.record(Check::MonotonicReadsAcrossCrashes, operation.ended(), text);
        }
    }
}

/// Whether the incarnation that was asked is the one that answered.
fn is_in_one_incarnation(operation: &Operation) -> bool {
    operation.completion.as_ref().is_some_and(|end| end.incarnation == operation.incarnation)
}

/// Keeps the larger value, and of two that are the same the earlier one.
fn raise(to: &mut Shown, shown: Shown) {
    if shown.0 > to.0 {
        *to = shown;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::{Completion, Outcome};
    use crate::promises::Promises;
    use crate::workload::Request;

    fn of(counter: Counter) -> &'static Counter {
        match counter {
            Counter::G => &Counter::G,
            Counter::Pn => &Counter::Pn,
        }
    }

    #[derive(Default)]
    struct Script(History);

    impl Script {
        fn invoke(&mut self, worker: usize, incarnation: u32, request: Request) -> usize {
            self.0.invoke(Operation {
                process: 0,
                worker,
                node: 0,
                incarnation,
                request,
                is_final: false,
                invoked: Duration::ZERO,
                completion: None,
            })
        }

        fn complete(&mut self, number: usize, incarnation: u32, value: Option<i64>) {
            let outcome = Outcome::Ok(value.map_or(Answer::Done, Answer::Integer));
            self.0.complete(number, Completion { at: Duration::ZERO, incarnation, outcome });
        }

        fn add(&mut self, worker: usize, incarnation: u32, delta: i64) {
            let number = self.invoke(worker, incarnation, Request::add(delta));
            self.complete(number, incarnation, None);
        }

        fn read(&mut self, worker: usize, incarnation: u32, value: i64) {
            let number = self.invoke(worker, incarnation, Request::read());
            self.complete(number, incarnation, Some(value));
        }

        fn verdict(&self, counter: Counter) -> Vec<Check> {
            self.verdict_on(&Plan::new(of(counter), 1))
        }

        fn verdict_on(&self, plan: &Plan) -> Vec<Check> {
            let mut violations = Violations::default();
            check_reads(&self.0, plan, &mut violations);
            violations.counts().keys().copied().collect()
        }
    }

    #[test]
    fn a_plain_run_is_fine() {
        let mut script = Script::default();
        script.read(0, 1, 0);
        script.add(0, 1, 3);
        script.read(0, 1, 3);
        assert_eq!(script.verdict(Counter::G), []);
    }

    #[test]
    fn reads_that_go_back_are_caught_in_one_incarnation_only() {
        let mut script = Script::default();
        script.add(0, 1, 3);
        script.read(1, 1, 3);
        script.read(1, 2, 0);
        assert_eq!(script.verdict(Counter::G), []);
        script.read(1, 2, 2);
        script.read(1, 2, 1);
        assert_eq!(script.verdict(Counter::G), [Check::MonotonicReads]);
        assert_eq!(script.verdict(Counter::Pn), []);
    }

    #[test]
    fn reads_that_go_back_in_a_later_incarnation_are_caught_if_the_node_promises_that_they_do_not() {
        let promises = Promises { reads_survive_crashes: true, ..Promises::default() };
        let promising = |counter| Plan { promises, ..Plan::new(of(counter), 1) };
        let mut script = Script::default();
        script.invoke(0, 1, Request::add(5));
        script.read(1, 1, 3);
        let slow = script.invoke(2, 2, Request::read());
        script.read(1, 2, 3);
        script.read(1, 2, 4);
        script.complete(slow, 2, Some(3));
        assert_eq!(script.verdict_on(&promising(Counter::G)), []);
        script.read(1, 3, 3);
        assert_eq!(script.verdict(Counter::G), []);
        let caught = script.verdict_on(&promising(Counter::G));
        assert_eq!(caught, [Check::MonotonicReadsAcrossCrashes]);
        assert_eq!(script.verdict_on(&promising(Counter::Pn)), []);
    }

    #[test]
    fn concurrent_reads_may_come_in_any_order() {
        let mut script = Script::default();
        let add = script.invoke(0, 1, Request::add(3));
        let slow = script.invoke(1, 1, Request::read());
        script.complete(add, 1, None);
        script.read(2, 1, 3);
        script.complete(slow, 1, Some(0));
        assert_eq!(script.verdict(Counter::G), []);
    }

    #[test]
    fn an_add_that_was_acknowledged_is_missing() {
        let mut script = Script::default();
        script.add(0, 1, 3);
        script.read(1, 2, 0);
        assert_eq!(script.verdict(Counter::G), [], "another incarnation");
        script.read(1, 1, 2);
        assert_eq!(script.verdict(Counter::G), [Check::OwnAdds]);
        assert_eq!(script.verdict(Counter::Pn), []);
    }

    #[test]
    fn a_read_of_more_than_all_adds_is_caught() {
        let mut script = Script::default();
        script.read(0, 1, 1);
        assert_eq!(script.verdict(Counter::G), [Check::ImpossibleReads]);

        let mut script = Script::default();
        script.add(0, 1, -3);
        let add = script.invoke(1, 1, Request::add(4));
        script.read(0, 1, 4);
        script.read(0, 1, -3);
        script.complete(add, 1, None);
        assert_eq!(script.verdict(Counter::Pn), []);
        script.read(0, 1, -4);
        assert_eq!(script.verdict(Counter::Pn), [Check::ImpossibleReads]);
    }
}
