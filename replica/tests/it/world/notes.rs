//! Each note is in the record if and only if its change is.

use replica::AckPolicy;

use super::World;
use super::ledger::{Checked, name};
use super::plan::Kind;

impl World {
    /// Checks the notes in a record. When records go back, rows return from peers, and notes don't. And with
    /// `AckPolicy::Memory` peers hear of a change before it is stored.
    pub(super) fn check_notes(&self, node: usize) -> Checked {
        if self.plan.has(Kind::Backs) {
            return Ok(());
        }
        let records = &self.records;
        for (id, counted) in self.ledger.noted(node) {
            let is_there = records.record(&name(node)).is_some_and(|record| counted.is_recorded(record));
            match records.note(node, id) {
                Some(_) if !is_there => return Err(format!("note {id} is in the record without its change")),
                None if is_there && self.plan.config.ack != AckPolicy::Memory => {
                    return Err(format!("note {id} is not in the record, and its change is"));
                }
                Some(value) if !counted.has_noted(value) => {
                    return Err(format!(
                        "note {id} says {value}, and its change was counted so: {counted:?}"
                    ));
                }
                Some(_) | None => {}
            }
        }
        match records.notes(node).find(|id| self.ledger.noted(node).all(|(counted, _)| counted != *id)) {
            Some(id) => Err(format!("note {id} is in the record, and its change was never counted")),
            None => Ok(()),
        }
    }
}
