//! A process of the folding node: it counts, seals and folds.

use crate::frame::{Frame, Reply};
use crate::rows::{Count, Row, Rows};
use crate::setup::{Bug, Setup};
use crate::store::{Commit, Record};

/// A process of the folding node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Counter {
    /// Its own number: a later process has a larger one.
    pub(crate) process: u8,
    /// The number of the replica that it counts under. 0 until it has chosen.
    pub(crate) replica: u8,
    /// What it shows clients and peers.
    pub(crate) rows: Rows,
    /// The own row with all that was counted or folded, shown or not.
    pub(crate) counted: Row,
    /// So much of it is known to be stored.
    pub(crate) stored: Row,
    /// The record as it was opened or committed last. `None`: it must be opened.
    pub(crate) known: Option<Record>,
    /// A commit is open.
    pub(crate) awaits: bool,
    /// It has read the other records.
    pub(crate) has_swept: bool,
    /// Its seal is stored, or counts as stored.
    pub(crate) seal: u8,
    /// The largest seal that it has read in the record.
    pub(crate) settled: u8,
    /// The nodes that have answered the seal, by bit; and those that have confirmed the rows below it.
    pub(crate) answered: u8,
    pub(crate) confirmed: u8,
    /// The process of each peer that must answer.
    pub(crate) latest: [u8; 2],
    /// The peers that it knows to be forgotten.
    pub(crate) gone: u8,
    /// The sum that it has folded into its row, and the rows that are in it.
    pub(crate) fold: Option<Count>,
    pub(crate) folded: Rows,
    pub(crate) is_ending: bool,
    /// It has found a later seal, and waits for the fold.
    pub(crate) is_sealed: bool,
}

impl Counter {
    pub(crate) fn new(process: u8, replica: u8) -> Self {
        Self {
            process,
            replica,
            rows: Rows::default(),
            counted: Row::default(),
            stored: Row::default(),
            known: None,
            awaits: false,
            has_swept: false,
            seal: 0,
            settled: 0,
            answered: 0,
            confirmed: 0,
            latest: [0; 2],
            gone: 0,
            fold: None,
            folded: Rows::default(),
            is_ending: false,
            is_sealed: false,
        }
    }

    /// The number that it seals at.
    pub(crate) fn seal_number(&self, setup: &Setup) -> u8 {
        if setup.bug == Some(Bug::SealsByProcess) { self.process } else { self.replica }
    }

    /// All that it holds, shown or not.
    pub(crate) fn holds(&self) -> Rows {
        let mut rows = self.rows;
        if self.replica > 0 {
            rows.raise(self.replica, self.counted);
        }
        rows
    }

    /// Shows so much of the own row.
    pub(crate) fn show(&mut self, row: Row) {
        if self.replica > 0 {
            self.rows.raise(self.replica, row);
        }
    }

    /// Merges what others say. Of the own row nobody is believed.
    pub(crate) fn merge(&mut self, rows: &Rows, setup: &Setup) {
        if setup.amended.carries && self.replica > 0 && rows.floor() > self.replica {
            // It is sealed. It shows its row as it is, until it has read in its record what was folded.
            self.is_sealed = true;
            return;
        }
        let settled = self.rows.below(self.seal);
        let own = if self.replica > 0 { self.rows.get(self.replica) } else { Row::default() };
        let mut others = rows.without(self.replica);
        if setup.amended.settles && (self.fold.is_some() || self.folded != Rows::default()) {
            others = others.from(self.seal);
        }
        if setup.bug == Some(Bug::MergedBelowFloor) {
            self.rows.merge_also_below(&others);
        } else {
            self.rows.merge(&others);
        }
        self.show(own);
        if self.rows.below(self.seal) != settled {
            self.confirmed = 0;
        }
    }

    /// Merges what comes neither from the store nor in reply to a frame of its own. The sender may be dead: of rows below a
    /// seal only answers tell what will be folded.
    pub(crate) fn merge_relayed(&mut self, rows: &Rows, setup: &Setup) {
        let limit = if setup.amended.settles { self.settled.max(self.seal) } else { 0 };
        self.merge(&rows.from(limit), setup);
    }

    /// What it tells a peer.
    pub(crate) fn frame(&self, setup: &Setup) -> Frame {
        let all_answered = self.seal > 0 && self.has_all(self.answered, setup);
        let all_answered = all_answered || setup.bug == Some(Bug::ConfirmedEarly);
        let (process, replica, rows, seal) = (self.process, self.replica, self.rows, self.seal);
        Frame { process, replica, rows, seal, all_answered }
    }

    fn has_all(&self, nodes: u8, setup: &Setup) -> bool {
        let all = (1 << setup.peers) - 1;
        let nodes = (nodes | self.gone) & all;
        nodes == all || setup.bug == Some(Bug::OneAnswers) && nodes != 0
    }

    /// Handles the reply to a frame of its own. Gives the part of its own row that the peer holds.
    pub(crate) fn hear(&mut self, reply: &Reply, setup: &Setup) -> Count {
        let bit = 1 << (reply.node - 1);
        self.merge(&reply.rows, setup);
        let is_latest = !setup.amended.latest || reply.process >= self.latest[usize::from(reply.node - 1)];
        if self.seal > 0 && reply.seal == self.seal && is_latest {
            self.answered |= bit;
            if reply.confirms == Some(self.rows.below(self.seal)) {
                self.confirmed |= bit;
            }
        }
        reply.held
    }

