//! What came out of a run, for people and for programs.

mod errors;
mod heals;
mod html;
mod latencies;
mod overhead;
mod rate;
mod summary;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

pub use self::errors::ErrorCount;
pub use self::latencies::Latencies;
pub use self::overhead::Overhead;
pub(crate) use self::overhead::OverheadRecorder;
pub use self::rate::Rate;

use crate::answer::Answer;
use crate::check::{Check, Ranges, Sums, Violations, ok_fraction};
use crate::history::{History, Operation, Outcome};
use crate::nemesis::Fault;
use crate::network::Journal;
use crate::plan::Plan;
use crate::trace::Trace;
use crate::workload::Workload;

/// The outcome of a run. `Display` gives the summary for people, `Serialize` the same for programs (times in seconds).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Whether no rule was broken.
    pub valid: bool,
    /// Whether the run was broken off: then nothing was judged that the end of a run shows.
    pub interrupted: bool,
    /// What was to be done.
    pub plan: Plan,
    /// Whether as many requests were sent as the plan asks for.
    pub rate: Rate,
    /// How the operations went.
    pub operations: Operations,
    /// The errors that nodes answered with, most frequent first, at most ten kinds.
    pub errors: Vec<ErrorCount>,
    /// How long the successful operations took, by kind.
    pub latencies: BTreeMap<&'static str, Latencies>,
    /// What the bench itself adds to them (child processes only).
    pub overhead: Option<Overhead>,
    /// How much was sent.
    pub messages: Messages,
    /// What went wrong on purpose, and when.
    pub faults: Vec<FaultWindow>,
    /// Time from the last heal until all nodes showed the same value for good, to 0.1 s; `None` if they never did. Without
    /// [`Plan::probes`] the time until the final reads, if these agree.
    #[serde(serialize_with = "optional_seconds")]
    pub convergence: Option<Duration>,
    /// What each worker's node answered in the end, in the order of the workers.
    pub final_reads: Vec<FinalRead>,
    /// Sum of the acknowledged adds.
    pub acknowledged: i64,
    /// How many of these count as indeterminate, by the nodes' own claim: see [`Durability`](crate::Durability).
    pub excused: u64,
    /// Every sum that the final reads may show, as closed ranges.
    pub possible: Ranges,
    /// The same without what was refused for certain, and what came to a process that was down.
    pub strictly_possible: Ranges,
    /// The rules that were broken.
    pub violations: Violations,
    /// What the strict checks found that do not count: see [`Plan::strict`].
    pub remarks: Violations,
    /// What each node's process used (child processes only).
    pub nodes: Vec<NodeUsage>,
    /// Everything that happened. Not part of the JSON document.
    #[serde(skip)]
    pub history: History,
    /// What the bench's own reads after the last heal showed. Not part of the JSON document.
    #[serde(skip)]
    pub probes: Vec<ProbedValue>,
    /// The messages, if the plan said to keep them. Not part of the JSON document.
    #[serde(skip)]
    pub trace: Option<Trace>,
}

/// Counts of operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Operations {
    /// All, the final reads included, the bench's own probes not.
    pub count: u64,
    /// Those that succeeded.
    pub ok: u64,
    /// Those that may have happened or not: no answer, an error, or a malformed answer.
    pub indeterminate: u64,
    /// Of these: those that got no answer in 5 s.
    pub timeouts: u64,
    /// Of these: those that got an error that says "did not happen".
    pub refused: u64,
    /// `ok` of `count`; 1 if there were none.
    pub ok_fraction: f64,
}

/// Counts of messages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Messages {
    /// By class.
    #[serde(flatten)]
    pub journal: Journal,
    /// Messages between servers (services included) for each operation.
    pub server_messages_per_op: f64,
    /// Bytes between servers (services included) for each operation.
    pub server_bytes_per_op: f64,
}

/// A time in which something was wrong on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultWindow {
    /// The kind of fault.
    pub fault: Fault,
    /// What and whom it hit.
    pub detail: String,
    /// When it began, since the start of the run.
    #[serde(serialize_with = "seconds")]
    pub from: Duration,
    /// When it ended.
    #[serde(serialize_with = "optional_seconds")]
    pub until: Option<Duration>,
    /// Time from then until every node had let read at least what had been acknowledged by then, as far as the clients'
    /// own reads tell (counters that only grow).
    #[serde(serialize_with = "optional_seconds")]
    pub caught_up: Option<Duration>,
}

