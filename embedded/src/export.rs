//! Exporting all counters, as lines of JSON.
//!
//! The first line says what the file is. Then come the counters of each replica, one a line, and the line that ends the
//! replica. Its number says up to which change of the replica the lines are complete.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crdt::named::EntryRef;
use replica::{ReplicaId, RowDelta, Rows};
use serde::{Deserialize, Serialize};

use crate::shared::Shared;

/// The format of the lines.
pub(crate) const FORMAT: u32 = 1;

/// So many counters are read at a time.
const PAGE: u32 = 1_000;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Line {
    /// The first one.
    Begin {
        format: u32,
        /// The node that exports.
        node: String,
    },
    /// A counter of a replica.
    Counter(CounterLine),
    /// The lines of a replica end.
    End {
        replica: String,
        /// They are complete up to this change.
        complete_to: u64,
    },
}

/// What a replica has counted for a counter.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CounterLine {
    pub(crate) replica: String,
    pub(crate) slot: u32,
    /// The number of the last change.
    pub(crate) number: u64,
    pub(crate) counter: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) up: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) down: u64,
    /// The totals of sources.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) sources: BTreeMap<String, u64>,
    /// What resets have seen: of each replica, and of each source.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) reset: BTreeMap<String, (u64, u64)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) reset_sources: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// All that a node holds, line by line: see [`Counters::export`](crate::Counters::export). Each item has some lines, with
/// their ends.
///
/// It reads a thousand counters at a time, so adds go on meanwhile.
#[derive(Debug)]
pub struct Export {
    shared: Arc<Shared>,
    has_begun: bool,
    replicas: VecDeque<ReplicaId>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    replica: ReplicaId,
    slot: u32,
    /// The version of the row when its first line was read. What has changed since is read at the end once more.
    from: u64,
}

impl Export {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, has_begun: false, replicas: VecDeque::new(), current: None }
    }
}

impl Iterator for Export {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let engine = self.shared.lock()?;
        let rows = engine.rows();
        let mut lines = String::new();
        if !self.has_begun {
            self.has_begun = true;
            self.replicas = rows.versions().counter().keys().cloned().collect();
            push(&mut lines, &Line::Begin { format: FORMAT, node: engine.status.node.clone() });
            return Some(lines);
        }
        let begin = |replica: ReplicaId| Current { from: rows.version(&replica), replica, slot: 0 };
        let mut current = self.current.take().or_else(|| self.replicas.pop_front().map(begin))?;
        let slots = rows.slots(&current.replica);
        if current.slot < slots {
            let upto = slots.min(current.slot.saturating_add(PAGE));
            for slot in current.slot..upto {
                if let Some(line) = line(rows, &current.replica, slot) {
                    push(&mut lines, &Line::Counter(line));
                }
            }
            current.slot = upto;
            self.current = Some(current);
            return Some(lines);
        }
        let since = rows.row_since(&current.replica, current.from);
        for item in since.iter().flat_map(RowDelta::items) {
            if let Some(line) = line(rows, &current.replica, item.slot) {
                push(&mut lines, &Line::Counter(line));
            }
        }
        let complete_to = rows.version(&current.replica);
        push(&mut lines, &Line::End { replica: current.replica.to_string(), complete_to });
        Some(lines)
    }
}

fn line(rows: &Rows, replica: &ReplicaId, slot: u32) -> Option<CounterLine> {
    let EntryRef { up, down, more } = rows.entry(replica, slot)?;
    let number = rows.number(replica, slot)?;
    let counter = rows.name_of(replica, slot)?.to_owned();
    let mut line = CounterLine {
        replica: replica.to_string(),
        slot,
        number,
        counter,
        up,
        down,
        sources: BTreeMap::new(),
        reset: BTreeMap::new(),
        reset_sources: BTreeMap::new(),
    };
    if let Some(more) = more {
        let map = |totals: &crdt::GCounter<Arc<str>>| {
            totals.iter().map(|(source, total)| (source.to_string(), total)).collect()
        };
        line.sources = map(&more.totals);
        line.reset_sources = map(&more.baseline.totals);
        let counts = &more.baseline.counts;
        let seen = counts.keys().map(|replica| (replica.to_string(), counts.counts(replica)));
        line.reset = seen.collect();
    }
    Some(line)
}

fn push(lines: &mut String, line: &Line) {
    // A line has no map whose keys are not texts, so there is nothing that can fail.
    lines.push_str(&serde_json::to_string(line).unwrap_or_default());
    lines.push('\n');
}
