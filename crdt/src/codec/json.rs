//! JSON bytes straight into a counter.
//!
//! What one counter writes, another reads far faster than JSON in general can be read: no white space, no escapes,
//! ids in order and mostly those expected. Anything else goes to the general reader, so that both take the same
//! input and give the same result.

mod scan;

use self::scan::scan;
use super::seed::MapSeed;
use super::text;
use crate::counts::{LANES, Line};
use crate::ledger::{Ledger, Places, tidy};
use crate::pncounter::{DECREMENTS, INCREMENTS};
use crate::table::Text;
use crate::{GCounter, PnCounter};
use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::ser::Serialize;

impl<A: Ord + Clone + Borrow<str> + Serialize + DeserializeOwned> GCounter<A> {
    /// Merges a counter written as JSON. Returns whether anything changed.
    ///
    /// As decoding with [`seed`](Self::seed) and merging, but text as counters write it, of ids known here, is read
    /// about ten times faster and makes nothing in between.
    ///
    /// ```
    /// let mut state: crdt::GCounter<String> = [("n0".to_string(), 3), ("n1".to_string(), 4)].into_iter().collect();
    /// assert!(state.merge_json(br#"{"n0":2,"n1":5}"#)?);
    /// assert_eq!(state.value(), 8);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are no JSON map of ids to counts; nothing is changed.
    pub fn merge_json(&mut self, json: &[u8]) -> Result<bool, serde_json::Error> {
        match self.ledger.merge_canonical(json) {
            Some(changed) => Ok(changed),
            None => general(self.seed(), json).map(|heard| self.merge(&heard)),
        }
    }

    /// Reads a counter written as JSON against the ids of this one, which the result shares if it has many of them.
    ///
    /// As decoding with [`seed`](Self::seed); faster for text as counters write it, of ids known here.
    ///
    /// ```
    /// let state: crdt::GCounter<String> = [("n0".to_string(), 3), ("n1".to_string(), 4)].into_iter().collect();
    /// let heard = state.read_json(br#"{"n0":2,"n1":5}"#)?;
    /// assert_eq!(heard.value(), 7);
    /// assert!(heard.shares_ids(&state));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are no JSON map of ids to counts.
    pub fn read_json(&self, json: &[u8]) -> Result<Self, serde_json::Error> {
        match self.ledger.read_canonical(json) {
            Some(ledger) => Ok(Self { ledger }),
            None => general(self.seed(), json),
        }
    }
}

impl<A: Ord + Clone + Borrow<str> + Serialize + DeserializeOwned> PnCounter<A> {
    /// Merges a counter written as JSON. Returns whether anything changed. As [`GCounter::merge_json`].
    ///
    /// ```
    /// let mut state = crdt::PnCounter::<String>::new();
    /// state.add("n0", 3)?;
    /// assert!(state.merge_json(br#"{"p":{"n0":5},"n":{"n1":7}}"#)?);
    /// assert_eq!(state.value(), -2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are no such counter; nothing is changed.
    pub fn merge_json(&mut self, json: &[u8]) -> Result<bool, serde_json::Error> {
        match self.ledger.merge_canonical(json) {
            Some(changed) => Ok(changed),
            None => general(self.seed(), json).map(|heard| self.merge(&heard)),
        }
    }

    /// Reads a counter written as JSON against the ids of this one. As [`GCounter::read_json`].
    ///
    /// ```
    /// let state = crdt::PnCounter::<String>::new();
    /// let heard = state.read_json(br#"{"p":{"n0":5},"n":{"n1":7}}"#)?;
    /// assert_eq!(heard.value(), -2);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are no such counter.
    pub fn read_json(&self, json: &[u8]) -> Result<Self, serde_json::Error> {
        match self.ledger.read_canonical(json) {
            Some(ledger) => Ok(Self { ledger }),
            None => general(self.seed(), json),
        }
    }

