//! Counters as bytes for keeping: canonical, with a version and a checksum.
//!
//! JSON is for talking: a flipped bit in a JSON file is often another counter. These bytes are for files and databases.
//! Every change of one bit, every truncation and every added byte is refused, and other damage goes unnoticed once in
//! 2^32. Equal counters give equal bytes, and no other bytes are read as these.
//!
//! ```
//! use crdt::GCounter;
//!
//! let counter: GCounter<String> = [("n0".to_string(), 3), ("n1".to_string(), 400)].into();
//! let bytes = counter.to_bytes();
//! assert_eq!(GCounter::from_bytes(&bytes), Ok(counter));
//! ```
//!
//! # Layout
//!
//! | bytes | content |
//! | --- | --- |
//! | 1 | the kind: `G` (0x47) for a [`GCounter`], `P` (0x50) for a [`PnCounter`]; for others [see below](#named-counters) |
//! | 1 | the version of this layout: 1 |
//! | number | how many entries follow |
//! | each entry: | by id, ascending in the order of the ids' type, none twice |
//! | number | the length of the id in bytes |
//! | as many | the id, as its [`IdBytes`] writes it |
//! | number | `G`: the count, not 0; `P`: the increments |
//! | number | `P` only: the decrements, not 0 if the increments are |
//! | 4 | CRC-32 (IEEE 802.3, as in zlib and PNG) of all bytes before, little endian |
//!
//! A *number* is an unsigned LEB128 of the shortest form: seven bits a byte, the lowest first, with the high bit set in
//! all bytes but the last. It takes 1 byte up to 127 and 10 at most.
//!
//! So the counter above is written as:
//!
//! ```
//! # let counter: crdt::GCounter<String> = [("n0".to_string(), 3), ("n1".to_string(), 400)].into();
//! assert_eq!(counter.to_bytes(), b"G\x01\x02\x02n0\x03\x02n1\x90\x03\x49\x5d\xed\x53");
//! ```
//!
//! # Named counters
//!
//! The kinds `C`, `D` and `T` are [`Counters`](crate::named::Counters), a [`RowDelta`](crate::named::RowDelta) and a
//! [`Part`](crate::named::Part). Kind, version and checksum are as above. What is between them:
//!
//! | kind | content |
//! | --- | --- |
//! | `D` | the actor as id; the numbers `from` and `upto` − `from`; how many items; the items |
//! | `T` | the numbers `start` and `total`; then as `D` |
//! | `C` | how many names; the names as texts, in the order in which the rows below first use them; how many rows; the rows |
//! | item | a byte `flags` + 8 × `gap`; if `gap` is 31, more of the gap as a number; the slot as a *step* from the last item's slot + 1 (at first 0); the count |
//! | row | the actor as id, the version, how many slots, the slots: none if there are no slots |
//! | slot | the name as a step from the last slot's name + 1 (at first 0), times 4, + `flags`; the number as a step from the last slot's; the count |
//! | count | increments; decrements if `flags` has 1; `D` and `T` only: the name as a text if `flags` has 4; the rest if it has 2 |
//! | rest | totals; baseline totals; baseline counts: each is how many, and by ascending id a text or id with its one or two numbers |
//! | id, text | the length in bytes, as a number, and as many bytes |
//! | step | the difference, with 64 bits: 0, −1, 1, −2 and so on are the numbers 0, 1, 2, 3 and so on |
//!
//! Items ascend by number, and within a number by slot; `gap` is the number less that of the last item (at first `from`).
//!
//! The layout of a version never changes. A later version has another number, and its readers will read this one.

mod counters;
mod ids;
mod row_delta;

pub use ids::IdBytes;

use crate::{GCounter, PnCounter};
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

const G_COUNTER: u8 = b'G';
const PN_COUNTER: u8 = b'P';
const VERSION: u8 = 1;

