//! From a line to a [`Message`], and from an [`Outgoing`](crate::message::Outgoing) message to a line.
//!
//! The codec reads a line in two steps, so that one bad field spoils no other. First it cuts the line into raw pieces,
//! which only have to be JSON. Then it reads the pieces that the message's type calls for, each on its own. So a request
//! with a `delta` of `1e400` or of 10,000 nested brackets still has a sender and an id to answer to.

mod count;
mod encode;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crdt::GCounter;
use replica::{Claim, Frame, FrameId, Inquiry, ReplicaId, RowDelta, Rows, Tally};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::{MAX_NAME, MAX_REPLICAS};
use crate::message::{Body, ErrorCode, Message, MsgId, Reply, Request};
use crate::node::check_node_name;
pub(crate) use count::Count;
pub use encode::encode;

/// The longest number or string that is read, in bytes. It is bounded because the text of an error may quote it.
const LONGEST_SCALAR: usize = 1024;

/// The longest list of nodes that is read, in bytes.
const LONGEST_NODE_IDS: usize = 1 << 20;

/// The most replicas that a peer may refuse: all that a node tells, which are as many as it may hold, and its own.
const MOST_REFUSED: usize = MAX_REPLICAS + 1;

/// Why a node can't act on a line.
#[derive(Debug)]
pub enum Reject<'a> {
    /// The line has no sender to answer to, or wants no answer. It is worth a warning.
    Unanswerable(String),
    /// A request that must be refused.
    Refuse {
        /// The client that asked.
        src: Cow<'a, str>,
        /// The request's id.
        msg_id: MsgId,
        /// The code of the refusal.
        code: ErrorCode,
        /// The reason, for humans.
        text: String,
    },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    src: Cow<'a, str>,
    #[serde(borrow)]
    body: Fields<'a>,
}

/// The node that a line is addressed to, if the line says so. Before its `init` a node has no other source for its name.
pub fn addressee(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Addressed {
        dest: String,
    }
    let addressed = serde_json::from_slice::<Addressed>(line).ok()?;
    Some(addressed.dest).filter(|dest| dest.len() <= MAX_NAME)
}

/// Every field that any message may have, not read yet.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    msg_id: Option<&'a RawValue>,
    #[serde(borrow)]
    in_reply_to: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    node_id: Option<&'a RawValue>,
    #[serde(borrow)]
    node_ids: Option<&'a RawValue>,
    #[serde(borrow)]
    epoch: Option<&'a RawValue>,
    #[serde(borrow)]
    ack: Option<&'a RawValue>,
    #[serde(borrow)]
    counts: Option<&'a RawValue>,
    #[serde(borrow)]
    minus: Option<&'a RawValue>,
    #[serde(borrow)]
    unstored: Option<&'a RawValue>,
    #[serde(borrow)]
    asks: Option<&'a RawValue>,
    #[serde(borrow)]
    holds: Option<&'a RawValue>,
    #[serde(borrow)]
    refused: Option<&'a RawValue>,
    #[serde(borrow)]
    doubts: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

/// A field that is present, even if it is `null`: the store may hold a `null`.
fn even_null<'de: 'a, 'a, D: serde::Deserializer<'de>>(value: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

/// Reads a line. `known` are the rows that the node holds.
///
/// # Errors
///
/// [`Reject`] says whether and how to answer the sender.
pub fn decode<'a>(line: &'a [u8], known: &Rows) -> Result<Message<'a>, Reject<'a>> {
    let Envelope { src, body } = envelope(line).map_err(Reject::Unanswerable)?;
    match body.in_reply_to {
        Some(id) => decode_reply(&body, id, known)
            .map(|body| Message { src, body })
            .map_err(|malformed| Reject::Unanswerable(malformed.0)),
        None => decode_request(src, &body, known),
    }
}

/// Cuts a line into raw pieces.
fn envelope(line: &[u8]) -> Result<Envelope<'_>, String> {
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err("not a JSON object".into());
    }
    let line = str::from_utf8(line).map_err(|error| format!("not a message: {error}"))?;
    let envelope: Envelope = serde_json::from_str(line).map_err(|error| format!("not a message: {error}"))?;
    if !(1..=MAX_NAME).contains(&envelope.src.len()) {
        return Err(format!("nobody has such a name: {}", cut(&envelope.src)));
    }
    Ok(envelope)
}

/// A field that is missing or of the wrong kind.
struct Malformed(String);

