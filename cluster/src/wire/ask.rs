//! A change that one node asks another one to make, for the other one knows its idempotency key.
//!
//! A request and an answer begin with the version of the format, as messages do.

use embedded::{Change, Done, MAX_BATCH, MAX_KEY, MAX_NAME, Name, Refusal, Refused, Reply, Step, Version};
use serde::{Deserialize, Serialize};

use super::{OLDEST, VERSION, WireError};

/// What a node asks another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Names the request among those of the node that asks.
    pub id: u64,
    /// The process that is asked. No other one must do it.
    pub process: u64,
    /// The age of that process, in milliseconds, after which it must not begin any more.
    pub begin_by_ms: u64,
    /// The idempotency key.
    pub key: String,
    /// The change.
    pub change: Change,
}

/// How the other node has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The change counts.
    Done {
        /// As the other node answers its own clients.
        done: Done,
        /// Whether that node acknowledges changes that are in its memory only.
        in_memory: bool,
        /// What a client has seen that is told of it.
        seen: Version,
    },
    /// The change was refused.
    Refused(Refused),
    /// The change was refused for a reason that this release does not know.
    RefusedOtherwise {
        /// Whether it may count all the same.
        may_count: bool,
    },
    /// The request came too late. The change was not made.
    Late,
}

#[derive(Serialize, Deserialize)]
struct WrittenAsk {
    id: u64,
    process: u64,
    begin_by_ms: u64,
    key: String,
    change: WrittenChange,
}

#[derive(Serialize, Deserialize)]
enum WrittenChange {
    Add(String, i64),
    Batch(Vec<(String, WrittenStep)>),
    Reset(String),
    Report(String, String, u64),
}

#[derive(Serialize, Deserialize)]
enum WrittenStep {
    Add(i64),
    Reset,
}

#[derive(Serialize, Deserialize)]
enum WrittenTold {
    Done { reply: WrittenReply, is_replayed: bool, in_memory: bool, seen: String },
    Refused { code: u8, may_count: bool },
    Late,
}

#[derive(Serialize, Deserialize)]
enum WrittenReply {
    Counted,
    Reset(i128),
    Value(i128),
    Values(Vec<i128>),
}

/// The refusals that a change with a key can get, by their codes.
const CODES: [(u8, Refused); 18] = [
    (1, Refused::KeyReused),
    (2, Refused::KeyTooLong),
    (3, Refused::KeyBusy),
    (4, Refused::KeysUnread),
    (5, Refused::TooManyKeys),
    (6, Refused::Failed),
    (7, Refused::FailedMeanwhile),
    (8, Refused::Refusal(Refusal::ShuttingDown)),
    (9, Refused::Refusal(Refusal::TooManyAdds)),
    (10, Refused::Refusal(Refusal::Overflow)),
    (11, Refused::Refusal(Refusal::TooManyCounters)),
    (12, Refused::Refusal(Refusal::TooManySources)),
    (13, Refused::Refusal(Refusal::StoreSilent)),
    (14, Refused::Refusal(Refusal::NotKnownDurable)),
    (15, Refused::Refusal(Refusal::EndedBeforeDurable)),
    (16, Refused::Refusal(Refusal::Forgotten)),
    (17, Refused::Refusal(Refusal::NameTooLong)),
    (18, Refused::NameShared),
];

/// The code of a refusal that is not in the table.
const OTHER: u8 = 0;

impl Ask {
    /// The request as bytes.
    ///
    /// ```
    /// use cluster::wire::ask::Ask;
    /// use embedded::Change;
    ///
    /// let change = Change::Add("views".into(), 3);
    /// let ask = Ask { id: 1, process: 42, begin_by_ms: 60_000, key: "7f3c0c9e".into(), change };
    /// assert_eq!(Ask::from_bytes(&ask.to_bytes())?, ask);
    /// # Ok::<(), cluster::wire::WireError>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { id, process, begin_by_ms, key, change } = self;
        let change = match change {
            Change::Add(name, delta) => WrittenChange::Add(name.to_string(), *delta),
            Change::Batch(steps) => {
                let step = |(name, step): &(Name, Step)| match step {
                    Step::Add(delta) => (name.to_string(), WrittenStep::Add(*delta)),
                    Step::Reset => (name.to_string(), WrittenStep::Reset),
                };
                WrittenChange::Batch(steps.iter().map(step).collect())
            }
            Change::Reset(name) => WrittenChange::Reset(name.to_string()),
            Change::Report { counter, source, total } => {
                WrittenChange::Report(counter.to_string(), source.to_string(), *total)
            }
        };
        let [id, process, begin_by_ms] = [id, process, begin_by_ms].map(|number| *number);
        write(&WrittenAsk { id, process, begin_by_ms, key: key.clone(), change })
    }

    /// Reads a request. Allocates in proportion to it.
    ///
    /// # Errors
    ///
    /// [`WireError`], also if a key, a name or a batch is longer than it may be, or a name is empty.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let WrittenAsk { id, process, begin_by_ms, key, change } = read(bytes)?;
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(WireError::Garbage);
        }
        Ok(Self { id, process, begin_by_ms, key, change: read_change(change)? })
    }
}

