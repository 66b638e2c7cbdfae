//! Reading peers' slots through the store: what unreachable peers had counted, and, after a restart, what
//! everybody had.
//!
//! The store is sequentially consistent: a read may be answered from an old state, unless this node has
//! written something new since. So a sweep begins with a write of a value never written before, to a key of
//! its own, unless a compare-and-set of the slot has done that service since the last sweep.

use std::collections::BTreeMap;
use std::time::Duration;

use tracing::{debug, warn};

use crate::codec::cut;
use crate::message::{Claim, KEY_DOES_NOT_EXIST, MsgId, Name, Outgoing, Reply, Say};
use crate::node::arrivals::Arrivals;
use crate::node::msg_ids::MsgIds;
use crate::node::slot::SlotValue;
use crate::replica::Replica;

/// The pause before the next sweep, after one that brought news and, doubled each time, at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

/// Reads other nodes' slots.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    store: Name,
    own: Replica,
    phase: Phase,
    /// How many barriers this life has written: the next one's value was never there before.
    barriers: u64,
    /// How many writes of the own slot had been confirmed when the last sweep began.
    seen_slot_writes: u64,
    pause: Duration,
}

#[derive(Debug, Clone)]
enum Phase {
    /// The next sweep begins at this time, if there is anybody to read.
    Resting(Duration),
    /// A barrier is on its way; then these are read.
    Barrier { msg_id: MsgId, targets: Vec<Name>, give_up_at: Duration },
    /// These answers are open.
    Reading { open: BTreeMap<MsgId, Name>, give_up_at: Duration },
}

/// What the node tells about its store when it polls a sweep.
pub(super) struct StoreView {
    /// How many writes of the own slot have been confirmed.
    pub slot_writes: u64,
    /// How long an answer may take.
    pub patience: Duration,
}

impl Sweep {
    pub(super) fn new(store: Name, own: Replica) -> Self {
        let phase = Phase::Resting(Duration::ZERO);
        Self { store, own, phase, barriers: 0, seen_slot_writes: 0, pause: PAUSE.0 }
    }

    pub(super) fn is_resting(&self) -> bool {
        matches!(self.phase, Phase::Resting(_))
    }

    /// Ends a sweep that got no answer in time. All that was handed in until `heard` has been handled.
    pub(super) fn give_up(&mut self, heard: Duration, now: Duration) {
        match &self.phase {
            Phase::Barrier { give_up_at, .. } | Phase::Reading { give_up_at, .. } if heard >= *give_up_at => {
                debug!("a sweep of the store got no answer in time");
                self.rest(now);
            }
            Phase::Resting(_) | Phase::Barrier { .. } | Phase::Reading { .. } => {}
        }
    }

    /// Begins a sweep if it is time and there is anybody to read.
    pub(super) fn poll(
        &mut self,
        targets: impl FnOnce() -> Vec<Name>,
        store: &StoreView,
        now: Duration,
        ids: &mut MsgIds,
        out: &mut Vec<Outgoing>,
    ) {
        match &self.phase {
            Phase::Resting(until) if now >= *until => {
                let targets = targets();
                if !targets.is_empty() {
                    self.begin(targets, store, now, ids, out);
                }
            }
            Phase::Resting(_) | Phase::Barrier { .. } | Phase::Reading { .. } => {}
        }
    }

    /// Begins a sweep over `targets` now.
    pub(super) fn begin(
        &mut self,
        targets: Vec<Name>,
        store: &StoreView,
        now: Duration,
        ids: &mut MsgIds,
        out: &mut Vec<Outgoing>,
    ) {
        let give_up_at = now + store.patience;
        if store.slot_writes > self.seen_slot_writes {
            self.seen_slot_writes = store.slot_writes;
            self.read(targets, give_up_at, ids, out);
            return;
        }
        self.barriers += 1;
        let say = Say::StoreWrite {
            key: format!("{}/barrier", self.own.node()).into(),
            value: format!("{}/{}", self.own, self.barriers),
        };
        let msg_id = ids.next();
        out.push(self.to_store(msg_id, say));
        self.phase = Phase::Barrier { msg_id, targets, give_up_at };
    }

    fn read(&mut self, targets: Vec<Name>, give_up_at: Duration, ids: &mut MsgIds, out: &mut Vec<Outgoing>) {
        if targets.is_empty() {
            return;
        }
        let open: BTreeMap<MsgId, Name> = targets.into_iter().map(|name| (ids.next(), name)).collect();
        out.extend(open.iter().map(|(id, name)| self.to_store(*id, Say::StoreRead(name.clone()))));
        self.phase = Phase::Reading { open, give_up_at };
    }

    fn to_store(&self, msg_id: MsgId, say: Say) -> Outgoing {
        Outgoing::request(self.store.clone(), msg_id, say)
    }

    /// Takes the store's answer to the message `msg_id`; `Some` is what it brings, to be merged.
    pub(super) fn answer(
        &mut self,
        msg_id: MsgId,
        reply: &Reply<'_>,
        now: Duration,
        ids: &mut MsgIds,
        out: &mut Vec<Outgoing>,
    ) -> Option<Claim> {
        match &mut self.phase {
            Phase::Barrier { msg_id: asked, targets, give_up_at } if *asked == msg_id => {
                let (targets, give_up_at) = (std::mem::take(targets), *give_up_at);
                match reply {
                    Reply::WriteOk => self.read(targets, give_up_at, ids, out),
                    other => {
                        debug!(answer = %cut(&other.to_string()), "the store refuses a barrier");
                        self.rest(now);
                    }
                }
                None
            }
            Phase::Reading { open, .. } => {
                let peer = open.remove(&msg_id)?;
                if open.is_empty() {
                    self.rest(now);
                }
                slot_of(&peer, reply)
            }
            Phase::Resting(_) | Phase::Barrier { .. } => None,
        }
    }

    /// Something that a sweep brought was news: the next one comes soon.
    pub(super) fn brought_news(&mut self, now: Duration) {
        self.pause = PAUSE.0;
        if self.is_resting() {
            self.rest(now);
        }
    }

    fn rest(&mut self, now: Duration) {
        self.phase = Phase::Resting(now + self.pause);
        self.pause = self.pause.saturating_mul(2).min(PAUSE.1);
    }

    /// When [`poll`](Self::poll) is due again, if no answer comes until then.
    pub(super) fn next_wake(&self, anybody_to_read: bool, arrivals: &Arrivals) -> Option<Duration> {
        match &self.phase {
            Phase::Resting(until) => anybody_to_read.then_some(*until),
            Phase::Barrier { give_up_at, .. } | Phase::Reading { give_up_at, .. } => {
                Some(arrivals.known_at(*give_up_at))
            }
        }
    }
}

/// What a peer's slot says, if the answer brings it.
fn slot_of(peer: &Name, reply: &Reply<'_>) -> Option<Claim> {
    match reply {
        Reply::ReadOk { value } => match SlotValue::parse(peer, value) {
            Ok(slot) => Some(slot.claim()),
            Err(problem) => {
                warn!(%peer, value = %cut(value.get()), problem, "a peer's slot can't be read");
                None
            }
        },
        Reply::Error { code: KEY_DOES_NOT_EXIST, .. } => None,
        other => {
            debug!(%peer, answer = %cut(&other.to_string()), "the store does not tell a peer's slot");
            None
        }
    }
}
