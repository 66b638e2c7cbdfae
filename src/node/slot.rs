//! The node's own slot in the store: one key, one writer, compare-and-set only, one request at a time.
//!
//! The slot holds the part of the vector that belongs to this node, all its lives. It starts by reading what
//! is there and goes on from the last value known. A request that is not answered is sent again as it was,
//! under a new id: a compare-and-set that was done unheard then finds another value than it names. That, and
//! any other error, leave the value unknown, and the key is read again. Counts are absolute, so a retry can't
//! count twice; and what a read brings is merged before anything is written, so the slot never goes down.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tracing::{debug, error, info, warn};

use crate::codec::cut;
use crate::config::Config;
use crate::message::{KEY_DOES_NOT_EXIST, MsgId, Name, PRECONDITION_FAILED, Reply, Say};
use crate::replica::Replica;
use crate::vector::{Tally, Vector, filtered, from_tallies, tallies};

/// How long after a refusal the store is asked again, at first and at most.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A request is sent again after so many usual round trips without an answer, within the timeout.
const ROUND_TRIPS: u32 = 2;
/// No answer is waited for longer than this, however slow the store has been.
const PATIENCE_MAX: Duration = Duration::from_secs(4);
const RESEND_AFTER_MIN: Duration = Duration::from_millis(25);

/// An answer counts only to so many of a request's last transmissions.
const MAX_TRANSMISSIONS: usize = 64;

/// The own slot, as the node knows it.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    key: Name,
    own: Replica,
    content: Content,
    /// The state may hold more for the slot than is there or on its way.
    dirty: bool,
    open: Option<Open>,
    /// The own [progress](Tally::progress) that the store has confirmed.
    confirmed: u128,
    /// The most that this life has asked the store to hold of it.
    offered: Tally,
    /// How many values of this life are known to have been written.
    writes: u64,
    has_earlier_lives: bool,
    down: bool,
    /// How long the store may be silent before it counts as down.
    timeout: Duration,
    /// How long the store takes to answer, smoothed, once it has answered.
    round_trip: Option<Duration>,
    retry_after: Duration,
    not_before: Duration,
    /// The least time between two requests: while nobody waits for the slot, writes keep a distance.
    spacing: Duration,
}

/// What is in the store under the slot's key.
#[derive(Debug, Clone)]
enum Content {
    /// Not known: to be read.
    Unknown,
    /// Nothing.
    Nothing,
    /// This, word for word.
    Known(Arc<RawValue>, Vector),
    /// Something that this node did not write and must not overwrite.
    Foreign,
}

/// A request that the store has yet to answer.
#[derive(Debug, Clone)]
struct Open {
    say: Say,
    /// `None` for a read.
    write: Option<Write>,
    since: Duration,
    resend_at: Duration,
    /// Its last transmissions, each with its time.
    transmissions: VecDeque<(MsgId, Duration)>,
}

#[derive(Debug, Clone)]
struct Write {
    text: Arc<RawValue>,
    counts: Vector,
}

impl Slot {
    pub(super) fn new(key: Name, own: Replica, config: &Config, spacing: Duration) -> Self {
        Self {
            key,
            own,
            content: Content::Unknown,
            dirty: true,
            open: None,
            confirmed: 0,
            offered: Tally::default(),
            writes: 0,
            has_earlier_lives: false,
            down: false,
            timeout: config.store_timeout,
            round_trip: None,
            retry_after: RETRY_AFTER.0,
            not_before: Duration::ZERO,
            spacing,
        }
    }

    /// The own [progress](Tally::progress) that is certain to be in the store.
    pub(super) fn confirmed(&self) -> u128 {
        self.confirmed
    }

    /// The store has been silent for longer than the timeout, or refuses, or holds what can't be replaced.
    pub(super) fn is_down(&self) -> bool {
        self.down
    }

    /// How many values of this life are in the store. Each was new there: reads of other keys sent after its
    /// confirmation see all that was stored before it.
    pub(super) fn writes(&self) -> u64 {
        self.writes
    }

    /// The slot was there when this process started: the node has lived before.
    pub(super) fn has_earlier_lives(&self) -> bool {
        self.has_earlier_lives
    }

