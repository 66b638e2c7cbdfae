//! Store sync: keeps this node's record in the store up to date, one request at a time.
//!
//! It opens the record and goes on from the last revision known. A commit that was refused, or whose end is unknown,
//! leaves the record unknown, and it is opened again. Counts are absolute, so a retry can't count twice. What an open
//! brings is merged before anything is committed, so the record never shrinks.
//!
//! What is found there at the start also decides under which replica this process counts: one that is free, once a
//! commit has made it this process's, or else its own.

use std::collections::BTreeMap;
use std::time::Duration;

use tracing::{debug, error, warn};

use super::changes::{next_changes, next_owner};
use super::health::Health;
use crate::config::{AckPolicy, Config};
use crate::context::{Clock, Context};
use crate::frame::Claim;
use crate::identity::ReplicaId;
use crate::own::Own;
use crate::state::State;
use crate::store::{Changes, Outcome, Record, Revision, StoreRequest, Token};
use crate::tally::{Tally, has_room_for};

/// The own record, as this process knows it.
#[derive(Debug, Clone)]
pub(super) struct StoreSync {
    known: Known,
    /// The record may lack something.
    is_dirty: bool,
    /// Nothing more will be counted: the next commit says that the replica is free.
    is_closing: bool,
    open: Option<Open>,
    /// How much of this process's count the store is known to hold.
    stored: Tally,
    /// The most of it that the store was asked to hold.
    offered: Tally,
    /// How many commits of this process's are known to be done.
    commits: u64,
    /// The record was there when this process started.
    has_predecessor: bool,
    health: Health,
    not_before: Duration,
    /// The least time between two requests: while nobody waits for the record, commits keep a distance.
    spacing: Duration,
}

/// What is known of the record.
#[derive(Debug, Clone)]
enum Known {
    /// Nothing: it is to be opened.
    Nothing,
    /// This stands at this revision.
    At(Revision, Record),
    /// Something stands there that no process of this node has written. It must not be overwritten.
    Foreign,
}

/// The request that the store has yet to answer.
#[derive(Debug, Clone)]
struct Open {
    token: Token,
    since: Duration,
    /// What the record holds once the request is done; `None` if it is being opened.
    commit: Option<Record>,
}

/// What an outcome has brought.
#[derive(Debug)]
pub(super) enum News {
    /// There is no record.
    Nothing,
    /// The record holds this, to be merged.
    Found {
        claim: Claim,
        /// There is a free replica, and a commit will ask for it.
        has_free: bool,
    },
    /// This process has got the replica of its predecessor, which had counted so much.
    Inherited(ReplicaId, Tally),
}

