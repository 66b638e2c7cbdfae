//! The survey: every peer is asked what it shows, and what it has of this process's replica.
//!
//! A peer answers with the versions of its rows. Once this node shows all of them, the answer is *complete*: the peer had nothing, when
//! it was asked, that is not shown here now. So a read that waits for a complete answer of every peer, each to a question that was
//! sent after the read came, has all that was acknowledged anywhere before.
//!
//! A peer has one open question at a time. It serves everybody who waited when it was sent; whoever comes later waits for the next.
//! A question is sent again until it is answered, as long as anybody waits or answers are to be kept fresh.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::PEER_BACKOFF_MAX;
use crate::context::Context;
use crate::frame::{Claim, Frame, FrameId, Inquiry};
use crate::identity::{Incarnation, NodeId, ReplicaId};
use crate::seam::Effect;
use crate::tally::Rows;

/// With so many peers all are asked each time that answers are to be refreshed. With more the pauses are longer, so that a node asks
/// as many a second.
const ASKED_AT_ONCE: u32 = 16;

/// What each peer was asked, and has answered.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    peers: BTreeMap<NodeId, Asked>,
    /// The number of the last question.
    number: u64,
    /// How old an answer may get before its peer is asked again, though nobody waits.
    refresh: Option<Duration>,
    /// The time after which a question is sent again. It doubles each time.
    pause: Duration,
    /// An answer may be complete by now.
    is_unsettled: bool,
    /// When something is due.
    due: Option<Duration>,
    /// The number and the time of the oldest question among the last ones that are completely answered, one a peer. `None`: a peer has
    /// answered none.
    oldest: Option<(u64, Duration)>,
}

/// What one peer was asked, and has answered.
#[derive(Debug, Clone, Default)]
struct Asked {
    /// Somebody waits for the answer to a question that is still to be sent.
    is_wanted: bool,
    open: Option<Open>,
    told: Option<Told>,
    /// The number and the time of the last question whose answer is complete.
    complete: Option<(u64, Duration)>,
    /// The process that has answered last, and the version of this process's row that it has.
    covers: Option<(Incarnation, u64)>,
}

/// A question that is not answered.
#[derive(Debug, Clone)]
struct Open {
    id: FrameId,
    number: u64,
    /// When it was sent first.
    at: Duration,
    again_at: Duration,
    pause: Duration,
}

/// An answer that is not complete yet.
#[derive(Debug, Clone)]
struct Told {
    /// The number and the time of the question.
    question: (u64, Duration),
    /// The versions that this node may not show yet.
    lacks: BTreeMap<ReplicaId, u64>,
    /// An answer to another question takes its place after this. What the peer had told may be lost with some process.
    until: Duration,
}

impl Survey {
    pub(super) fn new(refresh: Option<Duration>, peer_timeout: Duration) -> Self {
        let (peers, pause) = (BTreeMap::new(), peer_timeout / 4);
        let oldest = Some((u64::MAX, Duration::MAX));
        Self { peers, number: 0, refresh, pause, is_unsettled: false, due: None, oldest }
    }

    /// Sets the peers. What others have answered is dropped.
    pub(super) fn set(&mut self, names: &BTreeSet<NodeId>) {
        self.peers.retain(|name, _| names.contains(name));
        for name in names {
            // Whoever waits for all peers waits for a new one too.
            let new = || Asked { is_wanted: true, ..Asked::default() };
            self.peers.entry(name.clone()).or_insert_with(new);
        }
        self.due = Some(Duration::ZERO);
        self.note_oldest();
    }

    /// The number of the last question. A question with a higher one was sent later.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Somebody waits from now on for what this peer shows.
    pub(crate) fn want(&mut self, name: &str, now: Duration) {
        if let Some(asked) = self.peers.get_mut(name) {
            asked.want(now + self.pause);
            self.due = Some(Duration::ZERO);
        }
    }

    /// Somebody waits from now on for what all peers show.
    pub(crate) fn want_all(&mut self, now: Duration) {
        self.peers.values_mut().for_each(|asked| asked.want(now + self.pause));
        self.due = Some(Duration::ZERO);
    }

    /// Somebody waits until this peer has more than it had when it answered last.
    pub(super) fn want_more(&mut self, name: &NodeId, now: Duration) {
        let pause = self.pause;
        let Some(asked) = self.peers.get_mut(name) else { return };
        let again_at = asked.last().map_or(Duration::ZERO, |(_, at)| at + pause);
        asked.is_wanted |= again_at <= now;
        self.due = [self.due, Some(again_at)].into_iter().flatten().min();
    }

    /// Sends the questions that are due. `is_awaited` says whether anybody waits for an answer.
    pub(super) fn poll(
        &mut self,
        is_awaited: bool,
        (own, incarnation): (&ReplicaId, Incarnation),
        mut new_id: impl FnMut() -> FrameId,
        cx: &mut Context<'_>,
    ) {
        if self.due.is_none_or(|due| cx.now < due) {
            return;
        }
        let refresh = self.refresh.map(|every| every * (1 + self.len() / ASKED_AT_ONCE));
        let Self { peers, number, pause, .. } = self;
        for (name, asked) in peers.iter_mut() {
            if !is_awaited && refresh.is_none() {
                (asked.is_wanted, asked.open) = (false, None);
            }
            if asked.is_due(refresh, cx.now) {
                *number += 1;
                asked.is_wanted = false;
                let (id, at) = (new_id(), cx.now);
                asked.open = Some(Open { id, number: *number, at, again_at: at, pause: *pause });
            }
            if let Some(id) = asked.open.as_mut().and_then(|open| open.send(cx)) {
                let inquiry = Some(Inquiry::Surveys(own.clone()));
                let frame = Frame { id: Some(id), inquiry, ..Frame::new(incarnation, Claim::default()) };
                cx.effects.push_back(Effect::Send { peer: name.clone(), frame });
            }
        }
        self.due = peers.values().filter_map(|asked| asked.next(refresh)).min();
    }

