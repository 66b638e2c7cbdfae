//! Store sync: keeps this node's record in the store up to date, one request at a time.
//!
//! It opens the record and goes on from the last known revision. After a commit that was refused, or whose outcome is
//! unknown, the record is unknown too, and it is opened again. Entries are absolute, so a retry can't count twice. The
//! rows of an opened record are merged before the next commit, so the record never shrinks.
//!
//! The record also decides which replica this process counts under. If it says that a replica is free, a commit can make
//! this process the owner ([`StoreSync::take_over`]). Otherwise the process counts under its own.
//!
//! A record that was sealed since the first commit of this process ends the process: the node was forgotten.

use std::time::Duration;

use tracing::{debug, error, warn};

use super::changes::{next_changes, next_owner};
use super::health::Health;
use super::outline::Outline;
use crate::config::{AckPolicy, Config, MAX_COUNTERS, MAX_REPLICAS};
use crate::context::{Clock, Context};
use crate::frame::Claim;
use crate::identity::ReplicaId;
use crate::own::Own;
use crate::state::State;
use crate::store::{Changes, Outcome, Record, Revision, Seal, StoreRequest, Token};
use crate::tally::{RowDelta, Rows};

/// The own record, as this process knows it.
#[derive(Debug, Clone)]
pub(super) struct StoreSync {
    known: Known,
    /// Whether the record may lack something.
    is_dirty: bool,
    /// Whether this process ends: the next commit says that the replica is free.
    is_closing: bool,
    open: Option<Unanswered>,
    /// The version of this process's row that the store is known to hold.
    stored: u64,
    /// The highest version that this process has sent to the store.
    offered: u64,
    /// How many commits of this process are known to be done.
    commits: u64,
    /// Whether the record existed when this process started.
    has_predecessor: bool,
    /// The state of the record in which a replica is free that this process is to own.
    takes_over: Option<Revision>,
    /// The number of the record's seal before the first commit of this process; 0 without a seal.
    seal_at_start: u64,
    health: Health,
    /// How long the store may take to open the record before the first commit.
    first_open_within: Duration,
    not_before: Duration,
    /// The least time between two requests. Commits need not be frequent while no client waits for them.
    spacing: Duration,
}

/// What is known of the record.
#[derive(Debug, Clone)]
enum Known {
    /// Nothing is known: the record must be opened.
    Nothing,
    /// What the record covers, at its revision.
    At(Revision, Outline),
    /// The store holds something that no process of this node has written. It must not be overwritten.
    Foreign,
}

/// The request that the store has yet to answer.
#[derive(Debug, Clone)]
struct Unanswered {
    token: Token,
    since: Duration,
    /// `None` if the request is an open.
    commit: Option<Offer>,
}

/// What a commit offers to the store.
#[derive(Debug, Clone)]
struct Offer {
    /// The record after the commit.
    record: Outline,
    /// What the commit has of this process's row, as it was when it was offered.
    row: Option<RowDelta>,
}

/// The news that an outcome has brought.
#[derive(Debug)]
pub(super) enum News {
    /// There is no record.
    NoRecord,
    /// The record holds this, to be merged.
    Found {
        claim: Box<Claim>,
        seal: Option<Seal>,
        /// The replica that is free, with the version of its row.
        free: Option<(ReplicaId, u64)>,
    },
    /// The store has this of this process's row, so that may be shown.
    Stored(RowDelta),
    /// The node was forgotten while this process ran.
    Sealed,
    /// This process now owns the replica of its predecessor, whose row is at this version.
    Inherited(ReplicaId, u64),
}