/// Why bytes are no counter. Nothing was made of them.
///
/// ```
/// use crdt::GCounter;
/// use crdt::bytes::DecodeError;
///
/// let mut bytes = GCounter::from([(7_u64, 3)]).to_bytes();
/// bytes[5] ^= 1;
/// let refused = GCounter::<u64>::from_bytes(&bytes).unwrap_err();
/// assert_eq!(refused, DecodeError::Damaged);
/// assert!(refused.to_string().starts_with("the checksum does not match"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DecodeError {
    /// They were cut short, lengthened or changed since they were written. Take another copy.
    Damaged,
    /// They are a counter of the other kind, or no counter at all. The caller has taken the wrong bytes.
    Kind,
    /// They are in a later version of the layout, which this release of the crate can't read.
    Version(u8),
    /// An id is none of the type that the caller asked for, or there is no such id.
    Id,
    /// The checksum matches, but this crate would not have written them so. Whatever wrote them is wrong.
    NotCanonical,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str(
                "the checksum does not match: the bytes were cut short or changed since they were written; \
                 take another copy",
            ),
            Self::Kind => f.write_str(
                "the bytes are of another kind: a GCounter begins with the letter G, a PnCounter with P, Counters with C, \
                 a RowDelta with D, a Part with T",
            ),
            Self::Version(version) => write!(
                f,
                "the bytes are in version {version} of the layout, and this release of crdt-counters reads \
                 version {VERSION}: read them with a later release"
            ),
            Self::Id => f.write_str(
                "an id is not of the type that is asked for: read it as the type it was written as",
            ),
            Self::NotCanonical => f.write_str(
                "the checksum matches, but entries are unsorted, doubled, empty or cut short: \
                 the program that wrote the bytes is wrong",
            ),
        }
    }
}

impl Error for DecodeError {}

