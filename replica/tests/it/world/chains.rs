//! All counts of a replica, wherever they are held, are a chain: of any two, the larger has all the adds of the smaller.
//!
//! That holds for its increments, and for its decrements. A frame may bring one without the other, so not for both at once.
//! And it holds among those who are heard: a process of a forgotten node is not asked what it holds, and must end.

use std::collections::BTreeMap;

use replica::store::Record;
use replica::{ReplicaId, Tally};

use super::ledger::{Checked, View, name};
use super::process::Process;

/// Judges all counts that records and processes hold now. Each add has a digit to itself, so a count is a set of adds.
pub(crate) fn check(view: &View<'_>) -> Checked {
    let mut counts: BTreeMap<(&ReplicaId, bool), Vec<(u64, String)>> = BTreeMap::new();
    let mut note = |replica, tally: Tally, holder: &str| {
        for (is_up, count) in [(true, tally.up), (false, tally.down)] {
            counts.entry((replica, is_up)).or_default().push((count, holder.to_owned()));
        }
    };
    for (node, record) in view.store.all() {
        let holder = format!("the record of {}", name(node));
        record.rows.iter().chain(&record.hints).for_each(|(replica, tally)| note(replica, *tally, &holder));
    }
    let is_forgotten =
        |process: &Process| view.store.record(&name(process.node)).is_some_and(Record::is_sealed);
    let heard = |process: &&Process| process.is_there() && !is_forgotten(process);
    for process in view.processes.iter().filter(heard) {
        let replica = &process.replica;
        let holder = format!("process {} of {}", replica.incarnation(), name(process.node));
        note(replica.id(), replica.counted(), &holder);
        replica.state().iter().for_each(|(row, counts)| note(row, counts.into(), &holder));
    }
    for ((replica, _), mut counts) in counts {
        counts.sort();
        if let Some(pair) = counts.windows(2).find(|pair| pair[0].0 & !pair[1].0 != 0) {
            let [(smaller, in_one), (larger, in_other)] = pair else { unreachable!() };
            return Err(format!(
                "two counts of {replica} are no chain: {smaller:x} in {in_one} and {larger:x} in {in_other}"
            ));
        }
    }
    Ok(())
}