impl StoreSync {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            known: Known::Nothing,
            is_dirty: true,
            is_closing: false,
            open: None,
            stored: 0,
            offered: 0,
            commits: 0,
            has_predecessor: false,
            takes_over: None,
            seal_at_start: 0,
            health: Health::new(config.store_timeout),
            first_open_within: config.recover_within.unwrap_or_default().max(config.store_timeout),
            not_before: Duration::ZERO,
            spacing: match config.ack {
                AckPolicy::Memory => config.gossip_interval,
                AckPolicy::Store | AckPolicy::Durable => Duration::ZERO,
            },
        }
    }

    /// The version of this process's row that is certain to be in the store.
    pub(super) fn stored(&self) -> u64 {
        self.stored
    }

    /// Whether the store has been silent for longer than the timeout, or refuses, or holds a foreign record.
    pub(super) fn is_down(&self) -> bool {
        self.health.is_down()
    }

    /// How many commits of this process are known to be done.
    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// Whether the record existed when this process started. Then an earlier process has counted, or ended cleanly.
    pub(super) fn has_predecessor(&self) -> bool {
        self.has_predecessor
    }

    /// What the record covers, if that is known.
    pub(super) fn record(&self) -> Option<&Outline> {
        match &self.known {
            Known::At(_, record) => Some(record),
            Known::Nothing | Known::Foreign => None,
        }
    }

    /// Whether the record is known to hold everything that it must.
    pub(super) fn is_clean(&self) -> bool {
        !self.is_dirty && self.open.is_none()
    }

    /// Marks the record as needing a write.
    pub(super) fn touch(&mut self) {
        self.is_dirty = true;
    }

    /// Opens the record again, for it is not what this process knows.
    pub(super) fn open_again(&mut self) {
        if self.open.is_none() {
            self.forget();
        }
    }

    /// Asks for the replica that the known record says is free. If the record has changed, nothing comes of it.
    pub(super) fn take_over(&mut self) {
        if let Known::At(revision, _) = &self.known {
            self.takes_over = Some(*revision);
            self.is_dirty = true;
        }
    }

    /// Begins the clean end: commits the rest without delay, and leaves the replica free. No add may be counted any more.
    pub(super) fn close(&mut self) {
        self.is_closing = true;
        self.is_dirty = true;
        self.spacing = Duration::ZERO;
        self.not_before = Duration::ZERO;
    }

    /// Counts the store as down if it has been silent for too long.
    pub(super) fn notice_silence(&mut self, cx: &Context<'_>) {
        if self.open.as_ref().is_some_and(|open| cx.heard >= self.silent_at(open)) {
            self.health.silent();
        }
    }

    /// When the store counts as silent, for it has not answered this request.
    fn silent_at(&self, open: &Unanswered) -> Duration {
        let is_first_open = open.commit.is_none() && self.commits == 0;
        open.since + if is_first_open { self.first_open_within } else { self.health.timeout() }
    }

    /// Sends the next request, if one is due.
    pub(super) fn poll(&mut self, own: &Own, state: &State, cx: &mut Context<'_>) {
        if self.open.is_some() || !self.is_dirty || cx.now < self.not_before {
            return;
        }
        let Some((request, commit)) = self.next_request(own, state) else {
            self.is_dirty = false;
            return;
        };
        self.is_dirty &= commit.is_none();
        if let Some(Offer { row: Some(row), .. }) = &commit {
            self.offered = row.upto();
        }
        self.not_before = cx.now + self.spacing;
        self.open = Some(Unanswered { token: cx.ask_store(request), since: cx.now, commit });
    }

    /// The next request, and what it offers if it is a commit. `None` if the record lacks nothing, or no commit is allowed any more.
    fn next_request(&self, own: &Own, state: &State) -> Option<(StoreRequest, Option<Offer>)> {
        if self.is_closing && !own.has_chosen() {
            return None;
        }
        let Known::At(revision, record) = &self.known else { return Some((StoreRequest::Open, None)) };
        if !own.has_chosen() && self.takes_over != Some(*revision) {
            return None;
        }
        let owner = next_owner(own, record, self.is_closing);
        let changes = next_changes(own, state, record, owner.as_ref());
        if self.commits > 0 && changes == Changes::default() && owner == record.owner {
            return None;
        }
        let mut after = record.clone();
        after.apply(&changes, owner.clone());
        let row = changes.rows.iter().find(|row| row.actor() == own.replica()).cloned();
        let offer = Offer { record: after, row };
        Some((StoreRequest::Commit { expect: *revision, changes, owner }, Some(offer)))
    }

    /// When [`notice_silence`](Self::notice_silence) and [`poll`](Self::poll) are due again, if no outcome comes before.
    pub(super) fn next_tick(&self, clock: Clock) -> Option<Duration> {
        match &self.open {
            Some(_) if self.is_down() => None,
            Some(open) => clock.awaits(self.silent_at(open)),
            None => self.is_dirty.then_some(self.not_before),
        }
    }

    /// Whether the open request has this token.
    pub(super) fn awaits(&self, token: Token) -> bool {
        self.open.as_ref().is_some_and(|open| open.token == token)
    }

    /// Handles the outcome of the open request. `Some` if it has brought news.
    pub(super) fn outcome(
        &mut self,
        outcome: Outcome,
        own: &Own,
        state: &State,
        cx: &Context<'_>,
    ) -> Option<News> {
        let open = self.open.take()?;
        let news = match (open.commit, outcome) {
            (Some(Offer { record, row }), Outcome::Committed { revision }) => {
                self.commits += 1;
                self.health.committed();
                let news = self.note_stored(&record, own).or(row.map(News::Stored));
                self.known = Known::At(revision, record);
                news
            }
            (None, Outcome::Opened { record: None, revision }) => {
                self.known = Known::At(revision, Outline::default());
                Some(News::NoRecord)
            }
            (None, Outcome::Opened { record: Some(record), revision }) => {
                if self.is_sealed_since(&record) {
                    return Some(News::Sealed);
                }
                match self.problem(&record, own, state) {
                    None => Some(self.found(&record, revision, own)),
                    Some(problem) => {
                        error!(problem, "the record is left alone");
                        return self.leave_alone(cx.now);
                    }
                }
            }
            (None, Outcome::Foreign) => return self.leave_alone(cx.now),
            (Some(_), Outcome::Conflict) => {
                debug!("the record is not what it was");
                self.forget();
                None
            }
            (commit, outcome) => {
                warn!(%outcome, "the store does not do what it is asked to");
                self.forget();
                self.not_before = cx.now + self.health.refused(commit.is_some());
                return None;
            }
        };
        self.health.answered();
        news
    }

    /// Handles a record that was opened.
    fn found(&mut self, record: &Record, revision: Revision, own: &Own) -> News {
        let outline = Outline::of(record);
        let is_ours = record.rows.contains_key(own.replica())
            || record.owner.as_ref().is_some_and(|owner| owner.incarnation == own.incarnation());
        if is_ours {
            self.commits = self.commits.max(1);
            if self.offered <= record.version(own.replica()) {
                // The last commit was done, though its outcome said otherwise.
                self.health.committed();
            }
        }
        // A record that this process has not written may hold its row all the same, if it was sealed with that.
        self.has_predecessor |= !is_ours || record.seal.is_some() && self.commits <= 1;
        let free = record.owner.as_ref().filter(|owner| owner.is_free);
        let free = free.map(|owner| (owner.replica.clone(), record.version(&owner.replica)));
        let found = News::Found { claim: Box::new(record.claim()), seal: record.seal, free };
        let news = self.note_stored(&outline, own).unwrap_or(found);
        self.known = Known::At(revision, outline);
        news
    }

    /// Whether the node was forgotten while this process ran. Before its first commit the process can't tell: what it has
    /// opened may have been old. Then it takes itself for one that returns, and lifts the seal.
    pub(super) fn is_sealed_since(&mut self, record: &Record) -> bool {
        let number = record.seal.map_or(0, |seal| seal.number);
        if self.commits == 0 {
            self.seal_at_start = number;
        }
        number > self.seal_at_start
    }

    /// Says why no process of this node can have written the record, or why there is no room for it.
    fn problem(&self, record: &Record, own: &Own, state: &State) -> Option<String> {
        // What peers were told may come back from them by another process of this node, which writes the same record.
        let known = state.rows().version(own.replica()).max(self.offered);
        let row = record.rows.get(own.replica());
        if row.is_some_and(|row| row.upto() > known || !own.admits(row, state.rows())) {
            return Some(format!("this process has written {known} at most, itself or by telling it"));
        }
        (!has_room_for_all(state.rows(), record)).then(|| "there are too many replicas or counters".into())
    }

    /// Takes note of how much of this process's row the record holds. `Some`: the process has just come into a
    /// predecessor's replica.
    fn note_stored(&mut self, record: &Outline, own: &Own) -> Option<News> {
        match &record.owner {
            Some(owner) if !own.has_chosen() && owner.incarnation == own.incarnation() => {
                self.stored = record.version(&owner.replica);
                self.offered = self.stored;
                Some(News::Inherited(owner.replica.clone(), self.stored))
            }
            _ => {
                self.stored = self.stored.max(record.version(own.replica()));
                None
            }
        }
    }

    fn leave_alone(&mut self, now: Duration) -> Option<News> {
        self.known = Known::Foreign;
        self.not_before = now + self.health.refused(false);
        None
    }

    fn forget(&mut self) {
        self.known = Known::Nothing;
        self.is_dirty = true;
    }
}

/// Whether there is room for all rows of a record.
fn has_room_for_all(rows: &Rows, record: &Record) -> bool {
    let all = || record.rows.values().chain(record.hints.values());
    let new = all().filter(|row| rows.version(row.actor()) == 0).count();
    let named =
        all().flat_map(RowDelta::items).filter(|item| item.name.is_some_and(|name| !rows.contains(name)));
    (new == 0 || rows.versions().counter().len() + new <= MAX_REPLICAS)
        && rows.len() + named.count() <= MAX_COUNTERS
}