fn read_change(written: WrittenChange) -> Result<Change, WireError> {
    let name = |name: String| {
        let is_good = (1..=MAX_NAME).contains(&name.len());
        is_good.then(|| Name::from(name)).ok_or(WireError::Garbage)
    };
    Ok(match written {
        WrittenChange::Add(counter, delta) => Change::Add(name(counter)?, delta),
        WrittenChange::Batch(steps) if steps.len() > MAX_BATCH => return Err(WireError::Garbage),
        WrittenChange::Batch(steps) => {
            let step = |(counter, step)| match step {
                WrittenStep::Add(delta) => Ok((name(counter)?, Step::Add(delta))),
                WrittenStep::Reset => Ok((name(counter)?, Step::Reset)),
            };
            Change::Batch(steps.into_iter().map(step).collect::<Result<_, _>>()?)
        }
        WrittenChange::Reset(counter) => Change::Reset(name(counter)?),
        WrittenChange::Report(counter, source, total) => {
            Change::Report { counter: name(counter)?, source: name(source)?, total }
        }
    })
}

impl Told {
    /// The answer as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        write(&match self {
            Self::Done { done: Done { reply, is_replayed, .. }, in_memory, seen } => {
                let reply = match reply {
                    // Only the first answers a change.
                    Reply::Counted
                    | Reply::Forgotten
                    | Reply::Reached
                    | Reply::NotReached(_)
                    | Reply::Held(_) => WrittenReply::Counted,
                    Reply::Reset(value) => WrittenReply::Reset(*value),
                    Reply::Value(value) => WrittenReply::Value(*value),
                    Reply::Values(values) => WrittenReply::Values(values.to_vec()),
                };
                // A version that is too long for a client says nothing.
                let seen = seen.to_text().unwrap_or_default();
                WrittenTold::Done { reply, is_replayed: *is_replayed, in_memory: *in_memory, seen }
            }
            Self::Refused(refused) => {
                let code = CODES.iter().find(|(_, known)| known == refused).map_or(OTHER, |(code, _)| *code);
                let may_count = refused.counted() == embedded::Counted::Maybe;
                WrittenTold::Refused { code, may_count }
            }
            Self::RefusedOtherwise { may_count } => {
                WrittenTold::Refused { code: OTHER, may_count: *may_count }
            }
            Self::Late => WrittenTold::Late,
        })
    }

    /// Reads an answer. Allocates in proportion to it.
    ///
    /// # Errors
    ///
    /// [`WireError`]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        Ok(match read(bytes)? {
            WrittenTold::Done { reply, is_replayed, in_memory, seen } => {
                let reply = match reply {
                    WrittenReply::Counted => Reply::Counted,
                    WrittenReply::Reset(value) => Reply::Reset(value),
                    WrittenReply::Value(value) => Reply::Value(value),
                    WrittenReply::Values(values) => Reply::Values(values.into()),
                };
                let seen = if seen.is_empty() {
                    Version::default()
                } else {
                    seen.parse().map_err(|_| WireError::Garbage)?
                };
                Self::Done { done: Done { reply, is_replayed, number: 0 }, in_memory, seen }
            }
            WrittenTold::Refused { code, may_count } => {
                let known = CODES.iter().find(|(known, _)| *known == code);
                known.map_or(Self::RefusedOtherwise { may_count }, |(_, refused)| Self::Refused(*refused))
            }
            WrittenTold::Late => Self::Late,
        })
    }
}

fn write(written: &impl Serialize) -> Vec<u8> {
    // A vector takes all that is written, and there is nothing that can't be written.
    postcard::to_extend(written, vec![VERSION]).unwrap_or_default()
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    let (&version, rest) = bytes.split_first().ok_or(WireError::Garbage)?;
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(WireError::Version(version));
    }
    match postcard::take_from_bytes(rest) {
        Ok((read, [])) => Ok(read),
        Ok(_) | Err(_) => Err(WireError::Garbage),
    }
}
