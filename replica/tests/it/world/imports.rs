//! What processes show is exported, and imported again: now or later, there or elsewhere. And what another cluster has counted.

use std::collections::BTreeMap;

use rand::RngExt;
use replica::{AckPolicy, Change, Input, ReplicaId, RowDelta};

use super::ledger::{Checked, Counted};
use super::past::Versions;
use super::{ANSWER_WITHIN, Sabotage, World};

impl World {
    /// All that a process shows is exported.
    pub(super) fn export(&mut self, node: usize) {
        if let Some(process) = self.one_of(node) {
            let rows = self.processes[process].replica.state().delta_since(&Versions::new());
            self.exports.push(rows);
        }
    }

    /// A process is to import something that was exported, here or elsewhere.
    pub(super) fn import(&mut self, node: usize) -> Checked {
        let rows = match self.rng.random_range(0..=self.exports.len()) {
            0 => self.counted_elsewhere(),
            export => self.exports[export - 1].clone(),
        };
        let Some(process) = self.one_of(node) else { return Ok(()) };
        let versions = rows.iter().map(|row| (row.actor().clone(), row.upto())).collect();
        let ticket = self.ledger.import(process, node, versions);
        let answer_by = self.now + ANSWER_WITHIN;
        self.tell(process, Input::Import { ticket, answer_by, rows })?;
        if self.sabotage == Sabotage::AcknowledgesImportAtOnce {
            return self.answered(process, ticket, &Ok(replica::Reply::Counted));
        }
        Ok(())
    }

    /// A replica of another cluster has counted some more. What it had counted at some time.
    fn counted_elsewhere(&mut self) -> Vec<RowDelta> {
        let replica: ReplicaId = ["x0#0000000a", "x1#0000000b"][self.rng.random_range(0..2)].parse().unwrap();
        for _ in 0..self.rng.random_range(1..5) {
            let name = self.plan.draw_name(&mut self.rng);
            let change = Change::Add(name, self.rng.random_range(1..9));
            let made = self.past.outcome(&replica, &change, &Versions::new());
            self.past.count(&replica, made.entries);
            let number = self.past.number(&replica);
            let (told, observed) = (made.told, BTreeMap::new());
            self.ledger.count_elsewhere(
                change,
                Counted {
                    replica: replica.clone(),
                    number,
                    is_change: true,
                    is_batch: false,
                    told,
                    seen: None,
                    observed,
                },
            );
        }
        let upto = self.rng.random_range(1..=self.past.number(&replica));
        vec![self.past.row(&replica, upto)]
    }

    /// An import is acknowledged: all of it must be in the record of its node, or in those of the nodes that have counted it.
    pub(super) fn is_import_stored(&self, node: usize, versions: &Versions) -> Checked {
        if self.plan.config.ack == AckPolicy::Memory {
            return Ok(());
        }
        let records = &self.records;
        let mut rows = versions.counter().iter();
        if rows.all(|(replica, version)| {
            records.was_stored(replica, version) || records.has(node, replica, version)
        }) {
            return Ok(());
        }
        Err("an import was acknowledged before it was stored".into())
    }
}
