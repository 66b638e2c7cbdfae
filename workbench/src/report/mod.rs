//! The report of a run, for people and for programs.

mod errors;
mod figures;
mod heals;
#[cfg(feature = "report")]
mod html;
mod latencies;
mod overhead;
mod rate;
mod summary;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

pub use self::errors::ErrorCount;
pub use self::figures::Figure;
#[cfg(feature = "cli")]
pub(crate) use self::html::{STYLE, escape};
pub use self::latencies::Latencies;
pub use self::overhead::Overhead;
#[cfg(feature = "processes")]
pub(crate) use self::overhead::OverheadRecorder;
pub use self::rate::Rate;

use crate::answer::Answer;
use crate::check::{Ranges, Sums, Violations, ok_fraction};
use crate::history::{History, Operation, Outcome};
use crate::nemesis::Fault;
use crate::network::Journal;
use crate::plan::Plan;
use crate::trace::Trace;
use crate::units;
use crate::workload::{Counter, Shape};

/// The outcome of a run. `Display` gives the summary for people, `Serialize` the same for programs (times in seconds).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Whether no rule was broken.
    pub valid: bool,
    /// Whether the run was interrupted. Then the checks of the end of a run did not take place.
    pub interrupted: bool,
    /// The plan of the run.
    pub plan: Plan,
    /// Whether as many requests were sent as the plan asks for.
    pub rate: Rate,
    /// Counts of the operations.
    pub operations: Operations,
    /// The errors that nodes answered with, most frequent first, at most ten kinds.
    pub errors: Vec<ErrorCount>,
    /// How long the successful operations took, by kind.
    pub latencies: BTreeMap<&'static str, Latencies>,
    /// What the workload measures.
    #[serde(serialize_with = "by_name", skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
    /// What the bench itself adds to the latencies (child processes only).
    pub overhead: Option<Overhead>,
    /// Counts of the messages.
    pub messages: Messages,
    /// The faults, and their times.
    pub faults: Vec<FaultWindow>,
    /// The kinds of all faults that the nemesis drew, in order: also those that hit no node, or that
    /// [`Plan::kept_faults`] leaves out. The first has the number 1.
    pub drawn_faults: Vec<Fault>,
    /// Time from the last heal until all nodes showed the same value for good, to 0.1 s. `None` if they never did. Without
    /// [`Plan::probes`] it is the time until the final reads, if these agree.
    #[serde(serialize_with = "units::optional_seconds")]
    pub convergence: Option<Duration>,
    /// The answers to the final reads, in the order of the workers.
    pub final_reads: Vec<FinalRead>,
    /// Sum of the acknowledged adds.
    pub acknowledged: i64,
    /// How many of these are excused, and so count as indeterminate. See [`Durability`](crate::Durability).
    pub excused: u64,
    /// Every sum that the final reads may show, as closed ranges.
    pub possible: Ranges,
    /// The same, without adds that got a definite error, and those that came while the process was down.
    pub strictly_possible: Ranges,
    /// The rules that were broken.
    pub violations: Violations,
    /// The findings of strict checks that do not count: see [`Plan::strict`].
    pub remarks: Violations,
    /// The memory and CPU time of each node (child processes only).
    pub nodes: Vec<NodeUsage>,
    /// Everything that happened. Not part of the JSON document.
    #[serde(skip)]
    pub history: History,
    /// The values of the bench's own reads after the last heal. Not part of the JSON document.
    #[serde(skip)]
    pub probes: Vec<ProbedValue>,
    /// The messages, if the plan said to keep them. Not part of the JSON document.
    #[serde(skip)]
    pub trace: Option<Trace>,
}

/// Counts of operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Operations {
    /// All operations, with the final reads and without the bench's own probes.
    pub count: u64,
    /// Those that succeeded.
    pub ok: u64,
    /// Those that may have happened or not: no answer, an error, or a malformed answer.
    pub indeterminate: u64,
    /// Those of the indeterminate ones that got no answer in 5 s.
    pub timeouts: u64,
    /// Those of the indeterminate ones that got a definite error.
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

/// A fault and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultWindow {
    /// The kind of fault.
    pub fault: Fault,
    /// The nodes or links that it hit.
    pub detail: String,
    /// When it began, since the start of the run.
    #[serde(serialize_with = "units::seconds")]
    pub from: Duration,
    /// When it ended.
    #[serde(serialize_with = "units::optional_seconds")]
    pub until: Option<Duration>,
    /// Time from its end until every node had shown all adds that were acknowledged before its end. The clients' reads
    /// tell it (counters that only grow).
    #[serde(serialize_with = "units::optional_seconds")]
    pub caught_up: Option<Duration>,
}

/// The final read of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalRead {
    /// The node asked.
    pub node: usize,
    /// The answer, if there was one: a counter's value, or the number of elements of a set.
    pub value: Option<i64>,
}

/// A new value that a probe of the bench read on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbedValue {
    /// The node asked.
    pub node: usize,
    /// When it answered.
    pub at: Duration,
    /// The value.
    pub value: i64,
}

/// The resources that a node's processes used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeUsage {
    /// Its name.
    pub node: String,
    /// How many incarnations it had. (Reports call them `lives`, as they always have.)
    #[serde(rename = "lives")]
    pub incarnations: u32,
    /// Peak resident memory of the node in any incarnation, in KiB. `None` if the system does not tell.
    ///
    /// A node is the process that the bench starts, and all processes that this one starts. Ten times a second, and before
    /// it ends the node, the bench adds up the peaks (`VmHWM`) of its present processes. This is the largest such sum. So
    /// it is an upper bound on the memory that they had at once, and shared memory counts for each process. The bench looks
    /// for new processes once a second, and so misses some that run for less than a second.
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
            figures: Vec::new(),
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
            drawn_faults: Vec::new(),
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
    /// Adds the faults, and notes when all nodes had caught up after each.
    pub(crate) fn add_faults(&mut self, mut faults: Vec<FaultWindow>) {
        if self.plan.workload.counter() == Some(Counter::G) {
            heals::note_catch_up(&mut faults, &self.history, &self.plan.nodes());
        }
        self.faults = faults;
    }

    #[cfg(feature = "processes")]
    /// Adds the resources that the processes used, and judges them.
    pub(crate) fn add_usage(&mut self, nodes: Vec<NodeUsage>) {
        let bound = self.plan.max_rss_mb.map(|mb| mb.saturating_mul(1024));
        for node in &nodes {
            let used = node.max_rss_kb.zip(bound).filter(|(used, bound)| used > bound);
            if let Some((used, bound)) = used {
                let text = format!("{} took {used} KiB of memory, {bound} are allowed", node.node);
                self.violations.record(crate::check::Check::Memory, None, text);
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
    // Others have no value that stands in a line.
    let is_short =
        |read: &&Operation| matches!(read.request.rpc().answers, Some((_, Shape::Integer | Shape::Elements)));
    let finals = history.operations().iter().filter(|operation| operation.is_final).filter(is_short);
    finals.map(|read| FinalRead { node: read.node, value: value_of(read) }).collect()
}

fn value_of(read: &Operation) -> Option<i64> {
    match read.answer() {
        Some(Answer::Elements(elements)) => i64::try_from(elements.count()).ok(),
        _ => read.value(),
    }
}

fn by_name<S: Serializer>(figures: &[Figure], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(figures.iter().map(|figure| (figure.name, &figure.value)))
}
