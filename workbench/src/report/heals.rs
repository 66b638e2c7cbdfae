//! How soon after each heal every node showed all adds that were acknowledged before it, as far as ordinary reads tell.

use std::ops::Range;
use std::time::Duration;

use super::FaultWindow;
use crate::history::{History, Operation};

/// Notes these times in the windows. It works only for counters that grow: there a read shows all acknowledged adds if it
/// is at least their sum.
pub(super) fn note_catch_up(windows: &mut [FaultWindow], history: &History, nodes: &Range<usize>) {
    for window in windows {
        window.caught_up = window.until.and_then(|healed| catch_up(history, nodes, healed));
    }
}

/// The slowest node's time. `None` if some node was not seen to catch up while operations went on.
fn catch_up(history: &History, nodes: &Range<usize>, healed: Duration) -> Option<Duration> {
    let operations = || history.operations().iter().filter(|operation| !operation.is_final);
    let target: i64 =
        operations().filter(|add| add.ended().is_some_and(|at| at <= healed)).filter_map(acknowledged).sum();
    let first_on = |node: usize| {
        let reads = operations().filter(|read| read.node == node && read.invoked >= healed);
        reads
            .filter(|read| read.value().is_some_and(|value| value >= target))
            .filter_map(Operation::ended)
            .min()
    };
    let slowest = nodes.clone().map(first_on).collect::<Option<Vec<Duration>>>()?.into_iter().max()?;
    Some(slowest.saturating_sub(healed))
}

fn acknowledged(operation: &Operation) -> Option<i64> {
    operation.request.delta().filter(|_| operation.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::history::{Completion, Outcome};
    use crate::workload::Request;

    fn operation(node: usize, request: Request, at: u64, answer: Answer) -> Operation {
        let at = Duration::from_secs(at);
        let completion = Some(Completion { at, incarnation: 1, outcome: Outcome::Ok(answer) });
        Operation {
            process: 0,
            worker: 0,
            node,
            incarnation: 1,
            request,
            is_final: false,
            invoked: at,
            completion,
        }
    }

    #[test]
    fn the_slowest_node_counts() {
        let mut history = History::default();
        for done in [
            operation(0, Request::add(5), 1, Answer::Done),
            operation(1, Request::read(), 2, Answer::Integer(5)),
            operation(0, Request::add(3), 11, Answer::Done),
            operation(0, Request::read(), 12, Answer::Integer(8)),
            operation(1, Request::read(), 13, Answer::Integer(4)),
            operation(1, Request::read(), 14, Answer::Integer(5)),
        ] {
            history.invoke(done);
        }
        assert_eq!(catch_up(&history, &(0..2), Duration::from_secs(10)), Some(Duration::from_secs(4)));
        assert_eq!(catch_up(&history, &(0..3), Duration::from_secs(10)), None);
        assert_eq!(catch_up(&history, &(0..2), Duration::from_secs(11)), None);
    }
}