    /// Learns from a frame of a peer, whose rows are merged.
    pub(super) fn hear(
        &mut self,
        from: &NodeId,
        frame: &Frame,
        (own, rows): (&ReplicaId, &Rows),
        now: Duration,
    ) {
        let Some(asked) = self.peers.get_mut(from) else { return };
        if asked.covers.is_some_and(|(process, _)| process != frame.incarnation) {
            // What the process before had told may be lost with it.
            (asked.told, asked.covers) = (None, None);
        }
        let Some(Inquiry::Shows(shown)) = &frame.inquiry else { return };
        let Some(open) = asked.open.take_if(|open| frame.answers == Some(open.id)) else { return };
        asked.covers = Some((frame.incarnation, shown.get(own).copied().unwrap_or_default()));
        // Of its own row this process knows more than any peer.
        let lacks = shown.iter().filter(|(replica, _)| *replica != own);
        let lacks = lacks.map(|(replica, version)| (replica.clone(), *version)).collect();
        asked.told = Some(Told { question: (open.number, open.at), lacks, until: now + 4 * self.pause });
        self.is_unsettled = true;
        self.settle(rows);
    }

    /// Finds out which answers are complete by now.
    pub(super) fn settle(&mut self, rows: &Rows) {
        if !self.is_unsettled {
            return;
        }
        self.is_unsettled = false;
        for asked in self.peers.values_mut() {
            if let Some(told) = asked.told.take_if(|told| told.is_complete(rows)) {
                asked.complete = Some(told.question);
                // Whoever has come meanwhile waits for the next question.
                self.due = Some(Duration::ZERO);
            }
            self.is_unsettled |= asked.told.is_some();
        }
        self.note_oldest();
    }

    fn note_oldest(&mut self) {
        let alone = Some((u64::MAX, Duration::MAX));
        let complete = self.peers.values().map(|asked| asked.complete);
        self.oldest = complete.fold(alone, |oldest, complete| {
            oldest.zip(complete).map(|(one, other)| (one.0.min(other.0), one.1.min(other.1)))
        });
    }

    /// Whether all peers have answered completely, each a question after the one with this number.
    pub(crate) fn all_have_told_since(&self, number: u64) -> bool {
        self.oldest.is_some_and(|(oldest, _)| oldest > number)
    }

    /// The peers that have not.
    pub(crate) fn untold_since(&self, number: u64) -> impl Iterator<Item = &NodeId> {
        let has_told = move |asked: &Asked| asked.complete.is_some_and(|(told, _)| told > number);
        self.peers.iter().filter(move |(_, asked)| !has_told(asked)).map(|(name, _)| name)
    }

    /// The time of the oldest question among the last ones that were answered completely, one a peer.
    pub(crate) fn complete_as_of(&self) -> Option<Duration> {
        self.oldest.map(|(_, at)| at)
    }

    /// The time of the last question that this peer has answered completely.
    pub(super) fn told_as_of(&self, name: &NodeId) -> Option<Duration> {
        self.peers.get(name)?.complete.map(|(_, at)| at)
    }

    /// The version of this process's row that a peer had when it answered last.
    pub(super) fn covers(&self, name: &NodeId) -> Option<u64> {
        self.peers.get(name)?.covers.map(|(_, version)| version)
    }

    /// When a question is due, if nothing happens before.
    pub(super) fn next_tick(&self) -> Option<Duration> {
        self.due
    }

    fn len(&self) -> u32 {
        self.peers.len().try_into().unwrap_or(u32::MAX)
    }
}

impl Asked {
    /// Somebody waits for the answer to the next question. An open one is answered first: it goes out again at this time, if it is
    /// not due before.
    fn want(&mut self, again_at: Duration) {
        self.is_wanted = true;
        if let Some(open) = &mut self.open {
            open.again_at = open.again_at.min(again_at);
        }
    }

    /// The number and the time of the last question that was answered.
    fn last(&self) -> Option<(u64, Duration)> {
        self.told.as_ref().map(|told| told.question).or(self.complete)
    }

    /// Whether the next question is due.
    fn is_due(&self, refresh: Option<Duration>, now: Duration) -> bool {
        self.open.is_none() && self.next(refresh).is_some_and(|at| at <= now)
    }

    /// When something is to be sent.
    fn next(&self, refresh: Option<Duration>) -> Option<Duration> {
        if let Some(open) = &self.open {
            return Some(open.again_at);
        }
        let stale_at = refresh.map(|every| self.last().map_or(Duration::ZERO, |(_, at)| at + every));
        let at = if self.is_wanted { Some(Duration::ZERO) } else { stale_at }?;
        Some(self.told.as_ref().map_or(at, |told| at.max(told.until)))
    }
}

impl Open {
    /// The question goes out, if it is time. Returns its id.
    fn send(&mut self, cx: &mut Context<'_>) -> Option<FrameId> {
        if cx.now < self.again_at {
            return None;
        }
        self.again_at = cx.now + cx.jittered(self.pause);
        self.pause = self.pause.saturating_mul(2).min(PEER_BACKOFF_MAX);
        Some(self.id)
    }
}

impl Told {
    /// Whether all that the peer has told is shown here.
    fn is_complete(&mut self, rows: &Rows) -> bool {
        while let Some(lacks) = self.lacks.first_entry() {
            if rows.version(lacks.key()) < *lacks.get() {
                return false;
            }
            lacks.remove();
        }
        true
    }
}
