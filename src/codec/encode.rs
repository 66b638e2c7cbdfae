//! From an [`Outgoing`] message to a line.

use std::collections::{BTreeMap, BTreeSet};

use replica::{Claim, Frame, Incarnation, Inquiry, ReplicaId, RowDelta, Tally};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Count;
use crate::message::{MsgId, Outgoing, Say};

/// Appends the line, newline included.
pub fn encode(src: &str, message: &Outgoing<'_>, out: &mut Vec<u8>) {
    let length = out.len();
    if let Err(error) = write(src, message, out) {
        // Nothing in these types can fail to be written; half a line must not go out if one ever does.
        tracing::error!(%error, "a message could not be encoded and is dropped");
        out.truncate(length);
    }
}

/// Writes a line. The fields that every line has are written one by one: a generic writer spends most of its time on
/// those.
fn write(src: &str, message: &Outgoing<'_>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    out.extend_from_slice(br#"{"src":"#);
    serde_json::to_writer(&mut *out, src)?;
    out.extend_from_slice(br#","dest":"#);
    serde_json::to_writer(&mut *out, message.dest)?;
    out.extend_from_slice(br#","body":"#);
    match (&message.say, message.in_reply_to) {
        (Say::AddOk, Some(id)) => {
            out.extend_from_slice(br#"{"type":"add_ok","in_reply_to":"#);
            serde_json::to_writer(&mut *out, &id)?;
            out.push(b'}');
        }
        (Say::ReadOk(value), Some(id)) => {
            out.extend_from_slice(br#"{"type":"read_ok","in_reply_to":"#);
            serde_json::to_writer(&mut *out, &id)?;
            out.extend_from_slice(br#","value":"#);
            serde_json::to_writer(&mut *out, value)?;
            out.push(b'}');
        }
        _ => serde_json::to_writer(&mut *out, &written(message))?,
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

#[derive(Serialize, Default)]
struct WrittenBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg_id: Option<MsgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_reply_to: Option<MsgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Incarnation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ack: Option<MsgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minus: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unstored: Option<&'a BTreeSet<ReplicaId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<&'a ReplicaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<BTreeMap<&'a ReplicaId, Count>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a BTreeSet<ReplicaId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubts: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_if_not_exists: Option<bool>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Count(i128),
    Text(&'a str),
}

fn written<'a>(message: &'a Outgoing<'_>) -> WrittenBody<'a> {
    let body =
        WrittenBody { msg_id: message.msg_id, in_reply_to: message.in_reply_to, ..WrittenBody::default() };
    match &message.say {
        Say::InitOk => WrittenBody { kind: "init_ok", ..body },
        Say::AddOk => WrittenBody { kind: "add_ok", ..body },
        Say::ReadOk(value) => WrittenBody { kind: "read_ok", value: Some(Value::Count(*value)), ..body },
        Say::Error(code, text) => {
            WrittenBody { kind: "error", code: Some(*code as u8), text: Some(text), ..body }
        }
        Say::Frame(frame) => written_frame(frame, body),
        Say::StoreRead(key) => WrittenBody { kind: "read", key: Some(key), ..body },
        Say::StoreCas { key, from, to } => WrittenBody {
            kind: "cas",
            key: Some(key),
            from: Some(from.as_deref().unwrap_or(RawValue::NULL)),
            to: Some(to),
            create_if_not_exists: from.is_none().then_some(true),
            ..body
        },
        Say::StoreWrite { key, value } => {
            WrittenBody { kind: "write", key: Some(key), value: Some(Value::Text(value)), ..body }
        }
    }
}

fn written_frame<'a>(frame: &'a Frame, body: WrittenBody<'a>) -> WrittenBody<'a> {
    let list = |replicas: &'a BTreeSet<ReplicaId>| Some(replicas).filter(|replicas| !replicas.is_empty());
    // A row of one counter is never cut in parts.
    let Claim { rows, unstored, part: _ } = &frame.claim;
    let (asks, holds) = match &frame.inquiry {
        // No client can wait here, so nobody is asked what it shows.
        None | Some(Inquiry::Surveys(_) | Inquiry::Shows(_)) => (None, None),
        Some(Inquiry::Asks(replica, _)) => (Some(replica), None),
        Some(Inquiry::Holds(row)) => (None, Some([(row.actor(), Count::of(Tally::stated(row)))].into())),
    };
    WrittenBody {
        kind: if frame.answers.is_some() { "gossip_ok" } else { "gossip" },
        epoch: Some(frame.incarnation),
        ack: frame.confirms.map(|id| id.0),
        counts: Side::of(rows, |tally| tally.up),
        minus: Side::of(rows, |tally| tally.down),
        unstored: list(unstored),
        asks,
        holds,
        refused: list(&frame.refused),
        doubts: frame.doubts.then_some(true),
        ..body
    }
}

/// The increments of all rows, or the decrements: a map that leaves out zeros. Both are written of each row, whatever the
/// receiver knows, so that their sum is the number of the row.
#[derive(Clone, Copy)]
struct Side<'a> {
    rows: &'a [RowDelta],
    side: fn(Tally) -> u64,
}

impl<'a> Side<'a> {
    /// `None` if all are zero.
    fn of(rows: &'a [RowDelta], side: fn(Tally) -> u64) -> Option<Self> {
        Some(Self { rows, side }).filter(|written| written.counts().next().is_some())
    }

    fn counts(self) -> impl Iterator<Item = (&'a ReplicaId, u64)> {
        let counts = self.rows.iter().map(move |row| (row.actor(), (self.side)(Tally::stated(row))));
        counts.filter(|(_, count)| *count != 0)
    }
}

impl Serialize for Side<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.counts())
    }
}
