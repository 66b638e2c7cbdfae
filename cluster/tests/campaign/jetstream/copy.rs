//! The stream, as one server has it.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A change of the stream.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Append {
        subject: Rc<str>,
        payload: Rc<[u8]>,
        /// Whether it replaces all messages on its subject.
        is_alone: bool,
    },
    Purge {
        filter: String,
        before: Option<u64>,
    },
}

/// The messages by their sequence numbers, each with its subject.
#[derive(Clone, Default)]
pub(crate) struct Copy {
    messages: BTreeMap<u64, (Rc<str>, Rc<[u8]>)>,
    last: u64,
}

impl Copy {
    /// Makes a change. Returns the sequence number of the last message ever.
    pub(crate) fn apply(&mut self, change: &Change) -> u64 {
        match change {
            Change::Append { subject, payload, is_alone } => {
                if *is_alone {
                    self.messages.retain(|_, (other, _)| other != subject);
                }
                self.last += 1;
                self.messages.insert(self.last, (subject.clone(), payload.clone()));
            }
            Change::Purge { filter, before } => {
                let before = before.unwrap_or(u64::MAX);
                self.messages.retain(|at, (subject, _)| *at >= before || !matches(filter, subject));
            }
        }
        self.last
    }

    /// The sequence number of the last message on a subject; 0 without one.
    pub(crate) fn last_on(&self, subject: &str) -> u64 {
        self.messages.iter().rev().find(|(_, (other, _))| **other == *subject).map_or(0, |(at, _)| *at)
    }

    /// All messages: their sequence numbers and subjects.
    #[allow(dead_code, reason = "one of two test targets uses it")]
    pub(crate) fn subjects(&self) -> impl Iterator<Item = (u64, &Rc<str>)> {
        self.messages.iter().map(|(at, (subject, _))| (*at, subject))
    }

    /// The first message on these subjects after this one.
    pub(crate) fn next(&self, after: u64, filters: &[String]) -> Option<(u64, &str, &[u8])> {
        let mut later = self.messages.range(after + 1..);
        let found = later.find(|(_, (subject, _))| filters.iter().any(|filter| matches(filter, subject)))?;
        let (at, (subject, payload)) = found;
        Some((*at, subject, payload))
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
