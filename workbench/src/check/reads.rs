//! The checks of reads while the run goes on. Maelstrom does not judge these reads.

use std::collections::BTreeMap;

use super::{Check, Violations};
use crate::answer::Answer;
use crate::envelope::short;
use crate::history::{History, Moment, Operation};
use crate::plan::Plan;
use crate::workload::{Counter, Counting};

/// Judges every read against the moments before it, in their order.
pub(crate) fn check_reads(history: &History, plan: &Plan, violations: &mut Violations) {
    let grows = plan.workload.counter() == Some(Counter::G);
    let survives = plan.promises.reads_survive_crashes;
    let mut state = Watch { grows, survives, ..Watch::default() };
    for moment in history.moments() {
        match *moment {
            Moment::Invoked(number) => {
                if let Some(operation) = history.operations().get(number) {
                    state.invoked(number, operation);
                }
            }
            Moment::Completed(number) => {
                if let Some(operation) = history.operations().get(number) {
                    state.completed(number, operation, violations);
                }
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
    read: BTreeMap<Incarnation, i64>,
    /// The largest value that a read on the node has shown.
    read_in_any_incarnation: BTreeMap<usize, i64>,
    /// The sum of each worker's adds that the incarnation has acknowledged.
    added: BTreeMap<(usize, Incarnation), i64>,
    /// The least values that each pending read must show.
    floors: BTreeMap<usize, Floors>,
}

/// The three above, at the time the read was invoked.
#[derive(Clone, Copy)]
struct Floors {
    read: i64,
    read_in_any_incarnation: i64,
    added: i64,
}

impl Watch {
    fn invoked(&mut self, number: usize, operation: &Operation) {
        match operation.request.get() {
            Some(Counting::Add(delta)) if *delta < 0 => self.invoked.0 += delta,
            Some(Counting::Add(delta)) => self.invoked.1 += delta,
            Some(Counting::Read) => {
                let incarnation = (operation.node, operation.incarnation);
                let or_any = |floor: Option<&i64>| floor.copied().unwrap_or(i64::MIN);
                let read = or_any(self.read.get(&incarnation));
                let read_in_any_incarnation = or_any(self.read_in_any_incarnation.get(&operation.node));
                let added = or_any(self.added.get(&(operation.worker, incarnation)));
                self.floors.insert(number, Floors { read, read_in_any_incarnation, added });
            }
            None => {}
        }
    }

    fn completed(&mut self, number: usize, operation: &Operation, violations: &mut Violations) {
        let floors = self.floors.remove(&number);
        let incarnation = (operation.node, operation.incarnation);
        let same_incarnation =
            operation.completion.as_ref().is_some_and(|end| end.incarnation == operation.incarnation);
        match operation.request.get() {
            Some(Counting::Add(delta)) if operation.is_ok() && same_incarnation => {
                *self.added.entry((operation.worker, incarnation)).or_default() += delta;
            }
            Some(Counting::Read) => {
                if let Some(Answer::Huge(number)) = operation.answer() {
                    let number = short(number.as_str());
                    let text = format!("n{} read {number}, which is too large for 64 bits", operation.node);
                    violations.record(Check::ImpossibleReads, operation.ended(), text);
                }
                let Some(value) = operation.value() else { return };
                self.check_possible(operation, value, violations);
                if let Some(floors) = floors.filter(|_| self.grows && same_incarnation) {
                    self.check_floors(operation, value, floors, violations);
                    raise(self.read.entry(incarnation).or_insert(value), value);
                    raise(self.read_in_any_incarnation.entry(operation.node).or_insert(value), value);
                }
            }
            Some(Counting::Add(_)) | None => {}
        }
    }

    fn check_possible(&self, read: &Operation, value: i64, violations: &mut Violations) {
        let (low, high) = self.invoked;
        if !(low..=high).contains(&value) {
            let text = format!("n{} read {value} when all adds so far made {low} to {high}", read.node);
            violations.record(Check::ImpossibleReads, read.ended(), text);
        }
    }

    fn check_floors(&self, operation: &Operation, value: i64, floors: Floors, violations: &mut Violations) {
        let node = operation.node;
        let Floors { read, read_in_any_incarnation, added } = floors;
        if value < read {
            let text = format!("n{node} read {value} after it had read {read}");
            violations.record(Check::MonotonicReads, operation.ended(), text);
        } else if self.survives && value < read_in_any_incarnation {
            let text = format!(
                "n{node} read {value} after an earlier incarnation of it had read {read_in_any_incarnation}"
            );
            violations.record(Check::MonotonicReadsAcrossCrashes, operation.ended(), text);
        }
        if value < added {
            let text = format!("n{node} read {value} to a client that it had acknowledged {added}");
            violations.record(Check::OwnAdds, operation.ended(), text);
        }
    }
}

fn raise(to: &mut i64, value: i64) {
    *to = value.max(*to);
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
        script.add(0, 1, 5);
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
        script.add(0, 1, 3);
        let slow = script.invoke(1, 1, Request::read());
        script.read(2, 1, 3);
        script.complete(slow, 1, Some(0));
        assert_eq!(script.verdict(Counter::G), []);
    }

    #[test]
    fn a_client_misses_its_own_add() {
        let mut script = Script::default();
        script.add(0, 1, 3);
        script.read(1, 1, 0);
        assert_eq!(script.verdict(Counter::G), []);
        script.read(0, 1, 2);
        assert_eq!(script.verdict(Counter::G), [Check::OwnAdds]);
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
