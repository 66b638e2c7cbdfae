//! Wherever a row is, it is exactly what its replica had counted at its version: see [`past`](super::past).
//!
//! That holds among those who are heard: a process of a forgotten node is not asked what it holds, and must end.

use crdt::Merge;
use replica::store::{Record, StoreRequest};
use replica::{Effect, Inquiry, RowDelta};

use super::World;
use super::ledger::{Checked, name};
use super::past::Versions;
use super::process::Process;

impl World {
    fn is_heard(&self, process: usize) -> bool {
        let node = name(self.processes[process].node);
        !self.records.record(&node).is_some_and(Record::is_sealed)
    }

    /// Checks all rows that a process tells its peers and the store.
    pub(super) fn check_told(&mut self, process: usize, effects: &[Effect]) -> Checked {
        let mut rows = effects.iter().flat_map(told).peekable();
        if rows.peek().is_some() { self.check_rows(process, rows) } else { Ok(()) }
    }

    /// Checks what has changed in the rows that a process shows.
    pub(super) fn check_shown(&mut self, process: usize) -> Checked {
        let Process { replica, counting, .. } = &self.processes[process];
        let state = replica.state();
        if *state.versions() == counting.shown {
            return Ok(());
        }
        if !state.versions().covers(&counting.shown) {
            return Err("a version of a row went back".into());
        }
        let (rows, shown) = (state.delta_since(&counting.shown), state.versions().clone());
        self.check_rows(process, rows.iter())?;
        self.processes[process].counting.shown = shown;
        Ok(())
    }

    /// Checks rows of a process. Of one that may have been forgotten only its own: nobody else counts under that replica.
    fn check_rows<'a>(&mut self, process: usize, mut rows: impl Iterator<Item = &'a RowDelta>) -> Checked {
        let is_heard = self.is_heard(process);
        let Self { processes, past, .. } = self;
        let own = &processes[process].counting.under;
        rows.try_for_each(|row| if is_heard || row.actor() == own { past.check(row) } else { Ok(()) })
    }

    /// Checks all rows that records and processes hold.
    pub(super) fn check_all(&mut self) -> Checked {
        let heard: Vec<usize> = (0..self.processes.len())
            .filter(|at| self.processes[*at].is_there() && self.is_heard(*at))
            .collect();
        for process in heard {
            let replica = &self.processes[process].replica;
            let rows = replica.state().delta_since(&Versions::new());
            let told = rows.iter().try_for_each(|row| self.past.check(row));
            told.map_err(|problem| format!("process {}: {problem}", replica.incarnation()))?;
        }
        self.check_records()
    }

    /// Checks all rows that records hold.
    pub(super) fn check_records(&mut self) -> Checked {
        let Self { records, past, .. } = self;
        for (node, record) in records.all() {
            let mut rows = record.rows.values().chain(record.hints.values());
            let checked = rows.try_for_each(|row| past.check(row));
            checked.map_err(|problem| format!("the record of {}: {problem}", name(node)))?;
        }
        Ok(())
    }
}

/// The rows that are told with an effect.
fn told(effect: &Effect) -> impl Iterator<Item = &RowDelta> {
    let (rows, more): (&[RowDelta], &[RowDelta]) = match effect {
        Effect::Send { frame, .. } => match &frame.inquiry {
            // A row that is too long to be told has no items.
            Some(Inquiry::Holds(row)) if !row.is_empty() => (&frame.claim.rows, std::slice::from_ref(row)),
            Some(Inquiry::Holds(_) | Inquiry::Asks(..) | Inquiry::Surveys(_) | Inquiry::Shows(_)) | None => {
                (&frame.claim.rows, &[])
            }
        },
        Effect::Store { request: StoreRequest::Commit { changes, .. }, .. } => {
            (&changes.rows, &changes.hints)
        }
        Effect::Store { request: StoreRequest::Seal { rows, .. }, .. } => (rows, &[]),
        Effect::Store { .. } | Effect::Reply { .. } | Effect::Done => (&[], &[]),
    };
    rows.iter().chain(more)
}