fn decode_request<'a>(
    src: Cow<'a, str>,
    fields: &Fields<'a>,
    known: &Rows,
) -> Result<Message<'a>, Reject<'a>> {
    let msg_id = match optional::<MsgId>("msg_id", fields.msg_id) {
        Ok(id) => id,
        Err(malformed) => return Err(Reject::Unanswerable(malformed.0)),
    };
    let refuse = |code, text| match msg_id {
        Some(msg_id) => Reject::Refuse { src: src.clone(), msg_id, code, text },
        None => Reject::Unanswerable(text),
    };
    let kind = match text("type", fields.kind) {
        Ok(kind) => kind,
        Err(malformed) => return Err(refuse(ErrorCode::MalformedRequest, malformed.0)),
    };
    if kind == "gossip" {
        // A node refuses no gossip: its sender may not exist, and an answer to it would then mute this node.
        return match read_frame(fields, known) {
            Ok(frame) => {
                let frame = Box::new(Frame { id: msg_id.map(FrameId), ..frame });
                Ok(Message { src, body: Body::Frame(frame) })
            }
            Err(malformed) => Err(Reject::Unanswerable(malformed.0)),
        };
    }
    match read_request(&kind, fields) {
        Ok(Some(request)) => Ok(Message { src, body: Body::Request(msg_id, request) }),
        Ok(None) => {
            let kind = fields.kind.map_or("none", RawValue::get);
            Err(refuse(ErrorCode::NotSupported, format!("no such type of request: {}", cut(kind))))
        }
        Err(malformed) => Err(refuse(ErrorCode::MalformedRequest, malformed.0)),
    }
}

/// Reads the fields of a request of that type. `None` if a node does not know the type.
fn read_request(kind: &str, fields: &Fields<'_>) -> Result<Option<Request>, Malformed> {
    Ok(Some(match kind {
        "add" => Request::Add { delta: required("delta", fields.delta)? },
        "read" => Request::Read,
        "init" => Request::Init {
            node_id: required("node_id", fields.node_id)?,
            node_ids: required(
                "node_ids",
                fields.node_ids.filter(|ids| ids.get().len() <= LONGEST_NODE_IDS),
            )?,
        },
        _ => return Ok(None),
    }))
}

fn decode_reply<'a>(
    fields: &Fields<'a>,
    in_reply_to: &RawValue,
    known: &Rows,
) -> Result<Body<'a>, Malformed> {
    let reply = match text("type", fields.kind)?.as_ref() {
        "gossip_ok" => {
            let id = optional("msg_id", fields.msg_id)?.map(FrameId);
            let answers = Some(FrameId(read("in_reply_to", in_reply_to)?));
            let frame = Frame { id, answers, ..read_frame(fields, known)? };
            return Ok(Body::Frame(Box::new(frame)));
        }
        "read_ok" => {
            Reply::ReadOk { value: fields.value.ok_or_else(|| Malformed("read_ok without a value".into()))? }
        }
        "cas_ok" => Reply::CasOk,
        "write_ok" => Reply::WriteOk,
        "error" => Reply::Error { code: required("code", fields.code)?, text: reason(fields.text)? },
        other => return Err(Malformed(format!("no such type of reply: {}", cut(other)))),
    };
    Ok(Body::Reply(read("in_reply_to", in_reply_to)?, reply))
}

fn read_frame(fields: &Fields<'_>, known: &Rows) -> Result<Frame, Malformed> {
    Ok(Frame {
        incarnation: required("epoch", fields.epoch)?,
        id: None,
        answers: None,
        confirms: optional("ack", fields.ack)?.map(FrameId),
        claim: Claim { rows: read_rows(fields, known)?, unstored: read_unstored(fields)?, part: None },
        inquiry: read_inquiry(fields)?,
        refused: read_refused(fields)?,
        doubts: optional("doubts", fields.doubts)?.unwrap_or_default(),
    })
}

/// Reads a question about a replica, or its answer.
fn read_inquiry(fields: &Fields<'_>) -> Result<Option<Inquiry>, Malformed> {
    let holds = match fields.holds {
        Some(raw) if raw.get().len() > LONGEST_SCALAR => {
            return Err(Malformed("holds more than one count".into()));
        }
        raw => optional::<BTreeMap<ReplicaId, Count>>("holds", raw)?,
    };
    let (replica, inquiry) = match (optional::<ReplicaId>("asks", fields.asks)?, holds) {
        (None, None) => return Ok(None),
        (Some(replica), None) => (replica.clone(), Inquiry::Asks(replica, 0)),
        (None, Some(held)) => match <[_; 1]>::try_from(Vec::from_iter(held)) {
            Ok([(replica, count)]) => (replica.clone(), Inquiry::Holds(count.tally().row(replica))),
            Err(held) => return Err(Malformed(format!("holds {} counts, not one", held.len()))),
        },
        (Some(_), Some(_)) => return Err(Malformed("asks and holds at once".into())),
    };
    check_replicas("inquiry", [&replica])?;
    Ok(Some(inquiry))
}

/// Reads the list of refused replicas.
fn read_refused(fields: &Fields<'_>) -> Result<BTreeSet<ReplicaId>, Malformed> {
    let refused: BTreeSet<ReplicaId> = optional("refused", fields.refused)?.unwrap_or_default();
    if refused.len() > MOST_REFUSED {
        return Err(Malformed(format!(
            "{} replicas are refused, and {MOST_REFUSED} is the most",
            refused.len()
        )));
    }
    check_replicas("refused", &refused)?;
    Ok(refused)
}