    /// How long the store takes to answer at the moment; zero while that is not known.
    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip.unwrap_or_default()
    }

    /// How long an answer of the store may take at the moment.
    pub(super) fn patience(&self) -> Duration {
        self.usual_round_trips().clamp(self.timeout, PATIENCE_MAX.max(self.timeout))
    }

    /// Everything that belongs into the slot is known to be there.
    pub(super) fn is_clean(&self) -> bool {
        !self.dirty && self.open.is_none()
    }

    /// To be called when an entry of this node's has grown, or may have.
    pub(super) fn touch(&mut self) {
        self.dirty = true;
    }

    /// Lets the next request go without regard to the spacing.
    pub(super) fn hurry(&mut self) {
        self.spacing = Duration::ZERO;
        self.not_before = Duration::ZERO;
    }

    /// The process did not run for so long: an open request has not been waited for in that time.
    pub(super) fn did_not_run_for(&mut self, gap: Duration) {
        if let Some(open) = &mut self.open {
            open.since += gap;
            open.resend_at += gap;
            open.transmissions.iter_mut().for_each(|(_, sent_at)| *sent_at += gap);
        }
    }

    /// The request to send now, if one is due.
    pub(super) fn poll(
        &mut self,
        state: &Vector,
        now: Duration,
        next_id: &mut impl FnMut() -> MsgId,
    ) -> Option<(MsgId, Say)> {
        if let Some(open) = &mut self.open {
            if now >= open.since + self.timeout && !self.down {
                warn!("the store does not answer");
                self.down = true;
            }
            if now < open.resend_at {
                return None;
            }
            let pause = if self.down { self.timeout / 4 } else { self.resend_after() };
            return self.open.as_mut().map(|open| open.transmit(now, pause, next_id()));
        }
        if !self.dirty || now < self.not_before {
            return None;
        }
        let (say, write) = match &self.content {
            Content::Unknown | Content::Foreign => (Say::StoreRead(self.key.clone()), None),
            Content::Nothing => self.compare_and_set(None, self.own_part(state))?,
            Content::Known(text, stored) => {
                let counts = self.own_part(state);
                if self.writes > 0 && counts <= *stored {
                    self.dirty = false;
                    return None;
                }
                self.compare_and_set(Some(text.clone()), counts)?
            }
        };
        self.dirty &= write.is_none();
        if let Some(write) = &write {
            self.offered = Tally::of(&write.counts, &self.own);
        }
        self.not_before = now + self.spacing;
        let pause = self.resend_after();
        let open = Open { say, write, since: now, resend_at: now, transmissions: VecDeque::new() };
        Some(self.open.insert(open).transmit(now, pause, next_id()))
    }

    /// How long an answer may take until the request is sent again.
    fn resend_after(&self) -> Duration {
        self.usual_round_trips().clamp(RESEND_AFTER_MIN.min(self.timeout), self.timeout)
    }

    fn usual_round_trips(&self) -> Duration {
        self.round_trip.map_or(self.timeout / 4, |once| once.saturating_mul(ROUND_TRIPS))
    }

    fn own_part(&self, state: &Vector) -> Vector {
        filtered(state, |replica| replica.node() == self.own.node())
    }

    fn compare_and_set(&self, from: Option<Arc<RawValue>>, counts: Vector) -> Option<(Say, Option<Write>)> {
        let text = slot_text(&self.own, &counts)?;
        let say = Say::StoreCas { key: self.key.clone(), from, to: text.clone() };
        Some((say, Some(Write { text, counts })))
    }

    /// When [`poll`](Self::poll) is due again, if no answer comes until then.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        match &self.open {
            Some(open) if self.down => Some(open.resend_at),
            Some(open) => Some(open.resend_at.min(open.since + self.timeout)),
            None => self.dirty.then_some(self.not_before),
        }
    }

    /// Takes the store's answer to the message `msg_id`, if the slot has asked; `Some` are the counts that a
    /// read has brought, to be merged.
    pub(super) fn answer(&mut self, msg_id: MsgId, reply: &Reply<'_>, now: Duration) -> Option<Vector> {
        let sent_at = self.open.as_ref()?.sent_at(msg_id)?;
        let open = self.open.take()?;
        match (open.write, reply) {
            (Some(write), Reply::CasOk) => {
                self.confirmed = self.confirmed.max(Tally::of(&write.counts, &self.own).progress());
                self.content = Content::Known(write.text, write.counts);
                self.writes += 1;
                self.retry_after = RETRY_AFTER.0;
            }
            (None, Reply::ReadOk { value }) => return self.found(value, sent_at, now),
            (None, Reply::Error { code: KEY_DOES_NOT_EXIST, .. }) => self.content = Content::Nothing,
            (Some(_), Reply::Error { code: PRECONDITION_FAILED | KEY_DOES_NOT_EXIST, .. }) => {
                debug!("the slot is not what it was");
                self.forget_content();
            }
            (_, refusal) => {
                warn!(answer = ?refusal, "the store does not do what it is asked to");
                self.forget_content();
                self.give_pause(now);
                return None;
            }
        }
        self.is_up(sent_at, now);
        None
    }

    fn found(&mut self, value: &RawValue, sent_at: Duration, now: Duration) -> Option<Vector> {
        match self.read(value) {
            Ok(entries) => {
                match entries.get(&self.own) {
                    Some(tally) => {
                        self.confirmed = self.confirmed.max(tally.progress());
                        self.writes = self.writes.max(1);
                    }
                    None => self.has_earlier_lives = true,
                }
                let counts = from_tallies(&entries);
                self.content = Content::Known(Arc::from(value.to_owned()), counts.clone());
                self.is_up(sent_at, now);
                Some(counts)
            }
            Err(problem) => {
                let value = cut(value.get());
                error!(key = %self.key, %value, problem, "the slot holds what this node did not write: left alone");
                self.content = Content::Foreign;
                self.give_pause(now);
                None
            }
        }
    }

    /// The slot's entries, if they can be true: of this life no more can be there than it has asked for.
    fn read(&self, value: &RawValue) -> Result<BTreeMap<Replica, Tally>, String> {
        let entries = parse_slot(&self.key, value)?;
        let (found, offered) = (entries.get(&self.own).copied().unwrap_or_default(), self.offered);
        if found.up > offered.up || found.down > offered.down {
            return Err(format!("{} has written {offered:?} at most, not {found:?}", self.own));
        }
        Ok(entries)
    }

    fn forget_content(&mut self) {
        self.content = Content::Unknown;
        self.dirty = true;
    }

    fn is_up(&mut self, sent_at: Duration, now: Duration) {
        if std::mem::take(&mut self.down) {
            info!("the store answers");
        }
        let sample = now.saturating_sub(sent_at);
        self.round_trip = Some(self.round_trip.map_or(sample, |smoothed| (smoothed + sample) / 2));
    }

    fn give_pause(&mut self, now: Duration) {
        self.down = true;
        self.not_before = now + self.retry_after;
        self.retry_after = self.retry_after.saturating_mul(2).min(RETRY_AFTER.1);
    }
}

