//! What processes and the store hold, and what the [ledger](crate::ledger) says of it.

use replica::{ReplicaId, RowDelta};

use crate::adds::adds_in;
use crate::cluster::Cluster;
use crate::ledger::{Ledger, has_whole_batches};
use crate::printed::Printed;
use crate::process::Process;
use crate::rules::{Broken, Rule};
use crate::setup::Setup;
use crate::state::State;

impl State {
    /// The changes that the store holds.
    pub(crate) fn stored(&self, setup: &Setup) -> u64 {
        if setup.is_named() {
            self.ledger.up_to(|replica| self.store.version(replica))
        } else {
            adds_in(self.store.sizes())
        }
    }

    /// The changes that a process holds and shows.
    pub(crate) fn shown_by(&self, process: &Process, setup: &Setup) -> u64 {
        if setup.is_named() { self.ledger.included(process.state()) } else { adds_in(process.sizes()) }
    }

    /// The changes that a process or the store holds, shown or not.
    pub(crate) fn anywhere(&self, setup: &Setup) -> u64 {
        if !setup.is_named() {
            return self.sums().into_iter().fold(0, |all, sum| all | adds_in(sum));
        }
        let held = |process: &Printed<Process>| {
            let own = |replica: &ReplicaId| if replica == process.replica() { process.number() } else { 0 };
            self.shown_by(process, setup) | self.ledger.up_to(own)
        };
        self.processes.iter().map(held).fold(self.stored(setup), |all, held| all | held)
    }

    /// Compares all rows, and what they show, with the ledger.
    pub(crate) fn judge_rows(&mut self, cluster: &Cluster) {
        if !cluster.setup.is_named() {
            return;
        }
        let ledger = self.ledger.fingerprint();
        for process in &self.processes {
            let key = (process.fingerprint(), ledger);
            let broken = cluster.audits.get(key, || audit_process(process, &self.ledger, &cluster.setup));
            self.broken.extend(&broken);
        }
        let key = (self.store.fingerprint(), ledger);
        let broken = cluster.audits.get(key, || audit(self.store.deltas(), &self.ledger, &cluster.setup));
        self.broken.extend(&broken);
    }
}

/// The rules that a process's rows break.
fn audit_process(process: &Process, ledger: &Ledger, setup: &Setup) -> Broken {
    let rows = process.state();
    let whole = rows.versions().counter().keys().filter_map(|replica| rows.row_since(replica, 0));
    let mut broken = audit(whole.collect::<Vec<_>>().iter(), ledger, setup);
    let included = ledger.included(rows);
    let counters = setup.counters();
    if counters.iter().any(|counter| rows.value(counter) != ledger.value(counter, included, setup)) {
        broken.insert(Rule::Value);
    }
    broken
}

/// The rules that rows break.
fn audit<'a>(rows: impl Iterator<Item = &'a RowDelta>, ledger: &Ledger, setup: &Setup) -> Broken {
    let mut broken = Broken::new();
    for row in rows {
        if !ledger.is_exact(row, setup) {
            broken.insert(Rule::Exact);
        }
        if !has_whole_batches(row, setup) {
            broken.insert(Rule::Whole);
        }
    }
    broken
}
