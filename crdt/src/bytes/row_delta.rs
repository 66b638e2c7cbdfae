use super::{
    DecodeError, IdBytes, canonical, open, put_id, put_number, put_sized, read_counts, read_id, read_number,
    read_text, seal,
};
use crate::named::{Baseline, Entry, EntryRef, ItemRef, More, Part, RowDelta};
use crate::{GCounter, Merge, PnCounter};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

const ROW_DELTA: u8 = b'D';
const PART: u8 = b'T';

/// What follows is decrements, the rest of an entry, a name.
pub(super) const DOWN: u8 = 1;
pub(super) const MORE: u8 = 2;
const NAME: u8 = 4;

/// The gap of a number stands in a byte beside the flags, if it is smaller.
const LONG_GAP: u8 = 31;

impl<A: Ord + Clone + IdBytes> RowDelta<A> {
    /// The delta as bytes: see [`bytes`](crate::bytes). Equal deltas give equal bytes. An item takes some 5 bytes, and its name.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<u8>::new();
    /// counters.add(7, "a", 3)?;
    /// let bytes = counters.row_since(7, 0).unwrap().to_bytes();
    /// assert_eq!(bytes[..12], [b'D', 1, 1, 7, 0, 1, 1, 4 + 8, 0, 3, 1, b'a']);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        seal(ROW_DELTA, |out| put_delta(out, self))
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. Allocates in proportion to the input.
    ///
    /// ```
    /// # use crdt::named::RowDelta;
    /// let delta = RowDelta::new(7_u64, 4, 9);
    /// assert_eq!(RowDelta::from_bytes(&delta.to_bytes()), Ok(delta));
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `to_bytes` has not written these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let delta = read_delta(open(ROW_DELTA, bytes)?)?;
        canonical(delta.to_bytes() == bytes, delta)
    }
}

impl<A: Ord + Clone + IdBytes> Part<A> {
    /// The part as bytes. As [`RowDelta::to_bytes`].
    ///
    /// ```
    /// # use crdt::named::{Part, RowDelta};
    /// let part = Part::new(RowDelta::new(7_u8, 0, 4), 0, 0);
    /// assert_eq!(part.to_bytes()[..4], [b'T', 1, 0, 0]);
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        seal(PART, |out| {
            put_number(out, self.start() as u64);
            put_number(out, self.total() as u64);
            put_delta(out, self.delta());
        })
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. As [`RowDelta::from_bytes`].
    ///
    /// ```
    /// # use crdt::named::{Part, RowDelta};
    /// let part = Part::new(RowDelta::new(7_u64, 0, 4), 0, 0);
    /// assert_eq!(Part::from_bytes(&part.to_bytes()), Ok(part));
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `to_bytes` has not written these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut rest = open(PART, bytes)?;
        let place = read_counts::<2>(&mut rest)?.map(usize::try_from);
        let [Ok(start), Ok(total)] = place else { return Err(DecodeError::NotCanonical) };
        let part = Self::new(read_delta(rest)?, start, total);
        canonical(part.to_bytes() == bytes, part)
    }
}

fn put_delta<A: Ord + Clone + IdBytes>(out: &mut Vec<u8>, delta: &RowDelta<A>) {
    put_id(out, delta.actor());
    put_number(out, delta.from());
    put_number(out, delta.upto().wrapping_sub(delta.from()));
    put_number(out, delta.len() as u64);
    let (mut number, mut next) = (delta.from(), 0);
    for item in delta.items() {
        put_item(out, item, number, next);
        (number, next) = (item.number, u64::from(item.slot) + 1);
    }
}

fn put_item<A: Ord + Clone + IdBytes>(out: &mut Vec<u8>, item: ItemRef<'_, A>, number: u64, next: u64) {
    let flags = flags(&item.entry) | if item.name.is_some() { NAME } else { 0 };
    let gap = item.number.wrapping_sub(number);
    match u8::try_from(gap) {
        Ok(gap) if gap < LONG_GAP => out.push(flags | gap << 3),
        Ok(_) | Err(_) => {
            out.push(flags | LONG_GAP << 3);
            put_number(out, gap.wrapping_sub(u64::from(LONG_GAP)));
        }
    }
    put_step(out, next, u64::from(item.slot));
    put_counts(out, &item.entry);
    if let Some(name) = item.name {
        put_sized(out, name.as_bytes());
    }
    put_more(out, &item.entry);
}

fn read_delta<A: Ord + Clone + IdBytes>(mut rest: &[u8]) -> Result<RowDelta<A>, DecodeError> {
    let rest = &mut rest;
    let actor = read_id(rest)?;
    let [from, covered, len] = read_counts(rest)?;
    let mut delta = RowDelta::new(actor, from, from.wrapping_add(covered));
    let mut last = None;
    // Each turn takes three bytes at least, so that a lie about the length ends with the input.
    for _ in 0..len {
        last = Some(read_item(rest, &mut delta, last)?);
    }
    Ok(delta)
}

