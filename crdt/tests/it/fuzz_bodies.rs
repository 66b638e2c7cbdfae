//! What holds of any bytes: the bodies of the fuzz targets in `fuzz/`, run for a short while by `fuzzed`.

use crdt::named::{Assembly, Counters, Part, RowDelta};
use crdt::{GCounter, PnCounter};
use serde::de::DeserializeSeed;
use std::collections::BTreeMap;
use std::sync::LazyLock;

type Counter = GCounter<String>;

/// One state of a single line with ids that JSON takes as they are, a longer one, one with an id to escape, and none.
static STATES: LazyLock<[Counter; 4]> = LazyLock::new(|| {
    let counter = |ids: &[&str]| ids.iter().map(|&id| (id.to_string(), 3)).collect::<Counter>();
    let many = (0..20).map(|n| (format!("n{n}"), n)).collect();
    [
        counter(&["a", "n0", "n1", "ü", "longer than sixteen bytes"]),
        many,
        counter(&["n0", "\"", "\\"]),
        counter(&[]),
    ]
});

fn assert_valid<A: Ord + Clone + std::fmt::Debug>(counter: &GCounter<A>) {
    let entries: BTreeMap<A, u64> = counter.iter().map(|(id, n)| (id.clone(), n)).collect();
    assert!(counter.iter().map(|(id, _)| id).is_sorted_by(|a, b| a < b), "{counter:?}");
    assert!(entries.values().all(|&n| n > 0), "{counter:?}");
    assert_eq!(counter.len(), entries.len());
    assert_eq!(counter.value(), entries.values().map(|&n| u128::from(n)).sum::<u128>());
    assert!(entries.iter().all(|(id, &n)| counter.get(id) == n));
}

/// Any bytes are no counter for all readers of JSON, or the same valid one for all of them.
pub(crate) fn json(bytes: &[u8]) {
    let plain = serde_json::from_slice::<Counter>(bytes).ok();
    plain.iter().for_each(assert_valid);
    for state in &*STATES {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let by_seed = state.seed().deserialize(&mut json).ok().filter(|_| json.end().is_ok());
        assert_eq!(by_seed, plain);
        assert_eq!(state.read_json(bytes).ok(), plain);
        let (mut by_json, mut by_merge) = (state.clone(), state.clone());
        let changed = by_json.merge_json(bytes).ok();
        assert_eq!(changed, plain.as_ref().map(|heard| by_merge.merge(heard)));
        assert_eq!(by_json, by_merge);
        if changed == Some(true) {
            assert_valid(&by_json);
        }
    }
    if let Ok(counter) = serde_json::from_slice::<PnCounter<String>>(bytes) {
        assert_valid(&counter.increments());
        assert_valid(&counter.decrements());
    }
    if let Some(counter) = plain {
        let again = serde_json::to_vec(&counter).unwrap();
        assert_eq!(counter.read_json(&again).unwrap(), counter);
    }
}

/// As [`json`], for a binary format.
pub(crate) fn postcard(bytes: &[u8]) {
    let plain = postcard::from_bytes::<Counter>(bytes).ok();
    plain.iter().for_each(assert_valid);
    for state in &*STATES {
        let mut input = postcard::Deserializer::from_bytes(bytes);
        assert_eq!(state.seed().deserialize(&mut input).ok(), plain);
    }
    if let Ok(counter) = postcard::from_bytes::<GCounter<u32>>(bytes) {
        assert_valid(&counter);
    }
    if let Some(counter) = plain {
        let again = postcard::to_allocvec(&counter).unwrap();
        assert_eq!(postcard::from_bytes::<Counter>(&again).unwrap(), counter);
    }
}

/// Bytes for keeping are refused, or they are how the counter that is read from them is written. Each body is tried as
/// it is, and with a checksum that matches.
pub(crate) fn bytes(bytes: &[u8]) {
    for bytes in [bytes, &sealed(bytes)] {
        if let Ok(counter) = Counter::from_bytes(bytes) {
            assert_valid(&counter);
            assert_eq!(counter.to_bytes(), bytes);
        }
        if let Ok(counter) = PnCounter::<(u8, String)>::from_bytes(bytes) {
            assert_valid(&counter.increments());
            assert_valid(&counter.decrements());
            assert_eq!(counter.to_bytes(), bytes);
        }
    }
}

