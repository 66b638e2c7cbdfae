//! The checks of a run, and the violations that they find.

mod counter;
mod excuses;
mod foreign;
mod linearizable;
mod loss;
mod own_adds;
mod ranges;
mod reads;
#[cfg(test)]
pub(crate) mod script;
mod set;
mod success;
pub mod txn;
mod violations;

use std::collections::BTreeSet;

use serde::Serialize;

pub use self::foreign::judge_counter;
pub use self::ranges::Ranges;
pub use self::violations::{Violation, Violations};

pub(crate) use self::counter::{Sums, by_answer, check_final_reads, list, node_names, unanswered};
pub(crate) use self::excuses::Excuses;
pub(crate) use self::linearizable::check_linearizable;
pub(crate) use self::reads::check_reads;
pub(crate) use self::set::{check_set, set_figures};
pub(crate) use self::success::{check_success, ok_fraction};

/// A rule. A run is valid if none is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Every node answers `init` with `init_ok` within 10 s, at the start and after each restart.
    Init,
    /// A node prints only messages: JSON objects with `src`, `dest` and `body`, one a line. Otherwise Maelstrom makes the
    /// node mute, and judges by the other nodes. Strict.
    Output,
    /// A node sends only to destinations that exist. Otherwise Maelstrom makes the node mute, and judges by the other nodes.
    /// Strict.
    Destination,
    /// No process ends by itself.
    Exit,
    /// A process that is asked to end (SIGTERM) does so within 5 s and with status 0. Strict.
    CleanEnd,
    /// Each final read is the sum of the acknowledged adds and of some of the indeterminate ones. A set lacks no element
    /// that was known to be in it.
    FinalReads,
    /// An echo has the content of its request, an id is given out once, and a set shows each element once.
    Answers,
    /// The answers about each key are those of a store that does one thing after the other.
    Linearizable,
    /// The search for [`Check::Linearizable`] took too long, so there is no verdict.
    Undecided,
    /// The history has none of the anomalies that the workload forbids, as Maelstrom names them. Each finding names its own.
    Anomalies,
    /// Nor those that Maelstrom does not look for. Strict.
    FurtherAnomalies,
    /// At least one operation of each kind succeeded.
    Stats,
    /// The demanded fraction of the operations succeeded.
    Availability,
    /// A node signs with its own name. Strict.
    Source,
    /// A node answers each request at most once, in time, and sends clients nothing else. Strict.
    Replies,
    /// Replies hold the fields of the protocol and no others. Strict (to Maelstrom the operation is indeterminate).
    Schema,
    /// Every final read is answered. Strict.
    FinalReadsAnswered,
    /// All final reads are the same. Strict.
    Agreement,
    /// An add with a definite error did not happen. Nor did an add that came while the process was down. Strict.
    DefiniteErrors,
    /// Reads on one incarnation of a node never go back (counters that only grow). Strict.
    MonotonicReads,
    /// Reads on a node never go back, over its restarts too (counters that only grow, and nodes that promise
    /// [`Promises::reads_survive_crashes`](crate::Promises::reads_survive_crashes)). Strict.
    MonotonicReadsAcrossCrashes,
    /// A read shows at least what an earlier read on this incarnation of the node showed, plus what the incarnation acknowledged
    /// in between (counters that only grow). Strict.
    OwnAdds,
    /// No read shows more (or less) than all adds so far could make. Strict.
    ImpossibleReads,
    /// No server sends anything after the final reads: see [`Plan::silence`](crate::Plan::silence).
    Silence,
    /// All nodes agree within the demanded time after the last heal.
    Convergence,
    /// Malformed requests get the right error, and other malformed lines get no answer. Strict.
    Malformed,
    /// Peak memory stays below the demanded bound.
    Memory,
    /// CPU time a request stays below the demanded bound.
    Cpu,
}

impl Check {
    /// Every check there is.
    pub const ALL: [Self; 28] = [
        Self::Init,
        Self::Output,
        Self::Destination,
        Self::Exit,
        Self::CleanEnd,
        Self::FinalReads,
        Self::Answers,
        Self::Linearizable,
        Self::Undecided,
        Self::Anomalies,
        Self::FurtherAnomalies,
        Self::Stats,
        Self::Availability,
        Self::Source,
        Self::Replies,
        Self::Schema,
        Self::FinalReadsAnswered,
        Self::Agreement,
        Self::DefiniteErrors,
        Self::MonotonicReads,
        Self::MonotonicReadsAcrossCrashes,
        Self::OwnAdds,
        Self::ImpossibleReads,
        Self::Silence,
        Self::Convergence,
        Self::Malformed,
        Self::Memory,
        Self::Cpu,
    ];

    /// Whether Maelstrom would not fail for it, and no other setting of the plan demands it. Such a check counts only if it
    /// is in [`Plan::strict`](crate::Plan::strict).
    pub fn is_strict(self) -> bool {
        match self {
            Self::Init
            | Self::Exit
            | Self::FinalReads
            | Self::Answers
            | Self::Linearizable
            | Self::Undecided
            | Self::Anomalies
            | Self::Stats
            | Self::Availability
            | Self::Silence
            | Self::Convergence
            | Self::Memory
            | Self::Cpu => false,
            Self::Output
            | Self::Destination
            | Self::CleanEnd
            | Self::Source
            | Self::Replies
            | Self::Schema
            | Self::FinalReadsAnswered
            | Self::Agreement
            | Self::DefiniteErrors
            | Self::MonotonicReads
            | Self::MonotonicReadsAcrossCrashes
            | Self::OwnAdds
            | Self::ImpossibleReads
            | Self::FurtherAnomalies
            | Self::Malformed => true,
        }
    }

    /// Every strict check.
    pub fn strict() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|check| check.is_strict())
    }

    /// Whether the check applies to that workload.
    #[cfg(feature = "cli")]
    pub(crate) fn concerns(self, workload: &dyn crate::workload::Workload) -> bool {
        match self {
            Self::Init
            | Self::Output
            | Self::Destination
            | Self::Exit
            | Self::CleanEnd
            | Self::Stats
            | Self::Availability
            | Self::Source
            | Self::Replies
            | Self::Schema
            | Self::Silence
            | Self::Memory
            | Self::Cpu => true,
            Self::FinalReads
            | Self::Answers
            | Self::Linearizable
            | Self::Undecided
            | Self::Anomalies
            | Self::FurtherAnomalies
            | Self::FinalReadsAnswered
            | Self::Agreement
            | Self::DefiniteErrors
            | Self::MonotonicReads
            | Self::MonotonicReadsAcrossCrashes
            | Self::OwnAdds
            | Self::ImpossibleReads
            | Self::Convergence
            | Self::Malformed => workload.checks().contains(&self),
        }
    }

    fn counts(self, strict: &BTreeSet<Self>) -> bool {
        !self.is_strict() || strict.contains(&self)
    }

    /// The name in reports, as in JSON.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}