/// Reads an item behind the one with that number and slot, and gives its own.
fn read_item<A: Ord + Clone + IdBytes>(
    rest: &mut &[u8],
    delta: &mut RowDelta<A>,
    last: Option<(u64, u32)>,
) -> Result<(u64, u32), DecodeError> {
    let (&head, behind) = rest.split_first().ok_or(DecodeError::NotCanonical)?;
    *rest = behind;
    let gap = match head >> 3 {
        LONG_GAP => read_number(rest)?.wrapping_add(u64::from(LONG_GAP)),
        gap => u64::from(gap),
    };
    let (before, next) = last.map_or((delta.from(), 0), |(number, slot)| (number, u64::from(slot) + 1));
    let number = before.wrapping_add(gap);
    let slot = u32::try_from(read_step(rest, next)?).map_err(|_| DecodeError::NotCanonical)?;
    // An item out of order would have to be put in its place, which takes time for all those behind.
    if last.is_some_and(|last| last >= (number, slot)) {
        return Err(DecodeError::NotCanonical);
    }
    let (up, down) = read_up_down(rest, head)?;
    let name = if head & NAME == 0 { None } else { Some(read_text(rest)?) };
    delta.push(slot, number, name, Entry { up, down, more: read_more(rest, head)? });
    Ok((number, slot))
}

pub(super) fn flags<A: Ord + Clone>(entry: &EntryRef<'_, A>) -> u8 {
    let down = if entry.down > 0 { DOWN } else { 0 };
    let more = if has_more(entry).is_some() { MORE } else { 0 };
    down | more
}

fn has_more<'a, A: Ord + Clone>(entry: &EntryRef<'a, A>) -> Option<&'a More<A>> {
    entry.more.filter(|more| !more.is_bottom())
}

pub(super) fn put_counts<A>(out: &mut Vec<u8>, entry: &EntryRef<'_, A>) {
    put_number(out, entry.up);
    if entry.down > 0 {
        put_number(out, entry.down);
    }
}

pub(super) fn read_up_down(rest: &mut &[u8], flags: u8) -> Result<(u64, u64), DecodeError> {
    let up = read_number(rest)?;
    Ok((up, if flags & DOWN == 0 { 0 } else { read_number(rest)? }))
}

pub(super) fn put_more<A: Ord + Clone + IdBytes>(out: &mut Vec<u8>, entry: &EntryRef<'_, A>) {
    let Some(more) = has_more(entry) else { return };
    for totals in [&more.totals, &more.baseline.totals] {
        put_number(out, totals.len() as u64);
        for (source, total) in totals {
            put_sized(out, source.as_bytes());
            put_number(out, total);
        }
    }
    put_number(out, more.baseline.counts.len() as u64);
    for (actor, (up, down)) in &more.baseline.counts {
        put_id(out, actor);
        put_number(out, up);
        put_number(out, down);
    }
}

pub(super) fn read_more<A: Ord + Clone + IdBytes>(
    rest: &mut &[u8],
    flags: u8,
) -> Result<Option<Box<More<A>>>, DecodeError> {
    if flags & MORE == 0 {
        return Ok(None);
    }
    let (totals, seen) = (read_totals(rest)?, read_totals(rest)?);
    let len = read_number(rest)?;
    // Not reserved by the length: it may be a lie. Each turn takes three bytes at least.
    let counts: Result<PnCounter<A>, _> = (0..len)
        .map(|_| {
            let actor = read_id(rest)?;
            let [up, down] = read_counts(rest)?;
            Ok((actor, (up, down)))
        })
        .collect::<Result<Vec<_>, _>>()
        .map(|counts| counts.into_iter().collect());
    Ok(Some(Box::new(More { totals, baseline: Baseline { counts: counts?, totals: seen } })))
}

fn read_totals(rest: &mut &[u8]) -> Result<GCounter<Arc<str>>, DecodeError> {
    let len = read_number(rest)?;
    let mut totals = Vec::new();
    for _ in 0..len {
        totals.push((read_text(rest)?, read_number(rest)?));
    }
    Ok(totals.into_iter().map(|(source, total)| (Arc::from(source), total)).collect())
}

/// A number by its difference from another, so that a small one either way is short.
pub(super) fn put_step(out: &mut Vec<u8>, from: u64, to: u64) {
    put_number(out, step(from, to));
}

pub(super) fn step(from: u64, to: u64) -> u64 {
    let step = to.wrapping_sub(from);
    let sign = 0_u64.wrapping_sub(step >> 63);
    step << 1 ^ sign
}

pub(super) fn read_step(rest: &mut &[u8], from: u64) -> Result<u64, DecodeError> {
    Ok(stepped(from, read_number(rest)?))
}

pub(super) const fn stepped(from: u64, step: u64) -> u64 {
    let sign = 0_u64.wrapping_sub(step & 1);
    from.wrapping_add(step >> 1 ^ sign)
}
