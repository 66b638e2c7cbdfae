//! The anomalies, and the consistency models that forbid them.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What shows that transactions were not isolated as a model demands.
///
/// Sources: Adya, "Weak Consistency" (1999), for G0 to G2; Kingsbury and Alvaro, "Elle" (VLDB 2020), for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A read shows a value that no transaction wrote.
    Garbage,
    /// A list shows an element twice.
    DuplicateElements,
    /// The reads and writes of a register put two of its values before each other.
    CyclicVersions,
    /// G1a, an aborted read: a read shows a value of an aborted transaction.
    AbortedRead,
    /// G1b, an intermediate read: a read shows a value that its transaction overwrote itself.
    IntermediateRead,
    /// A committed append stands behind one of an aborted transaction.
    DirtyUpdate,
    /// Two reads of a list, neither of which is a prefix of the other.
    IncompatibleOrder,
    /// A transaction reads a value that it writes only later.
    FutureRead,
    /// Two committed transactions read the same version of a key, and both wrote the key.
    LostUpdate,
    /// A transaction does not see what it has seen or written itself.
    Internal,
    /// A cycle of dependencies.
    Cycle(Cycle, Order),
}

/// The kinds of cycles, the worst first. Whoever forbids one forbids all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cycle {
    /// Writes alone.
    G0,
    /// Writes and reads of them: circular information flow.
    G1c,
    /// Exactly one read of an old version: read skew.
    GSingle,
    /// Several reads of old versions, no two of them in a row. Snapshot isolation forbids them (Cerone and Gotsman, "Analysing
    /// Snapshot Isolation", PODC 2016).
    GNonadjacent,
    /// Reads of old versions, two of them in a row: write skew. There are no predicates, so each G2 is a G2-item.
    G2Item,
}

/// Which order of the transactions a cycle needs beyond their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// None.
    Data,
    /// The order of one process.
    Process,
    /// One transaction ended before another began.
    Realtime,
}

impl Display for Anomaly {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Garbage => "garbage",
            Self::DuplicateElements => "duplicate-elements",
            Self::CyclicVersions => "cyclic-versions",
            Self::AbortedRead => "G1a",
            Self::IntermediateRead => "G1b",
            Self::DirtyUpdate => "dirty-update",
            Self::IncompatibleOrder => "incompatible-order",
            Self::FutureRead => "future-read",
            Self::LostUpdate => "lost-update",
            Self::Internal => "internal",
            Self::Cycle(cycle, order) => return write!(f, "{}{}", cycle.name(), order.suffix()),
        })
    }
}

impl Serialize for Anomaly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Cycle {
    fn name(self) -> &'static str {
        match self {
            Self::G0 => "G0",
            Self::G1c => "G1c",
            Self::GSingle => "G-single",
            Self::GNonadjacent => "G-nonadjacent",
            Self::G2Item => "G2-item",
        }
    }
}

impl Order {
    fn suffix(self) -> &'static str {
        match self {
            Self::Data => "",
            Self::Process => "-process",
            Self::Realtime => "-realtime",
        }
    }
}

/// How well transactions are isolated from each other, from weak to strong.
///
/// | model | anomalies that it forbids |
/// | --- | --- |
/// | read-uncommitted | garbage, duplicate-elements, cyclic-versions, G0 |
/// | read-committed, monotonic-atomic-view | read-uncommitted's, G1a, G1b, G1c, dirty-update, incompatible-order, future-read |
/// | cursor-stability | read-committed's, lost-update |
/// | repeatable-read | cursor-stability's, G-single, G-nonadjacent, G2-item |
/// | snapshot-isolation | cursor-stability's, internal, G-single, G-nonadjacent |
/// | serializable | all of these |
/// | strong-session-… | the same with -process |
/// | strong-snapshot-isolation, strict-serializable | the same with -process and -realtime |
///
/// Not checked: what monotonic-atomic-view forbids beyond read-committed, and predicates. Snapshot isolation is the generalized one:
/// a snapshot may be older than the start of its transaction. That is as in Elle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// Adya's PL-1.
    ReadUncommitted,
    /// Adya's PL-2.
    ReadCommitted,
    /// Bailis et al., "Highly Available Transactions" (VLDB 2013).
    MonotonicAtomicView,
    /// Adya's PL-CS.
    CursorStability,
    /// Adya's PL-2.99.
    RepeatableRead,
    /// Adya's PL-SI, generalized.
    SnapshotIsolation,
    /// Snapshot isolation in which a process sees its own past (Daudjee and Salem, VLDB 2006).
    StrongSessionSnapshotIsolation,
    /// Snapshot isolation in which a transaction sees all that ended before it began.
    StrongSnapshotIsolation,
    /// Adya's PL-3.
    Serializable,
    /// Serializable, and in the order of each process.
    StrongSessionSerializable,
    /// Serializable, and in real-time order: Adya's PL-SS.
    StrictSerializable,
}

