//! The stream, as one server has it.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A change of the stream: a message that replaces the one before on its subject.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) subject: Rc<str>,
    pub(crate) payload: Rc<[u8]>,
}

/// The messages by their sequence numbers, each with its subject. Each subject has one at most.
#[derive(Clone, Default)]
pub(crate) struct Copy {
    messages: BTreeMap<u64, Change>,
    places: BTreeMap<Rc<str>, u64>,
    last: u64,
}

impl Copy {
    /// Makes a change. Returns the sequence number of the new message.
    pub(crate) fn apply(&mut self, change: &Change) -> u64 {
        self.last += 1;
        if let Some(before) = self.places.insert(change.subject.clone(), self.last) {
            self.messages.remove(&before);
        }
        self.messages.insert(self.last, change.clone());
        self.last
    }

    /// The sequence number of the last message on a subject, or on those that a filter means; 0 without one.
    pub(crate) fn last_on(&self, filter: &str) -> u64 {
        match self.places.get(filter) {
            Some(last) => *last,
            None if !filter.contains('*') => 0,
            None => {
                let met = self.places.iter().filter(|(subject, _)| matches(filter, subject));
                met.map(|(_, last)| *last).max().unwrap_or_default()
            }
        }
    }

    /// The first message on these subjects after this one.
    pub(crate) fn next(&self, after: u64, filters: &[String]) -> Option<(u64, &Change)> {
        let is_read = |change: &Change| filters.iter().any(|filter| matches(filter, &change.subject));
        self.messages.range(after + 1..).find(|(_, change)| is_read(change)).map(|(at, change)| (*at, change))
    }
}

/// Whether a subject is one of those that a filter means: `*` is any token, and `>` any rest.
pub(crate) fn matches(filter: &str, subject: &str) -> bool {
    let (mut filter, mut subject) = (filter.split('.'), subject.split('.'));
    loop {
        match (filter.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some(wanted), Some(token)) if wanted == "*" || wanted == token => {}
            _ => return false,
        }
    }
}

#[test]
fn filters_match_as_in_nats() {
    let met = [("a.*.c", "a.b.c"), ("a.>", "a.b.c"), ("a.b", "a.b")];
    let missed = [("a.*", "a.b.c"), ("a.>", "a"), ("a.b.c", "a.b"), ("*.c", "a.b")];
    assert!(met.into_iter().all(|(filter, subject)| matches(filter, subject)));
    assert!(!missed.into_iter().any(|(filter, subject)| matches(filter, subject)));
}
