//! What a search covers.

/// A cluster, and what may happen to it. By default nothing does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Setup {
    /// How many peers the folding node has.
    pub(crate) peers: u8,
    pub(crate) left: Left,
    /// The store may be silent: then a peer's confirmation acknowledges, and counts are shown that are not stored.
    pub(crate) silent: bool,
    /// An add is acknowledged once it is counted; and shown. Of those who hold it nobody may die.
    pub(crate) memory: bool,
    /// A process that was not told to end may run on while the node's next one runs.
    pub(crate) zombies: bool,
    /// A process whose node has sealed above it counts as one that died.
    pub(crate) sealed_is_dead: bool,
    /// The rule that is left out.
    pub(crate) bug: Option<Bug>,
    pub(crate) amended: Amended,
}

/// How much may still happen, in the whole cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Left {
    pub(crate) adds: u8,
    /// Processes of the folding node that start after the first.
    pub(crate) starts: u8,
    /// Crashes of the folding node's processes.
    pub(crate) crashes: u8,
    /// Clean ends of the folding node's processes.
    pub(crate) ends: u8,
    pub(crate) seals: u8,
    /// Crashes of peers. The next process begins at once.
    pub(crate) peer_crashes: u8,
    /// Processes of peers that begin while the earlier one runs on.
    pub(crate) peer_doubles: u8,
    /// Peers that are forgotten.
    pub(crate) forgets: u8,
    /// Frames of the folding node that are late, replies to them, and what peers relay. Each may arrive at any time, any
    /// number of times.
    pub(crate) late_frames: u8,
    pub(crate) late_replies: u8,
    pub(crate) late_relays: u8,
    /// The folding node's record is as it was at first again. No process of that node runs then.
    pub(crate) restores: u8,
    /// Commits whose outcome is not told.
    pub(crate) unknowns: u8,
    /// Replies that are lost.
    pub(crate) lost: u8,
}

/// Rules that the DESIGN does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amended {
    /// Who has answered the seal takes no growth below it but from the sealer, and a process that has recovered none below the
    /// seal that it has read. Then nobody need confirm.
    pub(crate) settles: bool,
    /// A node's answer counts only from the process that its record names last, read after the seal was stored.
    pub(crate) latest: bool,
    /// The record keeps what was folded of each replica, and says so before the fold. A process that finds the fold counts
    /// its rest anew.
    pub(crate) carries: bool,
}

/// A rule of the DESIGN that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Rule 1: a new process takes a number below the seal.
    NumberBelowSeal,
    /// Rule 1: a number is one more than the record's last, whatever the clock says.
    NumberByRecordAlone,
    /// Rule 2: the seal is announced before it is stored.
    AnnouncedFirst,
    /// Rule 2: who has heard the seal still takes and confirms what comes directly from below it.
    TakesFromBelow,
    /// Rule 2: a process that finds a later seal goes on.
    GoesOn,
    /// Rule 3: one node's answer is enough.
    OneAnswers,
    /// Rule 3: a fold without confirmations.
    NoConfirmation,
    /// Rule 3: a confirmation counts although not all had answered when it was asked for.
    ConfirmedEarly,
    /// Rule 3: a node confirms although it holds more, and does not tell.
    ConfirmsAnything,
    /// Rule 3: the floor is not relayed with its row.
    FloorApart,
    /// Rule 3: a hint has the row without its floor.
    HintWithoutFloor,
    /// Rule 3: rows that come later from below the floor are merged.
    MergedBelowFloor,
    /// Rule 4: a fold whose outcome is unknown is withdrawn.
    Withdrawn,
    /// Rule 5: a process seals by its own number, also if it counts under an inherited replica.
    SealsByProcess,
    /// Rule 5: a replica is inherited although a larger number is known.
    InheritsBelow,
    /// Rule 5: a process that knows of a larger number leaves its replica free.
    LeavesFree,
    /// Recovery: a process answers before it has read the records.
    AnswersUnrecovered,
    /// Rule 7, the hole that is known: the record goes back while a process below the seal runs.
    RestoredUnderZombie,
    /// Of the amendments: what will be folded is noted in the record with the fold, not before.
    NotedLate,
    /// Forget: the hints of the forgotten node are not read.
    HintsForgotten,
}