    /// Reads one side of a counter, written as JSON on its own, against the ids of this one. As
    /// [`GCounter::read_json`]; [`from_parts`](Self::from_parts) joins two sides read so in one pass.
    ///
    /// ```
    /// let mut state = crdt::PnCounter::<String>::new();
    /// state.add("n0", 3)?;
    /// assert_eq!(state.read_side_json(br#"{"n0":5}"#)?.value(), 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are no JSON map of ids to counts.
    pub fn read_side_json(&self, json: &[u8]) -> Result<GCounter<A>, serde_json::Error> {
        let known = &self.ledger;
        let canonical = || {
            let mut entries = Places::new();
            let rest = scan(known.plain()?, json, |place, n| entries.push((place, [n])))?;
            rest.is_empty().then(|| GCounter { ledger: pick(known, entries) })
        };
        canonical().map_or_else(|| general(MapSeed { known }, json), Ok)
    }
}

/// Reads any JSON.
fn general<'de, T: DeserializeSeed<'de>>(seed: T, json: &'de [u8]) -> Result<T::Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let value = seed.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// A ledger of these entries, of ids of `known`.
fn pick<A: Clone, const W: usize, const V: usize>(
    known: &Ledger<A, W>,
    mut entries: Places<V>,
) -> Ledger<A, V> {
    entries.retain(|&(_, counts)| counts != [0; V]);
    tidy(&mut entries);
    known.pick(&entries)
}

impl<A: Ord + Clone + Borrow<str> + Serialize, const W: usize> Ledger<A, W> {
    /// This, if all ids of the table stand in JSON text as they are.
    fn plain(&self) -> Option<&Self> {
        text::all(self, Text::Plain).then_some(self)
    }

    /// Merges text as a counter writes it, of known ids; `None` if it is anything else.
    #[inline]
    fn merge_canonical(&mut self, json: &[u8]) -> Option<bool> {
        self.plain()?;
        if self.ids().len() > LANES {
            return self.merge_canonical_many(json);
        }
        // So few ids have no tail.
        let mut block = [[0; LANES]; W];
        scan_sides(self, json, |place, side, n| {
            if let Some(count) = block.get_mut(side).and_then(|line| line.get_mut(place)) {
                *count = n;
            }
        })?;
        Some(self.merge_block(&block))
    }

    /// Apart from the one for few, which needs no aligned lines on the stack.
    #[inline(never)]
    fn merge_canonical_many(&mut self, json: &[u8]) -> Option<bool> {
        match self.ids().len().div_ceil(LANES) * W {
            lines @ 0..=8 => self.merge_by_lines(json, [Line::ZERO; 8].get_mut(..lines)?),
            // Each entry takes more than six bytes, so that a shorter text leaves most of the lines empty.
            lines if self.ids().len() <= json.len() => {
                self.merge_by_lines(json, &mut vec![Line::ZERO; lines])
            }
            _ => {
                let entries = self.scan_entries(json)?;
                Some(entries.into_iter().fold(false, |changed, (at, n)| self.raise_to(at, n) | changed))
            }
        }
    }

    /// By way of zeroed lines for the counts of the table's ids.
    #[inline]
    fn merge_by_lines(&mut self, json: &[u8], lines: &mut [Line]) -> Option<bool> {
        let (len, mut recent) = (self.ids().len(), Vec::new());
        scan_sides(self, json, |place, side, n| {
            match lines.get_mut(place / LANES * W + side).and_then(|line| line.0.get_mut(place % LANES)) {
                Some(count) if place < len => *count = n,
                Some(_) | None => put_aside(&mut recent, (place, one_side(side, n))),
            }
        })?;
        let changed = self.merge_lines(lines);
        Some(
            recent
                .into_iter()
                .fold(changed, |changed, (place, counts)| self.raise_to(place, counts) | changed),
        )
    }

    /// Reads text as a counter writes it, of ids known here; `None` if it is anything else.
    fn read_canonical(&self, json: &[u8]) -> Option<Self> {
        self.plain()?.scan_entries(json).map(|entries| pick(self, entries))
    }

    fn scan_entries(&self, json: &[u8]) -> Option<Places<W>> {
        let mut entries = Places::new();
        scan_sides(self, json, |place, side, n| entries.push((place, one_side(side, n))))?;
        Some(entries)
    }
}

/// Called, so that the loop has its registers for the ids of the table.
#[cold]
#[inline(never)]
fn put_aside<const W: usize>(recent: &mut Places<W>, entry: (usize, [u64; W])) {
    recent.push(entry);
}

fn one_side<const W: usize>(side: usize, n: u64) -> [u64; W] {
    core::array::from_fn(|at| if at == side { n } else { 0 })
}

/// Reads all of `json` as the canonical form of a counter, and gives each count to `put`, by place and side.
#[inline]
fn scan_sides<A: Borrow<str> + Serialize, const W: usize>(
    known: &Ledger<A, W>,
    json: &[u8],
    mut put: impl FnMut(usize, usize, u64),
) -> Option<()> {
    let rest = if W == 1 {
        scan(known, json, |place, n| put(place, INCREMENTS, n))?
    } else {
        let json = json.strip_prefix(br#"{"p":"#)?;
        let json = scan(known, json, |place, n| put(place, INCREMENTS, n))?;
        let json = json.strip_prefix(br#","n":"#)?;
        scan(known, json, |place, n| put(place, DECREMENTS, n))?.strip_prefix(b"}")?
    };
    rest.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::{String, ToString};

    #[test]
    fn what_is_canonical_takes_the_short_road() {
        let ids: Vec<String> = (0..5000).map(|n| format!("n{n:04}")).collect();
        let all: GCounter<String> = ids.iter().map(|id| (id.clone(), 5)).collect();
        for (len, text, changes) in [
            (5000, r#"{"n0000":4,"n4000":6}"#, true),
            (5000, r#"{"n0000":6,"n4000":4}"#, true),
            (5000, r#"{"n0000":6,"n4000":6}"#, true),
            (5000, r#"{"n0000":4,"n4000":5}"#, false),
            (100, r#"{"n0000":6,"n0001":0}"#, true),
            (3, r#"{"n0000":5}"#, false),
        ] {
            let mut counter: GCounter<String> = ids.iter().take(len).map(|id| (id.clone(), 5)).collect();
            assert_eq!(counter.ledger.merge_canonical(text.as_bytes()), Some(changes), "{text}");
        }
        let pn = PnCounter::from_parts(all.clone(), all);
        let read = pn.ledger.read_canonical(br#"{"p":{"n0007":1,"n0008":0},"n":{"n0009":2}}"#).unwrap();
        assert!(read.ids() == ["n0007", "n0009"]);
    }

    /// A recent id is in no table yet.
    #[test]
    fn recent_ids_take_the_short_road_too() {
        let mut counter: GCounter<String> = (0..1000).map(|n| (format!("n{n:04}"), 5)).collect();
        for id in ["n0010a", "n0010b", "m"] {
            counter.add(id, 1).unwrap();
        }
        let json = br#"{"m":7,"n0010":6,"n0010a":1,"n0010b":0,"n0999":1}"#;
        let read = counter.ledger.read_canonical(json).unwrap();
        let entries = [("m", 7), ("n0010", 6), ("n0010a", 1), ("n0999", 1)];
        assert!(
            GCounter { ledger: read }
                .iter()
                .eq(entries.map(|(id, n)| (id.to_string(), n)).iter().map(|(id, n)| (id, *n)))
        );
        assert_eq!(counter.ledger.merge_canonical(json), Some(true));
        assert_eq!((counter.get("m"), counter.get("n0010"), counter.get("n0010b")), (7, 6, 1));
        assert_eq!(counter.ledger.merge_canonical(json), Some(false));
    }
}
