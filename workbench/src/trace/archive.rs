//! Older messages, compressed.

use std::time::Duration;

use super::TracedMessage;
use crate::endpoint::Endpoint;
use crate::service::ServiceName;

/// Messages in pieces of 256, in the order of their numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Archive {
    pieces: Vec<Piece>,
    /// The messages that do not fill a piece yet.
    open: Vec<TracedMessage>,
    /// The number of the next message.
    end: u64,
    /// The bytes of the pieces, without those near a mark.
    size: usize,
    bound: usize,
    /// Of so many pieces one is kept. It doubles each time that the bound is reached.
    stride: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Piece {
    /// The number of its first message.
    first: u64,
    /// When its first message was sent, and its last.
    from: Duration,
    until: Duration,
    packed: Box<[u8]>,
}

const PIECE: u64 = 256;

impl Archive {
    pub(super) fn new(bound: usize) -> Self {
        Self { pieces: Vec::new(), open: Vec::new(), end: 0, size: 0, bound, stride: 1 }
    }

    /// The number of the message after the last one.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn omitted(&self) -> u64 {
        self.end - PIECE * self.pieces.len() as u64 - self.open.len() as u64
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Adds the next message. A piece near a mark is never left out.
    pub(super) fn push(&mut self, message: TracedMessage, marks: &[u64]) {
        self.end += 1;
        self.open.push(message);
        if (self.open.len() as u64) < PIECE {
            return;
        }
        if let Some(piece) = Piece::of(&self.open).filter(|piece| piece.is_kept(self.stride, marks)) {
            self.size += piece.size(marks);
            self.pieces.push(piece);
        }
        self.open.clear();
        if self.size > self.bound {
            self.stride = self.stride.saturating_mul(2);
            self.pieces.retain(|piece| piece.is_kept(self.stride, marks));
            self.size = self.pieces.iter().map(|piece| piece.size(marks)).sum();
        }
    }

    /// The number of the first message that was sent after that moment.
    pub(super) fn first_after(&self, at: Duration) -> u64 {
        let place = self.pieces.partition_point(|piece| piece.until <= at);
        if let Some(piece) = self.pieces.get(place) {
            let later = piece.messages().into_iter().find(|message| message.sent > at);
            return later.map_or(piece.first, |message| message.id);
        }
        self.open.iter().find(|message| message.sent > at).map_or(self.end, |message| message.id)
    }

    /// The kept ones of the messages with the numbers from `from` on and below `until`.
    pub(super) fn between(&self, from: u64, until: u64) -> Vec<TracedMessage> {
        let begin = self.pieces.partition_point(|piece| piece.first + PIECE <= from);
        let pieces = self.pieces.iter().skip(begin).take_while(|piece| piece.first < until);
        let messages = pieces.flat_map(Piece::messages).chain(self.open.iter().cloned());
        messages.filter(|message| from <= message.id && message.id < until).collect()
    }
}

impl Piece {
    fn of(messages: &[TracedMessage]) -> Option<Self> {
        let (first, last) = (messages.first()?, messages.last()?);
        let mut bytes = Vec::new();
        for message in messages {
            write_endpoint(&mut bytes, message.src);
            write_endpoint(&mut bytes, message.dest);
            write_number(&mut bytes, nanos(message.sent.saturating_sub(first.sent)));
            let took = message.received.map(|received| nanos(received.saturating_sub(message.sent)));
            write_number(&mut bytes, took.map_or(0, |took| took.saturating_add(1)));
            write_number(&mut bytes, message.body.len() as u64);
            bytes.extend_from_slice(message.body.as_bytes());
        }
        let packed = lz4_flex::compress_prepend_size(&bytes).into();
        Some(Self { first: first.id, from: first.sent, until: last.sent, packed })
    }

    fn is_near(&self, marks: &[u64]) -> bool {
        marks.iter().any(|mark| mark + PIECE >= self.first && *mark <= self.first + 2 * PIECE)
    }

    fn is_kept(&self, stride: u64, marks: &[u64]) -> bool {
        (self.first / PIECE).is_multiple_of(stride) || self.is_near(marks)
    }

    /// What it counts against the bound. Marks have a bound of their own.
    fn size(&self, marks: &[u64]) -> usize {
        if self.is_near(marks) { 0 } else { self.packed.len() }
    }

    fn messages(&self) -> Vec<TracedMessage> {
        let bytes = lz4_flex::decompress_size_prepended(&self.packed).unwrap_or_default();
        let (mut rest, mut messages) = (bytes.as_slice(), Vec::new());
        let mut id = self.first;
        while let Some(message) = self.read(&mut rest, id) {
            messages.push(message);
            id += 1;
        }
        debug_assert_eq!(messages.len() as u64, PIECE, "what was packed can be unpacked");
        messages
    }

    fn read(&self, rest: &mut &[u8], id: u64) -> Option<TracedMessage> {
        let (src, dest) = (read_endpoint(rest)?, read_endpoint(rest)?);
        let sent = self.from + Duration::from_nanos(read_number(rest)?);
        let took = read_number(rest)?.checked_sub(1).map(Duration::from_nanos);
        let length = usize::try_from(read_number(rest)?).ok()?;
        let (body, others) = rest.split_at_checked(length)?;
        *rest = others;
        let body = std::str::from_utf8(body).ok()?.into();
        Some(TracedMessage { id, src, dest, body, sent, received: took.map(|took| sent + took) })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn write_endpoint(bytes: &mut Vec<u8>, endpoint: Endpoint) {
    let (kind, number) = match endpoint {
        Endpoint::Node(index) => (0, index as u64),
        Endpoint::Client(number) => (1, number),
        Endpoint::Service(name) => (2, name.index() as u64),
    };
    bytes.push(kind);
    write_number(bytes, number);
}

fn read_endpoint(rest: &mut &[u8]) -> Option<Endpoint> {
    let kind = read_byte(rest)?;
    let number = read_number(rest)?;
    let index = usize::try_from(number).ok()?;
    match kind {
        0 => Some(Endpoint::Node(index)),
        1 => Some(Endpoint::Client(number)),
        _ => ServiceName::ALL.get(index).copied().map(Endpoint::Service),
    }
}

/// Seven bits a byte, the lowest first. The highest bit of a byte says that more follow.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = read_byte(rest)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn read_byte(rest: &mut &[u8]) -> Option<u8> {
    let (byte, others) = rest.split_first()?;
    *rest = others;
    Some(*byte)
}
