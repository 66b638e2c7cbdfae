//! What can go wrong.

use std::fmt;

use replica::Refusal;

pub use crate::store::{Fatal, OpenError};

/// Whether a change that was refused may count all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It does not count.
    No,
    /// It is counted here, but was not known to be durable in time. It may survive.
    Maybe,
}

/// Why a request was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The replica refuses.
    Refusal(Refusal),
    /// The idempotency key was used before, with another request.
    KeyReused,
    /// The idempotency key is empty, or has more than [`MAX_KEY`](crate::MAX_KEY) bytes.
    KeyTooLong,
    /// A request with this idempotency key was refused a moment ago, while this one waited for it.
    KeyBusy,
    /// The store has not been read since the start. So it is not known whether the idempotency key was used before.
    KeysUnread,
    /// Another process runs under the name of this node. It may know the idempotency key.
    NameShared,
    /// Too many idempotency keys are remembered.
    TooManyKeys,
    /// The group has more than [`MAX_GROUP`](crate::MAX_GROUP) requests.
    GroupTooLong,
    /// The database has failed before. The process must be started again.
    Failed,
    /// The database has failed while the change waited to be stored. The process must be started again.
    FailedMeanwhile,
}

impl Refused {
    /// Whether the change may count all the same.
    ///
    /// ```
    /// use embedded::{Counted, Refusal, Refused};
    ///
    /// assert_eq!(Refused::KeyReused.counted(), Counted::No);
    /// assert_eq!(Refused::Refusal(Refusal::NotKnownDurable).counted(), Counted::Maybe);
    /// ```
    pub const fn counted(self) -> Counted {
        match self {
            Self::Refusal(refusal) if refusal.may_have_counted() => Counted::Maybe,
            Self::FailedMeanwhile => Counted::Maybe,
            Self::Refusal(_)
            | Self::KeyReused
            | Self::KeyTooLong
            | Self::KeyBusy
            | Self::KeysUnread
            | Self::NameShared
            | Self::TooManyKeys
            | Self::GroupTooLong
            | Self::Failed => Counted::No,
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

/// In words that a user understands.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refusal(refusal) => refusal.as_str(),
            Self::KeyReused => "this idempotency key was used with another request: not counted",
            Self::KeyTooLong => "an idempotency key has 1 to 255 bytes: not counted",
            Self::KeyBusy => "the request with the same idempotency key was refused: not counted",
            Self::KeysUnread => "the idempotency keys are not read from the store yet: not counted",
            Self::NameShared => {
                "another process runs under the name of this node, and may know the idempotency key: not counted. End one of them"
            }
            Self::TooManyKeys => "too many idempotency keys are remembered: not counted",
            Self::GroupTooLong => "too many requests at once: not counted",
            Self::Failed => "the database has failed: not counted. Start the process again",
            Self::FailedMeanwhile => {
                "the database has failed: it is not known whether it counts. Start the process again"
            }
        })
    }
}

impl std::error::Error for Refused {}
