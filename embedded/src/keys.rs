//! Idempotency keys: which changes were done already.
//!
//! A key is a note beside its change, in the same commit. So after a crash the key is known if and only if its change counts.
//! While this process runs it knows more: which changes are counted and not stored yet.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::Arc;

use replica::store::{Note, Noted};
use replica::{Change, Refusal, Reply, Step, Ticket};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::Refused;
use crate::group::{Answer, Done};

/// How many bytes a key may have.
pub const MAX_KEY: usize = 255;

/// The keys that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    known: BTreeMap<Arc<str>, Entry>,
    /// The keys by the time after which they are forgotten.
    until: BTreeSet<(u64, Arc<str>)>,
    /// The requests that wait: each with its key, and whether it only waits for another one's change.
    open: BTreeMap<Ticket, (Arc<str>, bool)>,
    /// Whether the store has not told yet which keys it knows.
    is_unread: bool,
}

#[derive(Debug)]
struct Entry {
    fingerprint: Fingerprint,
    until: u64,
    /// What the change tells. `None`: it is not known to be counted.
    value: Option<i128>,
    /// Whether the change is known to be durable.
    is_done: bool,
}

/// What a request says, in 16 bytes.
type Fingerprint = [u8; 16];

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// The store has not told yet which keys it knows.
    Unread,
    New,
    /// It was used with another request.
    Reused,
    /// Its change was done, and told this value.
    Done(i128),
    /// Its change is asked for, or counted, and not known to be durable.
    Open,
}

impl Keys {
    /// The keys in these notes.
    pub(crate) fn from_notes(notes: impl IntoIterator<Item = Noted>) -> Self {
        let mut keys = Self::default();
        keys.read(notes);
        keys
    }

    /// No key can be looked up before the notes of the store are [read](Self::read).
    pub(crate) fn unread() -> Self {
        Self { is_unread: true, ..Self::default() }
    }