/// The read with which a worker ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalRead {
    /// The node asked.
    pub node: usize,
    /// What it answered, if it did: a counter's value, or how many elements a set has.
    pub value: Option<i64>,
}

/// A new value that a node showed to the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbedValue {
    /// The node asked.
    pub node: usize,
    /// When it answered.
    pub at: Duration,
    /// What it answered.
    pub value: i64,
}

/// What a node's processes used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeUsage {
    /// Its name.
    pub node: String,
    /// Lives of its process.
    pub incarnations: u32,
    /// Peak resident memory of the node in any of them, in KiB; `None` where the system does not tell.
    ///
    /// A node is the process that was started and all that this starts. Ten times a second, and before the bench ends the
    /// node, the peaks (`VmHWM`) of the processes that there are then are added up; this is the largest such sum. So it is
    /// an upper bound on what they had at once, and memory that processes share counts for each of them. A process that
    /// lived between two looks for processes, a second apart, is not in it.
    pub max_rss_kb: Option<u64>,
    /// Where it wrote its log.
    pub log: Option<String>,
}

impl Report {
    pub(crate) fn new(
        plan: Plan,
        history: History,
        sums: Sums,
        violations: Violations,
        journal: Journal,
    ) -> Self {
        let operations = Operations::of(&history);
        Self {
            valid: violations.counts().is_empty(),
            interrupted: false,
            rate: Rate::default(),
            overhead: None,
            messages: Messages::of(journal, operations.count),
            errors: errors::count(&history),
            latencies: Latencies::by_kind(&history),
            final_reads: final_reads(&history),
            acknowledged: sums.acknowledged,
            excused: sums.excused,
            possible: sums.possible,
            strictly_possible: sums.honest,
            nodes: Vec::new(),
            plan,
            operations,
            faults: Vec::new(),
            convergence: None,
            violations,
            remarks: Violations::default(),
            history,
            probes: Vec::new(),
            trace: None,
        }
    }
}

impl Report {
    /// Adds the faults, and notes when each node had caught up after them.
    pub(crate) fn add_faults(&mut self, mut faults: Vec<FaultWindow>) {
        if self.plan.workload == Workload::GCounter {
            heals::note_catch_up(&mut faults, &self.history, self.plan.node_count);
        }
        self.faults = faults;
    }

    /// Adds what the processes used, and judges it.
    pub(crate) fn add_usage(&mut self, nodes: Vec<NodeUsage>) {
        let bound = self.plan.max_rss_mb.map(|mb| mb.saturating_mul(1024));
        for node in &nodes {
            let used = node.max_rss_kb.zip(bound).filter(|(used, bound)| used > bound);
            if let Some((used, bound)) = used {
                let text = format!("{} took {used} KiB of memory, {bound} are allowed", node.node);
                self.violations.record(Check::Memory, None, text);
                self.valid = false;
            }
        }
        self.nodes = nodes;
    }
}

impl Operations {
    fn of(history: &History) -> Self {
        let mut counts = Self::default();
        for operation in history.operations() {
            counts.count += 1;
            match operation.outcome() {
                Some(Outcome::Ok(_)) => counts.ok += 1,
                Some(Outcome::Timeout) => counts.timeouts += 1,
                Some(Outcome::Refused { definite: true, .. }) => counts.refused += 1,
                Some(Outcome::Refused { definite: false, .. } | Outcome::Malformed(_)) | None => {}
            }
        }
        counts.indeterminate = counts.count - counts.ok;
        counts.ok_fraction = ok_fraction(counts.ok, counts.count);
        counts
    }
}

impl Messages {
    #[expect(clippy::cast_precision_loss, reason = "counts of messages are far below 2^52")]
    fn of(journal: Journal, operations: u64) -> Self {
        let per_op = |count: u64| if operations == 0 { 0.0 } else { count as f64 / operations as f64 };
        Self {
            server_messages_per_op: per_op(journal.servers.sent),
            server_bytes_per_op: per_op(journal.servers.bytes),
            journal,
        }
    }
}

fn final_reads(history: &History) -> Vec<FinalRead> {
    let finals = history.operations().iter().filter(|operation| operation.is_final);
    finals.map(|read| FinalRead { node: read.node, value: value_of(read) }).collect()
}

fn value_of(read: &Operation) -> Option<i64> {
    match read.outcome() {
        Some(Outcome::Ok(Answer::Elements(elements))) => i64::try_from(elements.count()).ok(),
        _ => read.value(),
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    duration.as_secs_f64().serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn optional_seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}
