//! What was met in a run, so that nobody trusts a fault that never happened.

use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Met {
    Done,
    DoneAndAnswerLost,
    TimeoutAndDoneLater,
    TimeoutAndNeverDone,
    Conflict,
    Busy,
    NoResponders,
    Election,
    MajorityLost,
    ProposalKept,
    ProposalDropped,
    ReadOfServerBehind,
    ReadInterrupted,
    MessageOfReaderLost,
    ReplacedBeforeRead,
    EntryInParts,
    BrokenOff,
    Snapshot,
    PlaceTakenAgain,
    ProcessDiedInRequest,
    ProcessStoppedInRequest,
    FrameInPieces,
    PieceOfFrameLost,
    OldVersionRead,
    NewVersionRead,
    VersionNotRead,
}

impl Met {
    pub(crate) const ALL: [Self; 26] = [
        Self::Done,
        Self::DoneAndAnswerLost,
        Self::TimeoutAndDoneLater,
        Self::TimeoutAndNeverDone,
        Self::Conflict,
        Self::Busy,
        Self::NoResponders,
        Self::Election,
        Self::MajorityLost,
        Self::ProposalKept,
        Self::ProposalDropped,
        Self::ReadOfServerBehind,
        Self::ReadInterrupted,
        Self::MessageOfReaderLost,
        Self::ReplacedBeforeRead,
        Self::EntryInParts,
        Self::BrokenOff,
        Self::Snapshot,
        Self::PlaceTakenAgain,
        Self::ProcessDiedInRequest,
        Self::ProcessStoppedInRequest,
        Self::FrameInPieces,
        Self::PieceOfFrameLost,
        Self::OldVersionRead,
        Self::NewVersionRead,
        Self::VersionNotRead,
    ];

    const fn text(self) -> &'static str {
        match self {
            Self::Done => "appends done",
            Self::DoneAndAnswerLost => "appends done, and the answer lost",
            Self::TimeoutAndDoneLater => "appends timed out, and done later",
            Self::TimeoutAndNeverDone => "appends timed out, and never done",
            Self::Conflict => "conflicts (10071)",
            Self::Busy => "busy (10164)",
            Self::NoResponders => "no responders",
            Self::Election => "elections",
            Self::MajorityLost => "majorities lost",
            Self::ProposalKept => "proposals that an election kept",
            Self::ProposalDropped => "proposals that an election dropped",
            Self::ReadOfServerBehind => "reads of a server that had fallen behind",
            Self::ReadInterrupted => "reads interrupted",
            Self::MessageOfReaderLost => "messages to a reader lost",
            Self::ReplacedBeforeRead => "messages replaced before a reader had them",
            Self::EntryInParts => "commits in parts",
            Self::BrokenOff => "commits and snapshots that were broken off between their parts",
            Self::Snapshot => "snapshots",
            Self::PlaceTakenAgain => "places of logs taken again",
            Self::ProcessDiedInRequest => "requests whose process died",
            Self::ProcessStoppedInRequest => "times a process stopped in a request",
            Self::FrameInPieces => "frames in pieces",
            Self::PieceOfFrameLost => "frames whose pieces did not all come",
            Self::OldVersionRead => "frames in version 1 read",
            Self::NewVersionRead => "frames in version 2 read",
            Self::VersionNotRead => "frames in a version that the reader does not know",
        }
    }
}

/// How often each of these was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<Met, usize>);

impl Tally {
    pub(crate) fn note(&mut self, met: Met) {
        *self.0.entry(met).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(met, times)| *self.0.entry(*met).or_default() += times);
    }

    /// What was never met.
    pub(crate) fn missing(&self) -> Vec<Met> {
        Met::ALL.into_iter().filter(|met| !self.0.contains_key(met)).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<_> = self.0.iter().map(|(met, times)| format!("{times} {}", met.text())).collect();
        f.write_str(&told.join("; "))
    }
}