    /// Whether all conditions of a fold are met, and there is something to fold.
    pub(crate) fn may_fold(&self, setup: &Setup) -> bool {
        let needs_none = setup.amended.settles || setup.bug == Some(Bug::NoConfirmation);
        let confirmed = needs_none || self.has_all(self.confirmed, setup);
        self.seal > 0
            && self.fold.is_none()
            && !self.is_sealed
            && self.has_all(self.answered, setup)
            && confirmed
            && self.rows.below(self.seal).value() > 0
    }

    /// Adds the rows below the seal to the own row, and sets the floor. From now on all is counted on top of that. If the
    /// protocol is amended so, the record must first say what will be folded. True if something has changed.
    pub(crate) fn fold(&mut self, setup: &Setup) -> bool {
        let below = self.rows.below(self.seal);
        if setup.amended.carries {
            let is_noted = self.known.is_some_and(|it| it.folded.contains(&below));
            let is_noted = self.folded == below && (is_noted || setup.bug == Some(Bug::NotedLate));
            if !is_noted {
                return std::mem::replace(&mut self.folded, below) != below;
            }
        }
        self.fold = Some(below.value());
        self.counted.count += below.value();
        self.counted.floor = self.seal;
        true
    }

    /// The next commit, if the record lacks something.
    pub(crate) fn commit(&self, wants: Wants, setup: &Setup) -> Option<Commit> {
        let known = self.known.filter(|_| !self.awaits && !self.is_sealed)?;
        let mut rows = self.rows;
        if self.replica > 0 {
            rows.raise(self.replica, self.counted);
        }
        let lacks = {
            let mut joined = known.rows;
            joined.merge(&rows);
            joined != known.rows || !known.folded.contains(&self.folded)
        };
        let is_due = match wants {
            Wants::Counts => lacks && self.replica > 0,
            Wants::Seal | Wants::Free | Wants::Taken => true,
        };
        is_due.then(|| Commit {
            by: self.process,
            expect: known.revision,
            rows,
            own: (if wants == Wants::Taken { known.free } else { self.replica }, self.counted),
            seal: if wants == Wants::Seal { self.seal_number(setup) } else { 0 },
            takes: wants == Wants::Taken,
            frees: wants == Wants::Free,
            folded: self.folded,
        })
    }

    /// The store says how the commit ended.
    pub(crate) fn told(&mut self, commit: &Commit, record: Option<Record>) {
        self.awaits = false;
        self.known = record;
        let Some(record) = record else { return };
        if commit.takes {
            // The replica that was free: its count is the record's.
            self.replica = commit.own.0;
            self.counted = record.rows.get(self.replica);
            self.stored = self.counted;
        } else {
            self.stored.raise(commit.own.1);
        }
        self.seal = self.seal.max(commit.seal);
        self.show(self.stored);
    }

    /// Reads the record.
    pub(crate) fn open(&mut self, record: &Record, setup: &Setup) {
        let is_first = self.known.is_none() && !self.has_swept;
        self.known = Some(*record);
        self.settled = record.seal;
        if is_first && setup.amended.settles {
            // What it heard before it had recovered may be of a dead process.
            self.rows = self.rows.from(record.seal);
        }
        self.merge(&record.rows, setup);
        if self.replica > 0 {
            self.stored.raise(record.rows.get(self.replica));
            self.show(self.stored);
            if record.seal == self.seal_number(setup) {
                self.seal = record.seal;
            }
        }
        let ignores = setup.bug == Some(Bug::GoesOn) || setup.bug == Some(Bug::NumberBelowSeal) && is_first;
        self.is_sealed |= self.replica > 0 && record.seal > self.replica && !ignores;
    }

    /// A sealed process reads what was folded of its row, and counts the rest under a new replica.
    pub(crate) fn carry(&mut self, record: &Record, number: u8, shows: bool) {
        let counted = self.rest(&record.folded);
        let mut next = Self::new(self.process, number);
        next.rows = self.rows.without(self.replica);
        next.rows.merge(&record.rows);
        (next.counted, next.has_swept, next.known) = (counted, self.has_swept, Some(*record));
        if shows {
            next.show(counted);
        }
        *self = next;
    }

    /// What it has counted and nobody has folded. Its own fold, if another one came first, is not part of that.
    pub(crate) fn rest(&self, folded: &Rows) -> Row {
        let folded = folded.get(self.replica);
        let is_in_vain = folded.floor < self.counted.floor;
        let fold = if is_in_vain { self.fold.unwrap_or(0) } else { 0 };
        Row { count: self.counted.count.saturating_sub(folded.count + fold), floor: 0 }
    }

    /// The outcome of its commit is unknown: it reads the record again.
    pub(crate) fn not_told(&mut self, setup: &Setup) {
        self.awaits = false;
        self.known = None;
        if setup.bug == Some(Bug::Withdrawn)
            && let Some(fold) = self.fold.take()
            && self.stored.floor < self.counted.floor
        {
            self.counted = Row { count: self.counted.count - fold, floor: 0 };
        }
    }
}

/// What a commit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Wants {
    Counts,
    Seal,
    /// The last commit of a clean end.
    Free,
    /// Takes over the replica that is free.
    Taken,
}
