//! Says what became of adds that the final reads of a counter lack.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use super::{Sums, node_names};
use crate::history::{Death, History, Operation};
use crate::words::Seconds;

/// Why some nodes lack acknowledged adds, as far as the history tells it. Begins with `; ` if there is anything to tell.
pub(super) fn explain(history: &History, sums: &Sums, value: i64, nodes: &BTreeSet<usize>) -> String {
    let names = node_names(nodes);
    if nodes.iter().all(|node| has_only_its_own(history, *node, value)) {
        return format!(
            "; that is just what {names} acknowledged, so no add of the other nodes is counted there"
        );
    }
    if let Some((most, others)) = most(history).filter(|(most, _)| *most > value) {
        let (others, lost) =
            (node_names(&others), if sums.possible.contains(most) { "nothing" } else { "not all of it" });
        return format!("; {others} read {most}, so {lost} is lost, but {names} did not know of all");
    }
    let mut text = String::new();
    if let Some((high, before, low, after)) = fall(history, value) {
        let (node, before, after) = (before.node, told_end(before), told_end(after));
        text = format!("; n{node} read {high}{before}, and {low}{after}");
    } else if let Some((value, read)) = last_complete(history) {
        text = format!("; the last read that lacked nothing was of {value} on {}", read.place());
    }
    let (sum, ended) = gone_with_processes(history);
    if sum > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, "; {sum} was acknowledged by processes that ended later: {ended}");
    }
    text
}

fn told_end(operation: &Operation) -> String {
    operation.ended().map_or_else(String::new, |at| format!(" at {}", Seconds(at)))
}

/// The greatest value of the final reads, and its nodes.
fn most(history: &History) -> Option<(i64, BTreeSet<usize>)> {
    let mut finals: BTreeMap<i64, BTreeSet<usize>> = BTreeMap::new();
    for read in history.operations().iter().filter(|operation| operation.is_final) {
        if let Some(value) = read.value() {
            finals.entry(value).or_default().insert(read.node);
        }
    }
    finals.pop_last()
}

/// The last read that showed no less than what had been acknowledged before it was asked for. Not the trivial ones of nothing.
fn last_complete(history: &History) -> Option<(i64, &Operation)> {
    let mut adds: Vec<(Duration, i64)> =
        acknowledged(history).filter_map(|(add, delta)| Some((add.ended()?, delta))).collect();
    adds.sort_unstable();
    let (mut next, mut sum) = (adds.into_iter().peekable(), 0);
    let mut last = None;
    // Operations stand in the order of their invocation.
    for read in history.operations() {
        while let Some((_, delta)) = next.next_if(|(ended, _)| *ended < read.invoked) {
            sum += delta;
        }
        last = read.value().filter(|value| sum > 0 && *value >= sum).map(|value| (value, read)).or(last);
    }
    last
}

fn acknowledged(history: &History) -> impl Iterator<Item = (&Operation, i64)> {
    let operations = history.operations().iter().filter(|operation| operation.is_ok());
    operations.filter_map(|add| Some((add, add.request.delta()?)))
}

/// Whether the value is what that node has acknowledged, and others have acknowledged more.
fn has_only_its_own(history: &History, node: usize, value: i64) -> bool {
    let (mut own, mut others) = (0, 0);
    for (add, delta) in acknowledged(history) {
        *(if add.node == node { &mut own } else { &mut others }) += delta;
    }
    own == value && others > 0
}

/// Two reads on one node, one after the other, of which the later one showed less: those with the greatest difference. Only a fall from
/// more than the final value tells something.
fn fall(history: &History, value: i64) -> Option<(i64, &Operation, i64, &Operation)> {
    let reads = history.operations().iter().filter_map(|read| Some((read.ended()?, read.value()?, read)));
    let mut reads: Vec<(Duration, i64, &Operation)> = reads.collect();
    reads.sort_by_key(|(ended, ..)| *ended);
    let mut last: BTreeMap<usize, (i64, &Operation)> = BTreeMap::new();
    let mut falls = Vec::new();
    for (_, low, after) in reads {
        if let Some((high, before)) = last.insert(after.node, (low, after)) {
            falls.push((high, before, low, after));
        }
    }
    falls.retain(|(high, _, low, _)| high > low && *high > value);
    falls.into_iter().max_by_key(|(high, _, low, _)| high - low)
}

/// What processes acknowledged that ended later, and when these ended.
fn gone_with_processes(history: &History) -> (i64, String) {
    const TOLD: usize = 4;
    let gone = |add: &Operation| {
        let ended = |death: &&Death| death.node == add.node && Some(death.at) >= add.ended();
        history.deaths().iter().find(ended)
    };
    let mut ends = BTreeMap::new();
    let mut sum = 0;
    for (add, delta) in acknowledged(history) {
        if let Some(death) = gone(add).filter(|_| delta != 0) {
            sum += delta;
            *ends.entry((death.at, death.node)).or_insert(0) += delta;
        }
    }
    let tell = |((at, node), delta): (&(Duration, usize), &i64)| {
        format!("{delta} by n{node}, ended at {}", Seconds(*at))
    };
    let mut told: Vec<String> = ends.iter().take(TOLD).map(tell).collect();
    if ends.len() > TOLD {
        told.push(format!("and {} others", ends.len() - TOLD));
    }
    (sum, told.join(", "))
}