impl Model {
    /// All models.
    pub const ALL: [Self; 11] = [
        Self::ReadUncommitted,
        Self::ReadCommitted,
        Self::MonotonicAtomicView,
        Self::CursorStability,
        Self::RepeatableRead,
        Self::SnapshotIsolation,
        Self::StrongSessionSnapshotIsolation,
        Self::StrongSnapshotIsolation,
        Self::Serializable,
        Self::StrongSessionSerializable,
        Self::StrictSerializable,
    ];

    /// Whether no history of that model has the anomaly.
    ///
    /// ```
    /// use workbench::txn::{Anomaly, Cycle, Model, Order};
    ///
    /// let write_skew = Anomaly::Cycle(Cycle::G2Item, Order::Data);
    /// assert!(Model::Serializable.forbids(write_skew));
    /// assert!(!Model::SnapshotIsolation.forbids(write_skew));
    /// ```
    pub fn forbids(self, anomaly: Anomaly) -> bool {
        match anomaly {
            Anomaly::Garbage | Anomaly::DuplicateElements | Anomaly::CyclicVersions => true,
            Anomaly::AbortedRead
            | Anomaly::IntermediateRead
            | Anomaly::DirtyUpdate
            | Anomaly::IncompatibleOrder
            | Anomaly::FutureRead => self >= Self::ReadCommitted,
            Anomaly::LostUpdate => self >= Self::CursorStability,
            Anomaly::Internal => self >= Self::SnapshotIsolation,
            Anomaly::Cycle(cycle, order) => self.orders(order) && cycle <= self.mildest(),
        }
    }

    /// The mildest kind of cycle that it forbids.
    fn mildest(self) -> Cycle {
        match self {
            Self::ReadUncommitted => Cycle::G0,
            Self::ReadCommitted | Self::MonotonicAtomicView | Self::CursorStability => Cycle::G1c,
            Self::SnapshotIsolation
            | Self::StrongSessionSnapshotIsolation
            | Self::StrongSnapshotIsolation => Cycle::GNonadjacent,
            Self::RepeatableRead
            | Self::Serializable
            | Self::StrongSessionSerializable
            | Self::StrictSerializable => Cycle::G2Item,
        }
    }

    /// Whether it demands that order.
    fn orders(self, order: Order) -> bool {
        match self {
            Self::ReadUncommitted
            | Self::ReadCommitted
            | Self::MonotonicAtomicView
            | Self::CursorStability
            | Self::RepeatableRead
            | Self::SnapshotIsolation
            | Self::Serializable => order == Order::Data,
            Self::StrongSessionSnapshotIsolation | Self::StrongSessionSerializable => order <= Order::Process,
            Self::StrongSnapshotIsolation | Self::StrictSerializable => true,
        }
    }

    /// The name, as Maelstrom's `--consistency-models` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "read-uncommitted",
            Self::ReadCommitted => "read-committed",
            Self::MonotonicAtomicView => "monotonic-atomic-view",
            Self::CursorStability => "cursor-stability",
            Self::RepeatableRead => "repeatable-read",
            Self::SnapshotIsolation => "snapshot-isolation",
            Self::StrongSessionSnapshotIsolation => "strong-session-snapshot-isolation",
            Self::StrongSnapshotIsolation => "strong-snapshot-isolation",
            Self::Serializable => "serializable",
            Self::StrongSessionSerializable => "strong-session-serializable",
            Self::StrictSerializable => "strict-serializable",
        }
    }
}

impl Display for Model {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A name that is no model's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no consistency model \"{0}\" here; there are {names}", names = Model::ALL.map(Model::name).join(", "))]
pub struct UnknownModel(String);

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let adya = match name {
            "PL-1" => Some(Self::ReadUncommitted),
            "PL-2" => Some(Self::ReadCommitted),
            "PL-CS" => Some(Self::CursorStability),
            "PL-2.99" => Some(Self::RepeatableRead),
            "PL-SI" => Some(Self::SnapshotIsolation),
            "PL-3" | "conflict-serializable" => Some(Self::Serializable),
            "PL-SS" | "strong-serializable" => Some(Self::StrictSerializable),
            _ => None,
        };
        let named = || Self::ALL.into_iter().find(|model| model.name() == name);
        adya.or_else(named).ok_or_else(|| UnknownModel(name.to_owned()))
    }
}
