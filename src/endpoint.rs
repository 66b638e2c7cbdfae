//! A [`Node`] behind its codec: lines in, lines out, without I/O, clock or generator.
//!
//! The shell drives it with real lines and real time. Simulations drive the same type, so that every simulated message
//! passes through the real encoder and decoder.

use std::ops::Range;
use std::time::Duration;

use rand::Rng;
use replica::{NodeId, Rows};
use tracing::{trace, warn};

use crate::codec::{self, Reject, cut};
use crate::config::{Config, MAX_LINE};
use crate::message::Outgoing;
use crate::node::{Event, Node};

/// A node that reads and writes lines.
///
/// 1. Report each look at the input with [`looked`](Self::looked), then hand over the lines.
/// 2. Call [`wake`](Self::wake) after each batch of lines, and after a look that found none. Call it again no later than
///    [`next_wake`](Self::next_wake).
/// 3. The endpoint appends its lines to one buffer. Call [`withdraw`](Self::withdraw) just before you write the buffer.
/// 4. Empty the buffer when it is written.
#[derive(Debug, Clone)]
pub struct Endpoint<R> {
    node: Node<R>,
    /// The name that lines before `init` address this node by.
    called: String,
    unwritten: Unwritten,
}

/// The answers in the buffer that are not written yet.
#[derive(Debug, Clone)]
struct Unwritten {
    /// The answers to clients: their places in the buffer, and until when they may leave.
    answers: Vec<(Range<usize>, Duration)>,
    /// The earliest of these times.
    first_due: Duration,
}

impl<R: Rng> Endpoint<R> {
    /// A node that waits for its `init`. Give every process a generator of its own.
    pub fn new(config: Config, rng: R) -> Self {
        Self { node: Node::new(config, rng), called: String::new(), unwritten: Unwritten::nothing() }
    }

    /// The node behind the codec.
    pub fn node(&self) -> &Node<R> {
        &self.node
    }

    /// Reports a look at the input and the number of bytes that were read: 0 if the input was empty. See
    /// [`Node::looked`].
    pub fn looked(&mut self, at: Duration, bytes: usize) {
        self.node.looked(at, bytes);
    }

    /// Takes one line, with or without its line end, and appends to `out` the lines that answer it at once.
    pub fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        trace!(line = %String::from_utf8_lossy(line), "in");
        if self.node.name().is_none() {
            self.called = codec::addressee(line).unwrap_or_default();
        }
        let nothing = Rows::new();
        let event = match codec::decode(line, self.node.state().unwrap_or(&nothing)) {
            Ok(message) => Event::Message(message),
            Err(Reject::Refuse { src, msg_id, code, text }) => {
                warn!(%src, text, "a request is refused");
                Event::Refuse { src, msg_id, code, text }
            }
            Err(Reject::Unanswerable(problem)) => {
                let line = String::from_utf8_lossy(line.get(..512).unwrap_or(line));
                return warn!(problem, line = %cut(&line), "a line is ignored");
            }
        };
        self.handle(now, event, out);
    }

    /// Removes from `out` the answers that may no longer leave at `now`. The first `written` bytes have left already, and
    /// messages to peers and to the store stay.
    ///
    /// Call it at the last moment: the process may have been stopped between the handling of a request and the writing of
    /// its answer.
    pub fn withdraw(&mut self, now: Duration, written: usize, out: &mut Vec<u8>) {
        if now > self.unwritten.first_due {
            self.unwritten.withdraw(now, written, out);
        }
    }

    /// Reports that the buffer is written, and empty again.
    pub fn written(&mut self) {
        self.unwritten = Unwritten::nothing();
    }

    /// Reports a line that was too long to be kept.
    pub fn skipped(&self, length: usize) {
        warn!(length, longest = MAX_LINE, "a line is too long and is ignored");
    }

    /// Ends a batch: does what is due.
    pub fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.handle(now, Event::Wake, out);
    }

    /// Begins a clean shutdown, as on SIGTERM.
    pub fn terminate(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.handle(now, Event::Terminate, out);
    }

    /// Reports that the input has ended. The node says its last.
    pub fn input_closed(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.handle(now, Event::InputClosed, out);
    }

    /// When [`wake`](Self::wake) is due, if no line comes before.
    pub fn next_wake(&self) -> Option<Duration> {
        self.node.next_wake()
    }

    /// Whether the node has shut down.
    pub fn is_done(&self) -> bool {
        self.node.is_done()
    }

    fn handle(&mut self, now: Duration, event: Event<'_>, out: &mut Vec<u8>) {
        if out.is_empty() {
            self.written();
        }
        let name = self.node.name().cloned();
        let name = name.as_ref().map_or(self.called.as_str(), NodeId::as_str);
        self.node.handle(now, event, &mut |message| self.unwritten.say(name, &message, out));
    }
}

impl Unwritten {
    fn nothing() -> Self {
        Self { answers: Vec::new(), first_due: Duration::MAX }
    }

    fn say(&mut self, name: &str, message: &Outgoing<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        codec::encode(name, message, out);
        if let Some(by) = message.by {
            self.first_due = self.first_due.min(by);
            self.answers.push((start..out.len(), by));
        }
        trace!(line = %String::from_utf8_lossy(out.get(start..).unwrap_or_default().trim_ascii_end()), "out");
    }

    fn withdraw(&mut self, now: Duration, written: usize, out: &mut Vec<u8>) {
        let before = out.len();
        let mut kept = out.get(..written).unwrap_or_default().to_vec();
        let mut rest = written;
        let mut answers = Vec::new();
        self.first_due = Duration::MAX;
        for (place, by) in self.answers.drain(..).filter(|(place, _)| written <= place.start) {
            kept.extend_from_slice(out.get(rest..place.start).unwrap_or_default());
            rest = place.end;
            if now <= by {
                let start = kept.len();
                kept.extend_from_slice(out.get(place).unwrap_or_default());
                answers.push((start..kept.len(), by));
                self.first_due = self.first_due.min(by);
            }
        }
        kept.extend_from_slice(out.get(rest..).unwrap_or_default());
        (*out, self.answers) = (kept, answers);
        if out.len() < before {
            warn!("answers are withdrawn: they could not leave in time, and their clients may be gone");
        }
    }
}
