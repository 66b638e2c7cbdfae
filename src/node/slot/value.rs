//! What stands in the store under a node's name: `{"n0#9f3a17c2": 41}`, an entry for each replica of the node.
//!
//! A process that has ended cleanly leaves its replica *free*, which its last write says:
//! `{"n0#9f3a17c2": 41, "free": ["9f3a17c2", "9f3a17c2"]}`, the replica's epoch and the mark of the process. The next
//! process may go on under it once it has put its own mark there, by a compare-and-set from that very value:
//! `{"n0#9f3a17c2": 41, "held": ["9f3a17c2", "77aa01bc"]}`. Every process has a mark of its own, so no value ever
//! stands there twice, and a delayed compare-and-set can't undo what came after it.
//!
//! What others have counted and may not have stored stands beside: `{"n0#9f3a17c2": 41, "hints": {"n1#0b5c88d0": 7}}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::codec::cut;
use crate::config::MAX_SLOT;
use crate::message::Claim;
use crate::replica::{Epoch, Replica};
use crate::vector::{Tally, from_tallies};

/// The content of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::node) struct SlotValue {
    /// What each replica of the node has counted.
    pub entries: BTreeMap<Replica, Tally>,
    /// Who may count under one that has been, or may be, handed on.
    pub title: Option<Title>,
    /// What replicas of other nodes have counted.
    pub hints: BTreeMap<Replica, Tally>,
}

/// Who may count under a replica that has been, or may be, handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::node) struct Title {
    pub replica: Replica,
    /// The process that has the replica, or had it last.
    pub life: Epoch,
    /// That process counts no more: the next one may have the replica.
    pub is_free: bool,
}

/// As it is written. No replica is called `free`, `held` or `hints`: each has a `#` in its name.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    entries: BTreeMap<Replica, Tally>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<(Epoch, Epoch)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<(Epoch, Epoch)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    hints: BTreeMap<Replica, Tally>,
}

impl SlotValue {
    /// Reads the slot of `node`.
    ///
    /// # Errors
    ///
    /// Why this is no slot of that node's.
    pub(in crate::node) fn parse(node: &str, value: &RawValue) -> Result<Self, String> {
        if value.get().len() > MAX_SLOT {
            return Err("it is too long".into());
        }
        let written: Written =
            serde_json::from_str(value.get()).map_err(|e| cut(&e.to_string()).into_owned())?;
        if let Some(stranger) = written.entries.keys().find(|replica| replica.node() != node) {
            return Err(format!("{} is no replica of {node}", cut(&stranger.to_string())));
        }
        if let Some(own) = written.hints.keys().find(|replica| replica.node() == node) {
            return Err(format!("{} is a replica of {node}, and a hint", cut(&own.to_string())));
        }
        let title = title(node, &written)?;
        Ok(Self { entries: written.entries, title, hints: written.hints })
    }

    /// What it tells whoever reads it.
    pub(in crate::node) fn claim(&self) -> Claim {
        let mut counts = from_tallies(&self.entries);
        counts.merge(&from_tallies(&self.hints));
        Claim { counts, unstored: self.hints.keys().cloned().collect() }
    }

    /// Whether another value differs in its hints alone.
    pub(in crate::node) fn says_the_same_of_own(&self, other: &Self) -> bool {
        self.entries == other.entries && self.title == other.title
    }

    /// What `replica` has counted.
    pub(in crate::node) fn tally(&self, replica: &Replica) -> Tally {
        self.entries.get(replica).copied().unwrap_or_default()
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub(in crate::node) fn to_json(&self) -> serde_json::Result<Arc<RawValue>> {
        let epochs = |title: &Title| title.replica.epoch().map(|epoch| (epoch, title.life));
        let title = |is_free| self.title.as_ref().filter(|title| title.is_free == is_free).and_then(epochs);
        let (held, free) = (title(false), title(true));
        let written = Written { entries: self.entries.clone(), held, free, hints: self.hints.clone() };
        serde_json::value::to_raw_value(&written).map(Arc::from)
    }
}

/// Who may count under which replica, by what is written.
fn title(node: &str, written: &Written) -> Result<Option<Title>, String> {
    let (epochs, is_free) = match (written.held, written.free) {
        (None, None) => return Ok(None),
        (Some(held), None) => (held, false),
        (None, Some(free)) => (free, true),
        (Some(_), Some(_)) => return Err("a replica is both held and free".into()),
    };
    let title = Title { replica: Replica::new(node, epochs.0), life: epochs.1, is_free };
    if !written.entries.contains_key(&title.replica) {
        return Err(format!("{} is held or free, and has no entry", title.replica));
    }
    Ok(Some(title))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SlotValue, String> {
        SlotValue::parse("n0", &RawValue::from_string(text.into()).unwrap())
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
            assert_eq!(parse(text).unwrap().to_json().unwrap().get(), text);
        }
    }

    #[test]
    fn a_slot_can_be_so_long_and_no_longer() {
        let entry = r#"{"n0#00000001":41"#;
        let padded = |len: usize| format!("{entry}{}}}", " ".repeat(len - entry.len() - 1));
        assert!(parse(&padded(MAX_SLOT)).is_ok());
        assert_eq!(parse(&padded(MAX_SLOT + 1)), Err("it is too long".into()));
        assert!(parse(&padded(MAX_SLOT + 9)).is_err());
    }

    #[test]
    fn what_no_node_of_that_name_has_written_is_refused() {
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
            assert!(parse(text).is_err(), "{text} was taken for a slot");
        }
    }
}
