//! Reads that lack adds that their node has acknowledged.
//!
//! A read must show at least what an earlier read on the same incarnation of the node showed, plus the adds that were asked for after
//! that read ended and acknowledged before this one was asked for. The earlier read can't have shown these adds, and a counter that
//! only grows loses nothing in between. So if it does not, the add was lost between the two reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{History, Operation};
use crate::words::Seconds;

/// An incarnation: the node, and its number.
type Incarnation = (usize, u32);

/// A value that reads on an incarnation must show from some moment on.
#[derive(Clone, Debug)]
pub(super) struct Floor {
    value: i64,
    /// Only adds that were asked for after this place in the order of moments have raised it.
    since: usize,
    /// The read that it stands on; the start of the incarnation if there is none.
    read: Option<usize>,
    /// The adds that have raised it: the first few, and how many there were.
    adds: Vec<usize>,
    added: usize,
}

impl Floor {
    /// How many adds are told.
    const TOLD: usize = 4;

    fn of(value: i64, since: usize, read: Option<usize>) -> Self {
        Self { value, since, read, adds: Vec::new(), added: 0 }
    }

    fn raise(&mut self, add: usize, delta: i64) {
        self.value = self.value.saturating_add(delta);
        self.added += 1;
        if self.adds.len() < Self::TOLD {
            self.adds.push(add);
        }
    }
}

/// What is known of one incarnation.
#[derive(Debug, Default)]
struct Known {
    /// By `since`. Of two floors between which no pending add was asked for, only the higher one is kept: the same adds raise both.
    floors: Vec<Floor>,
    /// The places at which the adds without an answer so far were asked for.
    pending: BTreeSet<usize>,
}

impl Known {
    fn add_acknowledged(&mut self, since: usize, add: usize, delta: i64) {
        for floor in self.floors.iter_mut().filter(|floor| floor.since < since) {
            floor.raise(add, delta);
        }
    }

    /// A read showed that value. If it is below its floor this is told once: what is lost stays lost.
    fn shown(&mut self, value: i64, is_low: bool, place: usize, read: usize) {
        self.floors.retain(|floor| !is_low || floor.value <= value);
        self.floors.push(Floor::of(value, place, Some(read)));
        self.compact();
    }

    fn compact(&mut self) {
        let mut kept: Vec<Floor> = Vec::new();
        for floor in std::mem::take(&mut self.floors) {
            let is_apart = |last: &Floor| self.pending.range(last.since..floor.since).next().is_some();
            match kept.last_mut() {
                Some(last) if !is_apart(last) => {
                    if floor.value >= last.value {
                        *last = floor;
                    }
                }
                _ => kept.push(floor),
            }
        }
        self.floors = kept;
    }

    fn highest(&self) -> Option<&Floor> {
        self.floors.iter().max_by_key(|floor| (floor.value, floor.since))
    }
}

/// Follows the adds and reads of a counter that only grows.
#[derive(Debug, Default)]
pub(super) struct OwnAdds {
    known: BTreeMap<Incarnation, Known>,
    /// Where the operations that go on were asked for, and what a read must show.
    asked: BTreeMap<usize, (usize, Option<Floor>)>,
}

impl OwnAdds {
    fn of(&mut self, operation: &Operation) -> &mut Known {
        let start = || Known { floors: vec![Floor::of(0, 0, None)], pending: BTreeSet::new() };
        self.known.entry((operation.node, operation.incarnation)).or_insert_with(start)
    }

    /// An add or a read was asked for. The place is that in the order of moments, from 1.
    pub(super) fn invoked(&mut self, place: usize, number: usize, operation: &Operation) {
        let known = self.of(operation);
        let floor = if operation.request.is_read() {
            known.highest().cloned()
        } else {
            known.pending.insert(place);
            None
        };
        self.asked.insert(number, (place, floor));
    }

    /// An add ended. The delta is `None` if its incarnation did not acknowledge it.
    pub(super) fn add_ended(&mut self, number: usize, operation: &Operation, delta: Option<i64>) {
        let Some((asked, _)) = self.asked.remove(&number) else { return };
        let known = self.of(operation);
        if let Some(delta) = delta {
            known.add_acknowledged(asked, number, delta);
        }
        known.pending.remove(&asked);
        known.compact();
    }

    /// A read ended. The value is `None` if its incarnation did not answer it. Returns the floor that it is below, if adds have
    /// raised that. Without adds it is a read that went back.
    pub(super) fn read_ended(
        &mut self,
        (place, number): (usize, usize),
        operation: &Operation,
        value: Option<i64>,
    ) -> Option<Floor> {
        let ((_, floor), value) = self.asked.remove(&number).zip(value)?;
        let floor = floor.filter(|floor| value < floor.value);
        self.of(operation).shown(value, floor.is_some(), place, number);
        floor.filter(|floor| floor.added > 0)
    }
}

impl Floor {
    /// The finding about a read that is below.
    pub(super) fn tell(&self, history: &History, read: &Operation) -> String {
        let operation = |number: &usize| history.operations().get(*number);
        let before =
            self.read.as_ref().and_then(operation).and_then(|read| Some((read.value()?, read.ended()?)));
        let before = before.map_or_else(
            || "since its start it has acknowledged".to_owned(),
            |(value, at)| {
                format!("at {} it had read {value}, and since then it has acknowledged", Seconds(at))
            },
        );
        let mut adds: Vec<String> = self.adds.iter().filter_map(operation).map(Operation::answered).collect();
        if self.added > adds.len() {
            adds.push(format!("and {} more", self.added - adds.len()));
        }
        let (node, value) = (read.node, read.value().unwrap_or_default());
        format!(
            "n{node} read {value}, but {} is the least that is right: {before} {}",
            self.value,
            adds.join(", ")
        )
    }
}

#[cfg(test)]
mod tests;
