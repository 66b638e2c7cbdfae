//! Errors: why a command was not done, in the codes and, where Redis has one, the texts that its clients know.

use std::borrow::Cow;

use embedded::{Counted, Refusal, Refused};

/// An error: a code in capitals, and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem(pub(super) &'static str, pub(super) Cow<'static, str>);

impl Problem {
    /// An error with a fixed text.
    pub(super) const fn new(code: &'static str, text: &'static str) -> Self {
        Self(code, Cow::Borrowed(text))
    }

    /// An error of the common code.
    pub(super) const fn err(text: &'static str) -> Self {
        Self::new("ERR", text)
    }

    /// An error of the common code, with a text of its own.
    pub(super) fn told(text: String) -> Self {
        Self("ERR", Cow::Owned(text))
    }
}

pub(super) const NOT_AN_INTEGER: Problem = Problem::err("value is not an integer or out of range");
pub(super) const WOULD_OVERFLOW: Problem = Problem::err("increment or decrement would overflow");
pub(super) const SYNTAX: Problem = Problem::err("syntax error");

/// Why a request was refused. The text says whether the change may count all the same.
///
/// `MAYBE`: it may count, so no client may repeat it by itself. With all other codes it does not count. `TRYAGAIN`: it may be done
/// later. `LOADING`: the server is not ready. `OOM`: there is no room. `ERR`: it makes no sense to try again as it is.
pub(super) fn refused(refused: Refused) -> Problem {
    let code = match refused {
        Refused::Refusal(Refusal::Overflow) => return WOULD_OVERFLOW,
        _ if refused.counted() == Counted::Maybe => "MAYBE",
        Refused::Refusal(refusal) => code(refusal),
        Refused::GroupTooLong | Refused::TooManyKeys => "OOM",
        Refused::Failed
        | Refused::FailedMeanwhile
        | Refused::KeyReused
        | Refused::KeyTooLong
        | Refused::KeyBusy
        | Refused::KeysUnread
        | Refused::NameShared => "ERR",
    };
    Problem(code, Cow::Owned(refused.to_string()))
}

fn code(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::TooManyAdds
        | Refusal::TooManyReads
        | Refusal::StoreSilent
        | Refusal::NotKnownDurable
        | Refusal::EndedBeforeDurable
        | Refusal::EndedBeforeReached
        | Refusal::ShuttingDown => "TRYAGAIN",
        Refusal::NotRecovered | Refusal::EndedBeforeRecovered => "LOADING",
        Refusal::TooManyCounters | Refusal::TooManySources | Refusal::TooManyReplicas => "OOM",
        Refusal::Overflow
        | Refusal::NameTooLong
        | Refusal::BatchTooLong
        | Refusal::OneCounterOnly
        | Refusal::Copied
        | Refusal::Incomplete
        | Refusal::Forgotten
        | Refusal::NotForgotten
        | Refusal::NoSuchNode
        | Refusal::ForgetsItself
        | Refusal::TooManyForgets => "ERR",
    }
}
