//! The text of a record, as the store keeps it under the node's name: `{"n0#9f3a17c2": 41}`, a row for each replica of
//! the node.
//!
//! A process that ends cleanly leaves its replica *free*. Its last write says so, with the replica's incarnation and the
//! process's: `{"n0#9f3a17c2": 41, "free": ["9f3a17c2", "9f3a17c2"]}`. The next process owns the replica once it has put
//! its own incarnation there: `{"n0#9f3a17c2": 41, "held": ["9f3a17c2", "77aa01bc"]}`. It does so by a compare-and-set
//! from that very value. Every process has an incarnation of its own, so no value is ever written twice. So a delayed
//! compare-and-set can't undo what came after it.
//!
//! Hints have a field of their own: `{"n0#9f3a17c2": 41, "hints": {"n1#0b5c88d0": 7}}`.
//!
//! A count is written as a number or, with decrements, as a pair.

use std::collections::BTreeMap;
use std::sync::Arc;

use replica::store::{Ownership, Record};
use replica::{Incarnation, NodeId, ReplicaId, Tally};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::codec::cut;
use crate::config::MAX_RECORD;

type Rows = BTreeMap<ReplicaId, Count>;

/// A record as it is written. No replica is called `free`, `held` or `hints`: each has a `#` in its name.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    rows: Rows,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<(Incarnation, Incarnation)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<(Incarnation, Incarnation)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    hints: Rows,
}

/// A tally as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Count {
    Up(u64),
    UpDown(u64, u64),
}

impl Count {
    fn tally(&self) -> Tally {
        match *self {
            Self::Up(up) => Tally { up, down: 0 },
            Self::UpDown(up, down) => Tally { up, down },
        }
    }

    fn of(Tally { up, down }: Tally) -> Self {
        if down == 0 { Self::Up(up) } else { Self::UpDown(up, down) }
    }
}

/// Reads the record of `node`.
///
/// # Errors
///
/// Why this is no record of that node's.
pub(super) fn parse(node: &NodeId, value: &RawValue) -> Result<Record, String> {
    if value.get().len() > MAX_RECORD {
        return Err("it is too long".into());
    }
    let written: Written = serde_json::from_str(value.get()).map_err(|e| cut(&e.to_string()).into_owned())?;
    if let Some(stranger) = written.rows.keys().find(|replica| replica.node() != node.as_str()) {
        return Err(format!("{} is no replica of {node}", cut(stranger.as_str())));
    }
    if let Some(own) = written.hints.keys().find(|replica| replica.node() == node.as_str()) {
        return Err(format!("{} is a replica of {node}, and a hint", cut(own.as_str())));
    }
    let owner = owner(node, &written)?;
    let read = |rows: Rows| rows.into_iter().map(|(replica, count)| (replica, count.tally())).collect();
    Ok(Record { rows: read(written.rows), owner, hints: read(written.hints), seal: None })
}

/// The ownership that is written.
fn owner(node: &NodeId, written: &Written) -> Result<Option<Ownership>, String> {
    let ((replica, incarnation), is_free) = match (written.held, written.free) {
        (None, None) => return Ok(None),
        (Some(held), None) => (held, false),
        (None, Some(free)) => (free, true),
        (Some(_), Some(_)) => return Err("a replica is both held and free".into()),
    };
    let owner = Ownership { replica: ReplicaId::new(node, replica), incarnation, is_free };
    if !written.rows.contains_key(&owner.replica) {
        return Err(format!("{} is held or free, and has no row", owner.replica));
    }
    Ok(Some(owner))
}

/// Writes a record.
///
/// # Errors
///
/// If it can't be written.
pub(super) fn write(record: &Record) -> serde_json::Result<Arc<RawValue>> {
    let owner = |is_free| {
        let owner = record.owner.as_ref().filter(|owner| owner.is_free == is_free);
        owner.map(|owner| (owner.replica.incarnation(), owner.incarnation))
    };
    let rows = |rows: &BTreeMap<ReplicaId, Tally>| {
        rows.iter().map(|(replica, tally)| (replica.clone(), Count::of(*tally))).collect()
    };
    let (held, free) = (owner(false), owner(true));
    let written = Written { rows: rows(&record.rows), held, free, hints: rows(&record.hints) };
    serde_json::value::to_raw_value(&written).map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Record, String> {
        parse(&"n0".into(), &RawValue::from_string(text.into()).unwrap())
    }

    #[test]
    fn is_read_as_it_was_written() {
        for text in [
            "{}",
            r#"{"n0#00000001":41}"#,
            r#"{"n0#00000001":41,"n0#00000002":[3,18446744073709551615]}"#,
            r#"{"n0#00000001":0,"free":["00000001","00000001"]}"#,
            r#"{"n0#00000001":41,"n0#00000002":3,"held":["00000001","00000009"]}"#,
            r#"{"n0#00000001":41,"hints":{"n1#00000001":7,"n2#00000001":[1,2]}}"#,
        ] {
            assert_eq!(write(&read(text).unwrap()).unwrap().get(), text);
        }
    }

    #[test]
    fn a_record_that_is_too_long_is_refused() {
        let entry = r#"{"n0#00000001":41"#;
        let padded = |len: usize| format!("{entry}{}}}", " ".repeat(len - entry.len() - 1));
        assert!(read(&padded(MAX_RECORD)).is_ok());
        assert_eq!(read(&padded(MAX_RECORD + 1)), Err("it is too long".into()));
        assert!(read(&padded(MAX_RECORD + 9)).is_err());
    }

    #[test]
    fn text_that_no_node_of_that_name_writes_is_refused() {
        for text in [
            "null",
            "3",
            "[]",
            r#""garbage""#,
            r#"{"n0":3}"#,
            r#"{"n1#00000001":3}"#,
            r#"{"n0#00000001":-3}"#,
            r#"{"n0#00000001":1.5}"#,
            r#"{"n0#00000001":18446744073709551616}"#,
            r#"{"n0#00000001":{"n0#00000001":3}}"#,
            r#"{"n0#00000001":3,"free":true}"#,
            r#"{"n0#00000001":3,"free":["00000002","00000002"]}"#,
            r#"{"n0#00000001":3,"free":["00000001","00000001"],"held":["00000001","00000002"]}"#,
            r#"{"n0#00000001":3,"lost":["00000001","00000001"]}"#,
            r#"{"n0#00000001":3,"hints":["n1#00000001"]}"#,
            r#"{"n0#00000001":3,"hints":{"n0#00000002":3}}"#,
        ] {
            assert!(read(text).is_err(), "{text} was read as a record");
        }
    }
}
