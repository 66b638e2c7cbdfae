//! What nodes tell each other, as bytes.
//!
//! A message begins with the version of the format. The next byte says whether a whole [frame] follows, or a [piece](pieces) of one that
//! is longer than a message may be. A [hello] stands on a subject of its own, and its layout is the same in all versions. A
//! [request](ask) to make a change has a subject of its own too.

pub mod ask;
pub mod frame;
pub mod hello;
pub mod pieces;

use std::fmt;

/// The version that this release writes.
pub const VERSION: u8 = 1;

/// The oldest version that this release reads.
pub const OLDEST: u8 = 1;

/// A frame, or a piece of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A whole frame.
    Frame(Box<replica::Frame>),
    /// A piece of a frame.
    Piece(pieces::Piece),
}

/// Why a message can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireError {
    /// It is in a version that this release does not know. The sender is well, and one of both must be updated.
    Version(u8),
    /// No release has written it.
    Garbage,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => {
                write!(f, "it is in version {version}, and this release knows up to {VERSION}")
            }
            Self::Garbage => f.write_str("no counterd has written it"),
        }
    }
}

impl std::error::Error for WireError {}

const WHOLE: u8 = 0;
const PIECE: u8 = 1;

/// A frame as messages of at most `most` bytes each. More than one if it does not fit. `id` names the frame among the long ones of its
/// sender.
///
/// # Errors
///
/// [`TooLong`] if the frame has more than [`MAX_FRAME`](pieces::MAX_FRAME) bytes.
///
/// ```
/// use cluster::wire::{Message, messages, read};
/// use replica::{Claim, Frame};
///
/// let frame = Frame::new("9f3a17c2".parse()?, Claim::default());
/// let [message] = &messages(&frame, 7, 1000)?[..] else { panic!("it fits") };
/// assert_eq!(read(message)?, Message::Frame(Box::new(frame)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn messages(frame: &replica::Frame, id: u64, most: usize) -> Result<Vec<Vec<u8>>, TooLong> {
    let mut whole = vec![VERSION, WHOLE];
    frame::write(frame, &mut whole);
    if whole.len() <= most {
        return Ok(vec![whole]);
    }
    let head = [VERSION, PIECE];
    let pieces = pieces::cut(whole.get(head.len()..).unwrap_or_default(), id, most).ok_or(TooLong)?;
    Ok(pieces.map(|piece| head.into_iter().chain(piece.to_bytes()).collect()).collect())
}

/// A frame is longer than any that a node reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the frame has more than {} bytes", pieces::MAX_FRAME)
    }
}

impl std::error::Error for TooLong {}

/// Reads a message. Allocates in proportion to it.
///
/// # Errors
///
/// [`WireError`].
pub fn read(message: &[u8]) -> Result<Message, WireError> {
    let (&version, rest) = message.split_first().ok_or(WireError::Garbage)?;
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(WireError::Version(version));
    }
    match rest.split_first() {
        Some((&WHOLE, frame)) => Ok(Message::Frame(Box::new(frame::read(frame)?))),
        Some((&PIECE, piece)) => Ok(Message::Piece(pieces::Piece::from_bytes(piece)?)),
        _ => Err(WireError::Garbage),
    }
}
