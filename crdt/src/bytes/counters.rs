use super::row_delta::{
    flags, put_counts, put_more, put_step, read_more, read_step, read_up_down, step, stepped,
};
use super::{DecodeError, IdBytes, canonical, open, put_id, put_number, put_sized, read_counts, read_id};
use super::{read_number, read_text, seal};
use crate::named::{Counters, Entry, Restored};
use alloc::vec::Vec;

const COUNTERS: u8 = b'C';

impl<A: Ord + Clone + IdBytes> Counters<A> {
    /// The whole state as bytes for keeping: see [`bytes`](crate::bytes). Equal states give equal bytes. One pass: each name once,
    /// and some 5 bytes a slot.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<u8>::new();
    /// counters.add(7, "a", 3)?;
    /// assert_eq!(counters.to_bytes()[..11], [b'C', 1, 1, 1, b'a', 1, 1, 7, 1, 1, 0]);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let (order, names) = self.names_by_use();
        seal(COUNTERS, |out| {
            put_number(out, names.len() as u64);
            for name in names {
                put_sized(out, name.as_bytes());
            }
            put_number(out, self.versions().counter().len() as u64);
            for (actor, version) in self.versions().counter() {
                put_id(out, actor);
                put_number(out, version);
                self.put_slots(out, actor, &order);
            }
        })
    }

    fn put_slots(&self, out: &mut Vec<u8>, actor: &A, order: &[u32]) {
        put_number(out, u64::from(self.slots(actor)));
        let (mut next, mut before) = (0, 0);
        for (name, number, entry) in self.slots_of(actor) {
            let name = u64::from(order.get(name as usize).copied().unwrap_or_default());
            put_number(out, step(next, name) << 2 | u64::from(flags(&entry)));
            put_step(out, before, number);
            put_counts(out, &entry);
            put_more(out, &entry);
            (next, before) = (name + 1, number);
        }
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. Allocates in proportion to the input, whatever lengths it claims.
    ///
    /// ```
    /// # use crdt::named::Counters;
    /// let mut counters = Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// assert_eq!(Counters::from_bytes(&counters.to_bytes()), Ok(counters));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `to_bytes` has not written these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let rest = &mut open(COUNTERS, bytes)?;
        let mut restored = Restored::default();
        for _ in 0..read_number(rest)? {
            restored.name(read_text(rest)?).ok_or(DecodeError::NotCanonical)?;
        }
        // Each turn takes a byte at least, so that a lie about a length ends with the input.
        for _ in 0..read_number(rest)? {
            let actor = read_id(rest)?;
            let [version, slots] = read_counts(rest)?;
            restored.row(actor, version).ok_or(DecodeError::NotCanonical)?;
            read_slots(rest, &mut restored, slots)?;
            restored.end_row();
        }
        let counters = restored.finish();
        canonical(counters.to_bytes() == bytes, counters)
    }
}

fn read_slots<A: Ord + Clone + IdBytes>(
    rest: &mut &[u8],
    restored: &mut Restored<A>,
    slots: u64,
) -> Result<(), DecodeError> {
    let (mut next, mut number) = (0, 0);
    for _ in 0..slots {
        let head = read_number(rest)?;
        let [flags, ..] = (head & 3).to_le_bytes();
        let name = u32::try_from(stepped(next, head >> 2)).map_err(|_| DecodeError::NotCanonical)?;
        number = read_step(rest, number)?;
        let (up, down) = read_up_down(rest, flags)?;
        let entry = Entry { up, down, more: read_more(rest, flags)? };
        restored.slot(name, number, entry.borrowed()).ok_or(DecodeError::NotCanonical)?;
        next = u64::from(name) + 1;
    }
    Ok(())
}
