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
//! Another node may have *sealed* the record, because this node was forgotten: `{"n0#9f3a17c2": 41, "sealed": 2}`, for the
//! second time. Once the node has returned the seal is *lifted*: `{"n0#9f3a17c2": 41, "lifted": 2}`.
//!
//! A count is written as a number or, with decrements, as a pair.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use replica::store::{Ownership, Record, Seal};
use replica::{Incarnation, NodeId, ReplicaId, RowDelta, Tally};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::codec::{Count, cut};
use crate::config::MAX_RECORD;
use crate::node::check_node_name;

type Rows = BTreeMap<ReplicaId, Count>;

/// A record as it is written. No replica is called like one of the other fields: each has a `#` in its name.
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
    /// How many times the node was forgotten, if it has not returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<NonZeroU64>,
    /// The same, if it has returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifted: Option<NonZeroU64>,
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
    written.hints.keys().try_for_each(|replica| check_node_name(replica.node()))?;
    let (owner, seal) = (owner(node, &written)?, seal(&written)?);
    let row = |(replica, count): (ReplicaId, Count)| (replica.clone(), count.tally().row(replica));
    let read = |rows: Rows| rows.into_iter().map(row).collect();
    Ok(Record { rows: read(written.rows), owner, hints: read(written.hints), seal })
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

/// The seal that is written.
fn seal(written: &Written) -> Result<Option<Seal>, String> {
    let (number, is_lifted) = match (written.sealed, written.lifted) {
        (None, None) => return Ok(None),
        (Some(number), None) => (number.get(), false),
        (None, Some(number)) => (number.get(), true),
        (Some(_), Some(_)) => return Err("it is both sealed and lifted".into()),
    };
    Ok(Some(Seal { number, is_lifted }))
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
    let rows = |rows: &BTreeMap<ReplicaId, RowDelta>| {
        rows.iter().map(|(replica, row)| (replica.clone(), Count::of(Tally::stated(row)))).collect()
    };
    let seal = |is_lifted| {
        let seal = record.seal.filter(|seal| seal.is_lifted == is_lifted);
        seal.and_then(|seal| NonZeroU64::new(seal.number))
    };
    let written = Written {
        rows: rows(&record.rows),
        held: owner(false),
        free: owner(true),
        hints: rows(&record.hints),
        sealed: seal(false),
        lifted: seal(true),
    };
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
            r#"{"sealed":1}"#,
            r#"{"n0#00000001":41,"sealed":18446744073709551615}"#,
            r#"{"n0#00000001":41,"free":["00000001","00000009"],"hints":{"n1#00000001":7},"lifted":2}"#,
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
            r#"{"n0#00000001":3,"hints":{"n0/barrier#00000002":3}}"#,
            r#"{"n0#00000001":3,"sealed":0}"#,
            r#"{"n0#00000001":3,"sealed":true}"#,
            r#"{"n0#00000001":3,"lifted":-1}"#,
            r#"{"n0#00000001":3,"lifted":[1]}"#,
            r#"{"n0#00000001":3,"sealed":1,"lifted":1}"#,
        ] {
            assert!(read(text).is_err(), "{text} was read as a record");
        }
    }
}