impl StoreSync {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            known: Known::Nothing,
            is_dirty: true,
            is_closing: false,
            open: None,
            stored: Tally::default(),
            offered: Tally::default(),
            commits: 0,
            has_predecessor: false,
            health: Health::new(config.store_timeout),
            not_before: Duration::ZERO,
            spacing: match config.ack {
                AckPolicy::Memory => config.gossip_interval,
                AckPolicy::Store | AckPolicy::Durable => Duration::ZERO,
            },
        }
    }

    /// How much of this process's count is certain to be in the store.
    pub(super) fn stored(&self) -> Tally {
        self.stored
    }

    /// The store has been silent for longer than the timeout, or refuses, or holds a foreign record.
    pub(super) fn is_down(&self) -> bool {
        self.health.is_down()
    }

    /// How many commits of this process's are known to be done.
    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// The record was there when this process started: the node has counted, or ended, before.
    pub(super) fn has_predecessor(&self) -> bool {
        self.has_predecessor
    }

    /// The rows in the record, as far as they are known.
    pub(super) fn rows(&self) -> Option<&BTreeMap<ReplicaId, Tally>> {
        match &self.known {
            Known::At(_, record) => Some(&record.rows),
            Known::Nothing | Known::Foreign => None,
        }
    }

    /// Everything that belongs into the record is known to be there.
    pub(super) fn is_clean(&self) -> bool {
        !self.is_dirty && self.open.is_none()
    }

    /// Marks the record as needing a write.
    pub(super) fn touch(&mut self) {
        self.is_dirty = true;
    }

    /// Nothing more will be counted: commits the rest without delay, and leaves the replica to the next process.
    pub(super) fn close(&mut self) {
        self.is_closing = true;
        self.is_dirty = true;
        self.spacing = Duration::ZERO;
        self.not_before = Duration::ZERO;
    }

    /// A store that has been silent for too long is down.
    pub(super) fn notice_silence(&mut self, cx: &Context<'_>) {
        if self.open.as_ref().is_some_and(|open| cx.heard >= open.since + self.health.timeout()) {
            self.health.silent();
        }
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
        if let Some(record) = &commit {
            self.offered = record.tally(own.replica());
        }
        self.not_before = cx.now + self.spacing;
        self.open = Some(Open { token: cx.ask_store(request), since: cx.now, commit });
    }

    /// The next request, and what the record then holds. `None` if the record lacks nothing, or nothing may be committed
    /// any more.
    fn next_request(&self, own: &Own, state: &State) -> Option<(StoreRequest, Option<Record>)> {
        if self.is_closing && !own.may_count() {
            return None;
        }
        let Known::At(revision, record) = &self.known else { return Some((StoreRequest::Open, None)) };
        let owner = next_owner(own, record, self.is_closing);
        let changes = next_changes(own, state, record, owner.as_ref());
        if self.commits > 0 && changes == Changes::default() && owner == record.owner {
            return None;
        }
        let mut after = record.clone();
        after.apply(&changes, owner.clone());
        Some((StoreRequest::Commit { expect: *revision, changes, owner }, Some(after)))
    }

    /// When [`notice_silence`](Self::notice_silence) and [`poll`](Self::poll) are due again, if no outcome comes before.
    pub(super) fn next_tick(&self, clock: Clock) -> Option<Duration> {
        match &self.open {
            Some(_) if self.is_down() => None,
            Some(open) => clock.awaits(open.since + self.health.timeout()),
            None => self.is_dirty.then_some(self.not_before),
        }
    }

    /// The open request has this token.
    pub(super) fn awaits(&self, token: Token) -> bool {
        self.open.as_ref().is_some_and(|open| open.token == token)
    }

    /// Takes the outcome of the open request. `Some`: it has brought news.
    pub(super) fn outcome(
        &mut self,
        outcome: Outcome,
        own: &Own,
        state: &State,
        cx: &Context<'_>,
    ) -> Option<News> {
        let open = self.open.take()?;
        let news = match (open.commit, outcome) {
            (Some(record), Outcome::Committed { revision }) => {
                self.commits += 1;
                self.health.committed();
                let news = self.holds(&record, own);
                self.known = Known::At(revision, record);
                news
            }
            (None, Outcome::Opened { record: None, revision }) => {
                self.known = Known::At(revision, Record::default());
                Some(News::Nothing)
            }
            (None, Outcome::Opened { record: Some(record), revision }) => {
                match self.problem(&record, own, state) {
                    None => Some(self.found(record, revision, own)),
                    Some(problem) => {
                        error!(problem, "the record holds what this node did not write: left alone");
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
            (_, outcome) => {
                warn!(%outcome, "the store does not do what it is asked to");
                self.forget();
                self.give_pause(cx.now);
                return None;
            }
        };
        self.health.answered();
        news
    }

    /// The record was opened.
    fn found(&mut self, record: Record, revision: Revision, own: &Own) -> News {
        let is_ours = record.rows.contains_key(own.replica())
            || record.owner.as_ref().is_some_and(|owner| owner.incarnation == own.incarnation());
        if is_ours {
            self.commits = self.commits.max(1);
        } else {
            self.has_predecessor = true;
        }
        let has_free = record.owner.as_ref().is_some_and(|owner| owner.is_free);
        let news =
            self.holds(&record, own).unwrap_or_else(|| News::Found { claim: record.claim(), has_free });
        self.known = Known::At(revision, record);
        news
    }

    /// Why no process of this node can have written the record, or there is no room for it.
    fn problem(&self, record: &Record, own: &Own, state: &State) -> Option<String> {
        if !record.tally(own.replica()).is_within(self.offered) {
            return Some(format!("this process has written {} at most", self.offered));
        }
        let has_room = has_room_for(state.counts(), &record.claim().counts);
        (!has_room).then(|| "there are too many replicas".into())
    }

    /// Takes note of how much of this process's count the record holds. `Some`: the process has just come into a
    /// predecessor's replica.
    fn holds(&mut self, record: &Record, own: &Own) -> Option<News> {
        match &record.owner {
            Some(owner) if !own.may_count() && owner.incarnation == own.incarnation() => {
                self.stored = record.tally(&owner.replica);
                self.offered = self.stored;
                Some(News::Inherited(owner.replica.clone(), self.stored))
            }
            _ => {
                self.stored.raise(record.tally(own.replica()));
                None
            }
        }
    }

    fn leave_alone(&mut self, now: Duration) -> Option<News> {
        self.known = Known::Foreign;
        self.give_pause(now);
        None
    }

    fn forget(&mut self) {
        self.known = Known::Nothing;
        self.is_dirty = true;
    }

    fn give_pause(&mut self, now: Duration) {
        self.not_before = now + self.health.refused();
    }
}