/// With the checksum behind it: CRC-32 bit by bit, so that it owes nothing to the crate that computes it there.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let crc = body.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    [body, &(!crc).to_le_bytes()].concat()
}

/// As [`bytes`], for named counters, their deltas and parts. A state that is read gives deltas that make the same state, and a
/// delta is refused, or covers what it says.
pub(crate) fn named(bytes: &[u8]) {
    for bytes in [bytes, &sealed(bytes)] {
        if let Ok(counters) = Counters::<String>::from_bytes(bytes) {
            assert_eq!(counters.to_bytes(), bytes);
            assert_eq!(rebuilt(&counters), counters);
        }
        if let Ok(delta) = RowDelta::<String>::from_bytes(bytes) {
            assert_eq!(delta.to_bytes(), bytes);
            assert_taken_in(&delta);
        }
        if let Ok(part) = Part::<String>::from_bytes(bytes) {
            assert_eq!(part.to_bytes(), bytes);
            if let Ok(Some(delta)) = Assembly::new(bytes.len()).accept(part) {
                assert_taken_in(&delta);
            }
        }
    }
}

fn rebuilt(counters: &Counters<String>) -> Counters<String> {
    let mut again = Counters::new();
    for delta in counters.delta_since(again.versions()) {
        assert_eq!(again.apply(&delta), Ok(true));
    }
    for name in counters.names() {
        assert_eq!(again.value(name), counters.value(name));
    }
    again
}

fn assert_taken_in(delta: &RowDelta<String>) {
    let mut some = Counters::<String>::new();
    for name in ["a", "b", "a"] {
        some.add("n0", name, 1).unwrap();
    }
    for before in [Counters::new(), some] {
        let mut state = before.clone();
        let version = before.version(delta.actor());
        match state.apply(delta) {
            Ok(_) => assert_eq!(state.version(delta.actor()), delta.upto().max(version)),
            Err(_) => assert_eq!(state, before),
        }
        assert_eq!(rebuilt(&state), state);
    }
}

/// Four bytes a step: adds, raises, merges, differences and table changes on three counters do as three maps do.
pub(crate) fn operations(bytes: &[u8]) {
    let mut counters: [GCounter<u8>; 3] = Default::default();
    let mut maps: [BTreeMap<u8, u64>; 3] = Default::default();
    for step in bytes.as_chunks::<4>().0 {
        let [what, which, id, n] = *step;
        let (to, from) = (usize::from(which % 3), usize::from(which / 3 % 3));
        let n = u64::from(n) << (what / 16 * 4);
        let (other, mut map) = (counters[from].clone(), maps[from].clone());
        match what % 8 {
            0 | 1 => {
                let sum = maps[to].get(&id).copied().unwrap_or(0).checked_add(n);
                assert_eq!(counters[to].add(id, n).ok(), sum);
                maps[to].insert(id, sum.unwrap_or(u64::MAX).min(counters[to].get(id)));
            }
            2 => {
                counters[to].raise(id, n);
                raise(&mut maps[to], id, n);
            }
            3 => {
                assert_eq!(
                    counters[to].merge(&other),
                    map.into_iter().fold(false, |c, (id, n)| raise(&mut maps[to], id, n) | c)
                );
            }
            4 => {
                counters[to] = other.delta_since(&counters[to]);
                map.retain(|id, n| *n > maps[to].get(id).copied().unwrap_or(0));
                maps[to] = map;
            }
            5 => drop(counters[to].share_ids(&other)),
            6 => counters[to] = other.iter().map(|(&id, n)| (id, n)).collect::<GCounter<u8>>(),
            _ => counters[to] = other,
        }
        if what % 8 > 5 {
            maps[to] = maps[from].clone();
        }
        maps[to].retain(|_, n| *n > 0);
        assert_valid(&counters[to]);
        assert!(counters[to].iter().eq(maps[to].iter().map(|(id, &n)| (id, n))), "{counters:?} {maps:?}");
    }
}

fn raise(map: &mut BTreeMap<u8, u64>, id: u8, n: u64) -> bool {
    let count = map.entry(id).or_default();
    let raised = n > *count;
    *count = n.max(*count);
    raised
}
