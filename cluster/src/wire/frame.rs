//! A frame as bytes.

use std::collections::{BTreeMap, BTreeSet};

use embedded::is_node_name;
use replica::{
    Claim, Frame, FrameId, Incarnation, Inquiry, MAX_NAME, MAX_SOURCES, Part, ReplicaId, RowDelta,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::WireError;

/// A frame as it is written. Rows are in their binary form.
#[derive(Serialize, Deserialize)]
struct Written {
    incarnation: Incarnation,
    id: Option<i64>,
    answers: Option<i64>,
    confirms: Option<i64>,
    rows: Vec<ByteBuf>,
    part: Option<ByteBuf>,
    unstored: BTreeSet<ReplicaId>,
    inquiry: Option<WrittenInquiry>,
    refused: BTreeSet<ReplicaId>,
    doubts: bool,
}

#[derive(Serialize, Deserialize)]
enum WrittenInquiry {
    Asks(ReplicaId, u64),
    Holds(ByteBuf),
    Surveys(ReplicaId),
    Shows(BTreeMap<ReplicaId, u64>),
}

/// Writes a frame behind what `out` has.
pub fn write(frame: &Frame, out: &mut Vec<u8>) {
    let Frame { incarnation, id, answers, confirms, claim, inquiry, refused, doubts } = frame;
    let Claim { rows, part, unstored } = claim;
    let written = Written {
        incarnation: *incarnation,
        id: id.map(|id| id.0),
        answers: answers.map(|id| id.0),
        confirms: confirms.map(|id| id.0),
        rows: rows.iter().map(|row| ByteBuf::from(row.to_bytes())).collect(),
        part: part.as_ref().map(|part| ByteBuf::from(part.to_bytes())),
        unstored: unstored.clone(),
        inquiry: inquiry.as_ref().map(|inquiry| match inquiry {
            Inquiry::Asks(replica, version) => WrittenInquiry::Asks(replica.clone(), *version),
            Inquiry::Holds(row) => WrittenInquiry::Holds(ByteBuf::from(row.to_bytes())),
            Inquiry::Surveys(replica) => WrittenInquiry::Surveys(replica.clone()),
            Inquiry::Shows(versions) => WrittenInquiry::Shows(versions.clone()),
        }),
        refused: refused.clone(),
        doubts: *doubts,
    };
    // A vector takes all that is written, and a frame has nothing that can't be written.
    if let Ok(bytes) = postcard::to_allocvec(&written) {
        out.extend(bytes);
    }
}

/// Reads what [`write()`] has written. Allocates in proportion to it.
///
/// # Errors
///
/// [`WireError::Garbage`].
pub fn read(bytes: &[u8]) -> Result<Frame, WireError> {
    let (written, rest) = postcard::take_from_bytes(bytes).map_err(|_| WireError::Garbage)?;
    if !rest.is_empty() {
        return Err(WireError::Garbage);
    }
    let Written { incarnation, id, answers, confirms, rows, part, unstored, inquiry, refused, doubts } =
        written;
    let rows = rows.iter().map(|row| read_row(row)).collect::<Result<_, _>>()?;
    let part = part.map(|part| read_part(&part)).transpose()?;
    let inquiry = match inquiry {
        None => None,
        Some(WrittenInquiry::Asks(replica, version)) => Some(Inquiry::Asks(replica, version)),
        Some(WrittenInquiry::Holds(row)) => Some(Inquiry::Holds(read_row(&row)?)),
        Some(WrittenInquiry::Surveys(replica)) => Some(Inquiry::Surveys(replica)),
        Some(WrittenInquiry::Shows(versions)) => Some(Inquiry::Shows(versions)),
    };
    let (asked, shown) = match &inquiry {
        Some(Inquiry::Asks(replica, _) | Inquiry::Surveys(replica)) => (Some(replica), None),
        Some(Inquiry::Shows(versions)) => (None, Some(versions)),
        Some(Inquiry::Holds(_)) | None => (None, None),
    };
    let shown = shown.into_iter().flat_map(BTreeMap::keys);
    if !unstored.iter().chain(&refused).chain(asked).chain(shown).all(is_sound) {
        return Err(WireError::Garbage);
    }
    let claim = Claim { rows, part: part.map(Box::new), unstored };
    let [id, answers, confirms] = [id, answers, confirms].map(|id| id.map(FrameId));
    Ok(Frame { incarnation, id, answers, confirms, claim, inquiry, refused, doubts })
}

fn read_row(bytes: &[u8]) -> Result<RowDelta, WireError> {
    let row = RowDelta::from_bytes(bytes).map_err(|_| WireError::Garbage)?;
    if is_sound_row(&row) { Ok(row) } else { Err(WireError::Garbage) }
}

fn read_part(bytes: &[u8]) -> Result<Part, WireError> {
    let part = Part::from_bytes(bytes).map_err(|_| WireError::Garbage)?;
    if is_sound_row(part.delta()) { Ok(part) } else { Err(WireError::Garbage) }
}

/// Whether a replica is of a node that may exist.
pub(crate) fn is_sound(replica: &ReplicaId) -> bool {
    is_node_name(replica.node())
}

/// Whether the names in a row are as long as they may be.
fn is_sound_row(row: &RowDelta) -> bool {
    is_sound(row.actor())
        && row.items().all(|item| {
            // Sources that were new on both sides of a partition may be more together.
            let sources = item.entry.more.map_or(0, |more| more.totals.len());
            item.name.is_none_or(|name| name.len() <= MAX_NAME) && sources <= MAX_SOURCES << 8
        })
}