    /// The store has these notes.
    pub(crate) fn read(&mut self, notes: impl IntoIterator<Item = Noted>) {
        self.is_unread = false;
        for Noted { note, value } in notes {
            let Some((fingerprint, key)) = read_note(&note.text) else { continue };
            self.insert(key, Entry { fingerprint, until: note.until, value: Some(value), is_done: true });
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    pub(crate) fn is_full(&self, most: usize) -> bool {
        self.known.len() >= most
    }

    /// What is known of a key, `now`, in milliseconds since 1970. Forgets the keys whose time is over.
    pub(crate) fn look_up(&mut self, key: &str, change: &Change, now: u64) -> Known {
        if self.is_unread {
            return Known::Unread;
        }
        while self.until.first().is_some_and(|(until, _)| *until < now)
            && let Some((_, key)) = self.until.pop_first()
        {
            self.known.remove(&key);
        }
        match self.known.get(key) {
            None => Known::New,
            Some(entry) if entry.fingerprint != fingerprint(change) => Known::Reused,
            Some(Entry { value: Some(value), is_done: true, .. }) => Known::Done(*value),
            Some(_) => Known::Open,
        }
    }

    /// A change with a new key is asked for. Returns the note to store with it.
    pub(crate) fn begin(&mut self, ticket: Ticket, key: &str, change: &Change, until: u64) -> Note {
        let key: Arc<str> = key.into();
        let fingerprint = fingerprint(change);
        self.insert(key.clone(), Entry { fingerprint, until, value: None, is_done: false });
        self.open.insert(ticket, (key.clone(), false));
        let text = fingerprint.iter().copied().chain(key.bytes()).collect();
        Note { until, text }
    }

    /// A request waits for the change of another one with the same key.
    pub(crate) fn join(&mut self, ticket: Ticket, key: &str) {
        if let Some((key, _)) = self.known.get_key_value(key) {
            self.open.insert(ticket, (key.clone(), true));
        }
    }

    /// A change is counted, and goes to the store with its note.
    pub(crate) fn note_counted(&mut self, noted: &Noted) {
        let Some((_, key)) = read_note(&noted.note.text) else { return };
        if let Some(entry) = self.known.get_mut(&key) {
            entry.value = Some(noted.value);
        }
    }

    /// The replica has answered a request.
    pub(crate) fn note_answer(&mut self, ticket: Ticket, result: &Result<Reply, Refusal>) {
        let Some((key, joins)) = self.open.get(&ticket) else { return };
        let Some(entry) = self.known.get_mut(key) else { return };
        match result {
            // All that was counted before is durable. That includes the change, if it was counted.
            Ok(_) if *joins => entry.is_done = entry.value.is_some(),
            Ok(reply) => {
                (entry.value, entry.is_done) = (Some(reply.value()), true);
            }
            Err(refusal) if *joins || refusal.may_have_counted() => {}
            Err(_) => {
                let (key, until) = (key.clone(), entry.until);
                self.known.remove(&key);
                self.until.remove(&(until, key));
            }
        }
    }

    /// The answer of a request that may have waited for another one's change.
    pub(crate) fn replay(&mut self, ticket: Ticket, answer: Answer) -> Answer {
        let Some((key, joins)) = self.open.remove(&ticket) else { return answer };
        if !joins {
            return answer;
        }
        match self.known.get(&key) {
            Some(Entry { value: Some(value), is_done: true, .. }) => {
                Ok(Done::new(Reply::Value(*value), true))
            }
            // The other change may count yet, whatever became of waiting for it.
            Some(_) => Err(Refusal::NotKnownDurable.into()),
            None => answer.and(Err(Refused::KeyBusy)),
        }
    }

    fn insert(&mut self, key: Arc<str>, entry: Entry) {
        self.until.insert((entry.until, key.clone()));
        if let Some(before) = self.known.insert(key.clone(), entry) {
            self.until.remove(&(before.until, key));
        }
    }
}

fn read_note(text: &[u8]) -> Option<(Fingerprint, Arc<str>)> {
    let (fingerprint, key) = text.split_first_chunk::<16>()?;
    Some((*fingerprint, std::str::from_utf8(key).ok()?.into()))
}

/// Two requests with the same fingerprint are the same request. The keys of the hash are fixed, for it is stored: whoever makes
/// two requests collide fools only himself.
fn fingerprint(change: &Change) -> Fingerprint {
    let mut hasher = SipHasher13::new();
    let text = |hasher: &mut SipHasher13, text: &str| {
        hasher.write(&(text.len() as u64).to_le_bytes());
        hasher.write(text.as_bytes());
    };
    match change {
        Change::Add(name, delta) => {
            hasher.write(&[0]);
            text(&mut hasher, name);
            hasher.write(&delta.to_le_bytes());
        }
        Change::Batch(steps) => {
            hasher.write(&[1]);
            for (name, step) in steps {
                text(&mut hasher, name);
                match step {
                    Step::Add(delta) => hasher.write(&delta.to_le_bytes()),
                    Step::Reset => hasher.write(&[0]),
                }
            }
        }
        Change::Reset(name) => {
            hasher.write(&[2]);
            text(&mut hasher, name);
        }
        Change::Report { counter, source, total } => {
            hasher.write(&[3]);
            text(&mut hasher, counter);
            text(&mut hasher, source);
            hasher.write(&total.to_le_bytes());
        }
    }
    hasher.finish128().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000;

    fn add(delta: i64) -> Change {
        Change::Add("a".into(), delta)
    }

    fn done(reply: Reply) -> Done {
        Done::new(reply, false)
    }

    /// The change is counted, and its client is told that it may count.
    fn in_doubt() -> Keys {
        let mut keys = Keys::default();
        assert_eq!(keys.look_up("k", &add(3), NOW), Known::New);
        let note = keys.begin(Ticket(1), "k", &add(3), NOW + 10);
        keys.note_counted(&Noted { note, value: 45 });
        let refusal = Refusal::NotKnownDurable;
        keys.note_answer(Ticket(1), &Err(refusal));
        assert_eq!(keys.replay(Ticket(1), Err(refusal.into())), Err(refusal.into()));
        assert_eq!(keys.look_up("k", &add(3), NOW), Known::Open);
        keys
    }

    #[test]
    fn a_repetition_tells_what_the_change_in_doubt_did() {
        let mut keys = in_doubt();
        keys.join(Ticket(2), "k");
        keys.note_answer(Ticket(2), &Ok(Reply::Counted));
        let answer = keys.replay(Ticket(2), Ok(done(Reply::Counted)));
        assert_eq!(answer, Ok(Done::new(Reply::Value(45), true)));
        assert_eq!(keys.look_up("k", &add(3), NOW), Known::Done(45));
        assert_eq!(keys.look_up("k", &add(4), NOW), Known::Reused);
    }

    #[test]
    fn a_repetition_that_fails_leaves_the_doubt() {
        let mut keys = in_doubt();
        keys.join(Ticket(2), "k");
        keys.note_answer(Ticket(2), &Err(Refusal::StoreSilent));
        let refused = keys.replay(Ticket(2), Err(Refusal::StoreSilent.into()));
        assert_eq!(refused, Err(Refusal::NotKnownDurable.into()), "it may count yet");
        assert_eq!(keys.look_up("k", &add(3), NOW), Known::Open);
    }

    #[test]
    fn a_refused_change_leaves_its_key_new() {
        let mut keys = Keys::default();
        keys.begin(Ticket(1), "k", &add(3), NOW + 10);
        keys.join(Ticket(2), "k");
        keys.note_answer(Ticket(1), &Err(Refusal::Overflow));
        keys.note_answer(Ticket(2), &Ok(Reply::Counted));
        assert_eq!(keys.replay(Ticket(2), Ok(done(Reply::Counted))), Err(Refused::KeyBusy));
        assert_eq!(keys.look_up("k", &add(4), NOW), Known::New);
    }

    #[test]
    fn a_key_is_forgotten_when_its_time_is_over() {
        let mut keys = in_doubt();
        assert_eq!(keys.look_up("k", &add(3), NOW + 10), Known::Open);
        assert_eq!(keys.look_up("k", &add(3), NOW + 11), Known::New);
        assert_eq!(keys.len(), 0);
    }

    #[test]
    fn no_key_is_new_before_the_notes_are_read() {
        let mut keys = Keys::unread();
        assert_eq!(keys.look_up("k", &add(3), NOW), Known::Unread);
        let note = Keys::default().begin(Ticket(1), "k", &add(3), NOW + 10);
        keys.read([Noted { note, value: 45 }]);
        assert_eq!(keys.look_up("k", &add(3), NOW), Known::Done(45));
    }

    #[test]
    fn notes_bring_their_keys_back() {
        let note = Keys::default().begin(Ticket(1), "k", &add(3), NOW + 10);
        let mut keys = Keys::from_notes([Noted { note, value: 45 }]);
        assert_eq!(keys.look_up("k", &add(3), NOW), Known::Done(45));
    }
}
