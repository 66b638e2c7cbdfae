//! What a client is sent: replies, as RESP2 or RESP3.

use embedded::Answer;

use super::refusals::{self, Problem};

/// The replies to commands that are handled together.
///
/// They are written before the changes are durable, for their values are known by then. Each reply that must wait
/// [takes a place](Self::await_answer) in the [group](embedded::Group) of answers. If one is a refusal, it replaces the reply.
#[derive(Debug, Default)]
pub(super) struct Replies {
    bytes: Vec<u8>,
    /// The replies that wait, in the order of the places in the group: where each lies.
    waiting: Vec<(usize, usize)>,
    /// Whether the client speaks RESP3.
    pub(super) is_resp3: bool,
}

impl Replies {
    /// The bytes so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What is written from there on waits for the next answer of the group.
    pub(super) fn await_answer(&mut self, from: usize) {
        self.waiting.push((from, self.bytes.len()));
    }

    /// Whether a reply waits.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts the refusals among the answers into their places.
    pub(super) fn settle(&mut self, answers: &[Answer]) {
        let waiting = std::mem::take(&mut self.waiting);
        if answers.len() == waiting.len() && answers.iter().all(Result::is_ok) {
            self.waiting = waiting;
            return self.waiting.clear();
        }
        let bytes = std::mem::take(&mut self.bytes);
        let mut at = 0;
        for (number, (from, upto)) in waiting.into_iter().enumerate() {
            let refused = match answers.get(number) {
                Some(Ok(_)) => continue,
                Some(Err(refused)) => *refused,
                // A group that has failed as a whole has one answer.
                None => embedded::Refused::Failed,
            };
            self.bytes.extend_from_slice(bytes.get(at..from).unwrap_or_default());
            self.problem(&refusals::refused(refused));
            at = upto;
        }
        self.bytes.extend_from_slice(bytes.get(at..).unwrap_or_default());
    }

    /// The bytes to send. [`clear`](Self::clear) them once they are sent.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was sent. Keeps the memory, if it is not much.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(MOST_KEPT);
    }

    /// Takes back what was written from there on.
    pub(super) fn truncate(&mut self, from: usize) {
        self.bytes.truncate(from);
    }

    /// `+OK`
    pub(super) fn ok(&mut self) {
        self.simple("OK");
    }

    /// A short text of our own.
    pub(super) fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error. It becomes one line.
    pub(super) fn problem(&mut self, Problem(code, text): &Problem) {
        self.bytes.push(b'-');
        self.bytes.extend_from_slice(code.as_bytes());
        self.bytes.push(b' ');
        let is_break = |byte: u8| byte == b'\r' || byte == b'\n';
        self.bytes.extend(text.bytes().map(|byte| if is_break(byte) { b' ' } else { byte }));
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// An integer.
    pub(super) fn integer(&mut self, value: i64) {
        self.line(b':', itoa::Buffer::new().format(value).as_bytes());
    }

    /// How many.
    pub(super) fn count(&mut self, count: usize) {
        self.line(b':', itoa::Buffer::new().format(count).as_bytes());
    }

    /// A string.
    pub(super) fn bulk(&mut self, text: impl AsRef<[u8]>) {
        self.header(b'$', text.as_ref().len());
        self.bytes.extend_from_slice(text.as_ref());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A text for people.
    pub(super) fn text(&mut self, text: &str) {
        if !self.is_resp3 {
            return self.bulk(text);
        }
        self.header(b'=', text.len() + 4);
        self.bytes.extend_from_slice(b"txt:");
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A value as a string, or nil.
    pub(super) fn value(&mut self, value: Option<i128>) {
        match value {
            Some(value) => self.bulk(itoa::Buffer::new().format(value)),
            None => self.nil(),
        }
    }

    /// Nil.
    pub(super) fn nil(&mut self) {
        self.bytes.extend_from_slice(if self.is_resp3 { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// Nil where an array is expected.
    pub(super) fn nil_array(&mut self) {
        self.bytes.extend_from_slice(if self.is_resp3 { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// Begins an array. So many elements must follow.
    pub(super) fn array(&mut self, length: usize) {
        self.header(b'*', length);
    }

    /// Begins a map. So many pairs must follow.
    pub(super) fn map(&mut self, length: usize) {
        if self.is_resp3 { self.header(b'%', length) } else { self.header(b'*', length.saturating_mul(2)) }
    }

    /// Begins a set. So many elements must follow.
    pub(super) fn set(&mut self, length: usize) {
        self.header(if self.is_resp3 { b'~' } else { b'*' }, length);
    }

    fn header(&mut self, kind: u8, length: usize) {
        self.line(kind, itoa::Buffer::new().format(length).as_bytes());
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// A connection keeps so much memory for replies.
const MOST_KEPT: usize = 64 << 10;