/// Each of these must be a replica of a node that may exist. The nodes need not be on the list, so this alone bounds the
/// length of their names.
fn check_replicas<'a>(name: &str, all: impl IntoIterator<Item = &'a ReplicaId>) -> Result<(), Malformed> {
    let mut all = all.into_iter();
    all.try_for_each(|replica| check_node_name(replica.node()))
        .map_err(|why| Malformed(format!("bad {name}: {why}")))
}

/// Reads the list of unstored replicas. Each is among the counts, so the list is no longer than they are.
fn read_unstored(fields: &Fields<'_>) -> Result<BTreeSet<ReplicaId>, Malformed> {
    let longest: usize = [fields.counts, fields.minus].into_iter().flatten().map(|raw| raw.get().len()).sum();
    match fields.unstored {
        Some(raw) if raw.get().len() > longest => Err(Malformed("more is unstored than counted".into())),
        raw => Ok(optional("unstored", raw)?.unwrap_or_default()),
    }
}

/// Reads the rows: the increments and decrements of each replica.
fn read_rows(fields: &Fields<'_>, known: &Rows) -> Result<Vec<RowDelta>, Malformed> {
    let plus = read_counts("counts", fields.counts, known)?;
    let minus = read_counts("minus", fields.minus, known)?;
    let row = |replica: &ReplicaId, up, down| {
        whole(Tally { up, down }, Tally::of(known, replica)).row(replica.clone())
    };
    let both = plus.iter().map(|(replica, up)| row(replica, up, minus.get(replica)));
    let only_minus = minus.iter().filter(|(replica, _)| !plus.contains(*replica));
    Ok(both.chain(only_minus.map(|(replica, down)| row(replica, 0, down))).collect())
}

/// The whole row of a replica, of which this was stated. Nodes state whole rows. Of a row that is ahead in one direction and
/// behind in the other, only one direction was stated.
fn whole(stated: Tally, known: Tally) -> Tally {
    if stated.is_within(known) || known.is_within(stated) {
        return stated;
    }
    Tally { up: stated.up.max(known.up), down: stated.down.max(known.down) }
}

fn read_counts(name: &str, raw: Option<&RawValue>, known: &Rows) -> Result<GCounter<ReplicaId>, Malformed> {
    let Some(raw) = raw else { return Ok(GCounter::new()) };
    // The ids of known replicas are shared, not made anew.
    let known = known.versions().counter();
    let counts = known.read_json(raw.get().as_bytes()).map_err(|e| malformed(name, raw.get(), &e))?;
    check_replicas(name, counts.keys())?;
    Ok(counts)
}

fn required<'a, T: Deserialize<'a>>(name: &str, raw: Option<&'a RawValue>) -> Result<T, Malformed> {
    read(name, raw.ok_or_else(|| Malformed(format!("no {name}")))?)
}

/// Reads a string. A string without escapes is borrowed, not copied.
fn text<'a>(name: &str, raw: Option<&'a RawValue>) -> Result<Cow<'a, str>, Malformed> {
    let quoted = raw.and_then(|raw| raw.get().strip_prefix('"')?.strip_suffix('"'));
    match quoted.filter(|text| text.len() <= LONGEST_SCALAR && !text.contains('\\')) {
        Some(text) => Ok(Cow::Borrowed(text)),
        None => required::<String>(name, raw).map(Cow::Owned),
    }
}

/// Reads the reason of an error, which is for humans. A store that refuses a compare-and-set quotes the whole record there, so a
/// long text is cut, not refused.
fn reason(raw: Option<&RawValue>) -> Result<String, Malformed> {
    match raw.map(RawValue::get).filter(|text| text.len() > LONGEST_SCALAR) {
        Some(long) => Ok(cut(long).into_owned()),
        None => Ok(optional("text", raw)?.unwrap_or_default()),
    }
}

fn optional<'a, T: Deserialize<'a>>(name: &str, raw: Option<&'a RawValue>) -> Result<Option<T>, Malformed> {
    raw.map(|raw| read(name, raw)).transpose()
}

fn read<'a, T: Deserialize<'a>>(name: &str, raw: &'a RawValue) -> Result<T, Malformed> {
    let text = raw.get();
    if text.len() > LONGEST_SCALAR && !text.starts_with(['{', '[']) {
        return Err(Malformed(format!("bad {name} {}: too long", cut(text))));
    }
    serde_json::from_str(text).map_err(|e| malformed(name, text, &e))
}

fn malformed(name: &str, text: &str, error: &serde_json::Error) -> Malformed {
    Malformed(format!("bad {name} {}: {}", cut(text), cut(&error.to_string())))
}

/// The beginning of a text, for a log line or an error.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            Cow::Owned(format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()))
        }
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests;