impl<A: Ord + Clone> GCounter<A> {
    /// The counter as bytes for keeping: see [`bytes`](crate::bytes). Equal counters give equal bytes. One pass.
    ///
    /// ```
    /// let bytes = crdt::GCounter::from([(7_u8, 3)]).to_bytes();
    /// assert_eq!(bytes[..6], [b'G', 1, 1, 1, 7, 3]);
    /// ```
    pub fn to_bytes(&self) -> Vec<u8>
    where
        A: IdBytes,
    {
        let entries: Vec<_> = self.iter().map(|(id, n)| (id, [n])).collect();
        encode(G_COUNTER, &entries)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. Allocates in proportion to the input, whatever lengths
    /// it claims: at most an entry for each two bytes.
    ///
    /// ```
    /// # use crdt::GCounter;
    /// let counter = GCounter::from([(7_u64, 3)]);
    /// assert_eq!(GCounter::from_bytes(&counter.to_bytes()), Ok(counter));
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `to_bytes` has not written these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError>
    where
        A: IdBytes,
    {
        let entries = decode(G_COUNTER, bytes)?;
        let counter: Self = entries.into_iter().map(|(id, [n])| (id, n)).collect();
        canonical(counter.to_bytes() == bytes, counter)
    }
}

impl<A: Ord + Clone> PnCounter<A> {
    /// The counter as bytes for keeping. As [`GCounter::to_bytes`]; an id that was counted up and down stands once.
    ///
    /// ```
    /// let mut counter = crdt::PnCounter::<u8>::new();
    /// counter.add(7, -3)?;
    /// assert_eq!(counter.to_bytes()[..7], [b'P', 1, 1, 1, 7, 0, 3]);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8>
    where
        A: IdBytes,
    {
        let entries: Vec<_> = self.iter().map(|(id, (up, down))| (id, [up, down])).collect();
        encode(PN_COUNTER, &entries)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. As [`GCounter::from_bytes`].
    ///
    /// ```
    /// # use crdt::PnCounter;
    /// let counter = PnCounter::from_parts([(7_u64, 3)].into(), [(8, 4)].into());
    /// assert_eq!(PnCounter::from_bytes(&counter.to_bytes()), Ok(counter));
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `to_bytes` has not written these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError>
    where
        A: IdBytes,
    {
        let entries: Vec<(A, [u64; 2])> = decode(PN_COUNTER, bytes)?;
        let counter: Self = entries.into_iter().map(|(id, [up, down])| (id, (up, down))).collect();
        canonical(counter.to_bytes() == bytes, counter)
    }
}

/// What was read is the counter only if it is written as the very bytes that were read. That refuses in one place
/// whatever there is more than one way to write, numbers of more than 64 bits, and what follows the last entry.
fn canonical<T>(same: bool, counter: T) -> Result<T, DecodeError> {
    if same { Ok(counter) } else { Err(DecodeError::NotCanonical) }
}

fn encode<A: IdBytes, const N: usize>(kind: u8, entries: &[(&A, [u64; N])]) -> Vec<u8> {
    seal(kind, |out| {
        put_number(out, entries.len() as u64);
        for (id, counts) in entries {
            put_id(out, *id);
            for &n in counts {
                put_number(out, n);
            }
        }
    })
}

fn decode<A: IdBytes, const N: usize>(kind: u8, bytes: &[u8]) -> Result<Vec<(A, [u64; N])>, DecodeError> {
    read_entries(open(kind, bytes)?)
}

/// The body, with its kind and version before it and the checksum behind it.
fn seal(kind: u8, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::from([kind, VERSION]);
    body(&mut out);
    let checksum = crc32fast::hash(&out);
    out.extend(checksum.to_le_bytes());
    out
}

/// The body that was sealed.
fn open(kind: u8, bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let (sealed, checksum) = bytes.split_last_chunk().ok_or(DecodeError::Damaged)?;
    let &[found, version, ref body @ ..] = sealed else { return Err(DecodeError::Damaged) };
    // Before the checksum: another kind or version may have another one.
    if found != kind {
        return Err(DecodeError::Kind);
    }
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    if crc32fast::hash(sealed) != u32::from_le_bytes(*checksum) {
        return Err(DecodeError::Damaged);
    }
    Ok(body)
}

fn read_entries<A: IdBytes, const N: usize>(mut rest: &[u8]) -> Result<Vec<(A, [u64; N])>, DecodeError> {
    let mut entries = Vec::new();
    let len = take_number(&mut rest).ok_or(DecodeError::NotCanonical)?;
    // Each turn takes two bytes at least, so that a lie about the length ends with the input.
    for _ in 0..len {
        entries.push((read_id(&mut rest)?, read_counts(&mut rest)?));
    }
    Ok(entries)
}

fn read_counts<const N: usize>(rest: &mut &[u8]) -> Result<[u64; N], DecodeError> {
    let mut counts = [0; N];
    for count in &mut counts {
        *count = read_number(rest)?;
    }
    Ok(counts)
}

fn read_number(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    take_number(rest).ok_or(DecodeError::NotCanonical)
}

fn read_id<A: IdBytes>(rest: &mut &[u8]) -> Result<A, DecodeError> {
    A::read(take_sized(rest).ok_or(DecodeError::NotCanonical)?).ok_or(DecodeError::Id)
}

fn read_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, DecodeError> {
    let text = take_sized(rest).ok_or(DecodeError::NotCanonical)?;
    core::str::from_utf8(text).map_err(|_| DecodeError::Id)
}

fn put_id<A: IdBytes>(out: &mut Vec<u8>, id: &A) {
    let start = out.len();
    id.write(out);
    let end = out.len();
    put_number(out, (end - start) as u64);
    // The length goes before the id.
    let digits = out.len() - end;
    out.get_mut(start..).unwrap_or_default().rotate_right(digits);
}

fn put_number(out: &mut Vec<u8>, mut n: u64) {
    while n > 0x7f {
        let [low, ..] = n.to_le_bytes();
        out.push(low | 0x80);
        n >>= 7;
    }
    let [low, ..] = n.to_le_bytes();
    out.push(low);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(byte & 0x7f) << shift;
        if byte <= 0x7f {
            return Some(n);
        }
    }
    None
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend(bytes);
}

fn take_sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(take_number(bytes)?).ok()?;
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}
