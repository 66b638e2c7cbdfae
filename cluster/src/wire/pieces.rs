//! Pieces of a frame that is longer than a message may be. A receiver puts them together, and handles the frame as one.

use std::collections::BTreeMap;

use super::WireError;

/// How many bytes a frame may have. What a node collects of one peer is bounded by it.
pub const MAX_FRAME: usize = 64 << 20;

/// How many bytes of a piece are no bytes of the frame, at most.
const HEAD: usize = 16;

/// The least that a message may have.
const LEAST: usize = 64;

/// One piece of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Names the frame among the long ones of its sender.
    pub id: u64,
    /// Its place among the pieces.
    pub place: u32,
    /// How many pieces there are.
    pub of: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Piece {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + self.bytes.len());
        out.extend(self.id.to_le_bytes());
        out.extend(self.place.to_le_bytes());
        out.extend(self.of.to_le_bytes());
        out.extend(&self.bytes);
        out
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let piece = || {
            let (id, rest) = bytes.split_first_chunk()?;
            let (place, rest) = rest.split_first_chunk()?;
            let (of, rest) = rest.split_first_chunk()?;
            let (place, of) = (u32::from_le_bytes(*place), u32::from_le_bytes(*of));
            let piece = Self { id: u64::from_le_bytes(*id), place, of, bytes: rest.to_vec() };
            (place < of && !rest.is_empty()).then_some(piece)
        };
        piece().ok_or(WireError::Garbage)
    }
}

/// Cuts a frame into pieces of at most `most` bytes each, with their heads and two bytes before them. `None`: it has more than
/// [`MAX_FRAME`] bytes.
pub(super) fn cut(frame: &[u8], id: u64, most: usize) -> Option<impl Iterator<Item = Piece>> {
    let chunks = frame.chunks(most.max(LEAST) - HEAD - 2);
    let of = u32::try_from(chunks.len()).ok().filter(|_| frame.len() <= MAX_FRAME)?;
    Some((0..of).zip(chunks).map(move |(place, bytes)| Piece { id, place, of, bytes: bytes.to_vec() }))
}

/// Puts the pieces of one sender's frames together, one frame at a time.
///
/// A sender sends the pieces of a frame one after the other. So a piece of another frame says that the rest of this one is lost, as
/// frames may be.
#[derive(Debug, Default)]
pub struct Assembler {
    id: u64,
    of: u32,
    pieces: BTreeMap<u32, Vec<u8>>,
    bytes: usize,
}

impl Assembler {
    /// Takes a piece. Gives the frame that it completes: the bytes that [`frame::read`](super::frame::read) reads.
    ///
    /// ```
    /// use cluster::wire::pieces::{Assembler, Piece};
    ///
    /// let piece = |place, bytes: &[u8]| Piece { id: 7, place, of: 2, bytes: bytes.to_vec() };
    /// let mut assembler = Assembler::default();
    /// assert_eq!(assembler.take(piece(1, b"er")), None);
    /// assert_eq!(assembler.take(piece(0, b"count")), Some(b"counter".to_vec()));
    /// ```
    pub fn take(&mut self, piece: Piece) -> Option<Vec<u8>> {
        if (piece.id, piece.of) != (self.id, self.of) {
            *self = Self { id: piece.id, of: piece.of, ..Self::default() };
        }
        if !self.pieces.contains_key(&piece.place) {
            self.bytes = self.bytes.saturating_add(piece.bytes.len());
            self.pieces.insert(piece.place, piece.bytes);
        }
        if self.bytes > MAX_FRAME {
            *self = Self::default();
        }
        if self.pieces.is_empty() || self.pieces.len() < usize::try_from(self.of).ok()? {
            return None;
        }
        let whole = std::mem::take(self).pieces.into_values().flatten().collect();
        Some(whole)
    }
}