impl Open {
    fn transmit(&mut self, now: Duration, pause: Duration, msg_id: MsgId) -> (MsgId, Say) {
        self.resend_at = now + pause;
        self.transmissions.truncate(MAX_TRANSMISSIONS - 1);
        self.transmissions.push_front((msg_id, now));
        (msg_id, self.say.clone())
    }

    fn sent_at(&self, msg_id: MsgId) -> Option<Duration> {
        self.transmissions.iter().find(|(id, _)| *id == msg_id).map(|(_, at)| *at)
    }
}

/// The entries of the slot of `node`.
///
/// # Errors
///
/// Why this is no slot of that node's.
pub(super) fn parse_slot(node: &str, value: &RawValue) -> Result<BTreeMap<Replica, Tally>, String> {
    let entries: BTreeMap<Replica, Tally> = serde_json::from_str(value.get()).map_err(|e| e.to_string())?;
    match entries.keys().find(|replica| replica.node() != node) {
        Some(stranger) => Err(format!("{stranger} is no life of {node}")),
        None => Ok(entries),
    }
}

/// The slot's value. This life's entry is there even at zero: that makes the value one that was never written
/// before, and so its write a barrier.
fn slot_text(own: &Replica, counts: &Vector) -> Option<Arc<RawValue>> {
    let mut entries = tallies(counts);
    entries.insert(own, Tally::of(counts, own));
    match serde_json::value::to_raw_value(&entries) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            error!(%error, "the slot can't be written");
            None
        }
    }
}
