//! Clients: which client waits for which answer, until when the answer may leave, and its wording.

use std::collections::BTreeMap;
use std::time::Duration;

use replica::{Refusal, Reply, Ticket};

use crate::message::{ErrorCode, MsgId, Outgoing, Say};
use crate::node::Outlet;

/// An answer that is later than this after its time is not given: its client may have left.
const LATE: Duration = Duration::from_millis(50);

/// A client that waits for the answer to its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client<'a> {
    pub name: &'a str,
    /// `None` if the client does not wait for an answer.
    pub msg_id: Option<MsgId>,
    pub answer_by: Duration,
}

impl Client<'_> {
    /// Answers, unless the client does not wait or it is too late.
    pub(crate) fn answer(self, answer: Say, now: Duration, say: &mut Outlet<'_>) {
        let by = self.answer_by + LATE;
        if self.msg_id.is_some() && now <= by {
            say(Outgoing { by: Some(by), ..Outgoing::answer(self.name, self.msg_id, answer) });
        }
    }
}

/// Clients whose requests the replica has not answered yet, by ticket. The replica bounds how many there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    last: u64,
    by_ticket: BTreeMap<Ticket, Owned>,
}

#[derive(Debug, Clone)]
struct Owned {
    name: Box<str>,
    msg_id: Option<MsgId>,
    answer_by: Duration,
}

impl Waiting {
    /// A ticket that no request has had.
    pub(crate) fn next_ticket(&mut self) -> Ticket {
        self.last += 1;
        Ticket(self.last)
    }

    /// Remembers that this client waits.
    pub(crate) fn push(&mut self, ticket: Ticket, client: Client<'_>) {
        let Client { name, msg_id, answer_by } = client;
        if msg_id.is_some() {
            self.by_ticket.insert(ticket, Owned { name: name.into(), msg_id, answer_by });
        }
    }

    /// Gives the client of this ticket its answer.
    pub(crate) fn answer(&mut self, ticket: Ticket, answer: Say, now: Duration, say: &mut Outlet<'_>) {
        if let Some(Owned { name, msg_id, answer_by }) = self.by_ticket.remove(&ticket) {
            Client { name: &name, msg_id, answer_by }.answer(answer, now, say);
        }
    }
}

/// The answer to a client, for a result of the replica.
pub(crate) fn worded(result: &Result<Reply, Refusal>) -> Say {
    match result {
        Ok(Reply::Counted) => Say::AddOk,
        Ok(Reply::Value(value)) => Say::ReadOk(*value),
        // No client of Maelstrom's can ask for these.
        Ok(
            Reply::Reset(_)
            | Reply::Values(_)
            | Reply::Forgotten
            | Reply::Reached
            | Reply::NotReached(_)
            | Reply::Held(_),
        ) => Say::Error(ErrorCode::NotSupported, "not supported".into()),
        Err(refusal) => Say::Error(code(*refusal), refusal.as_str().into()),
    }
}

/// Maelstrom's code for a refusal. All but `Timeout` say that the request was not done.
fn code(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::NotKnownDurable | Refusal::EndedBeforeDurable => ErrorCode::Timeout,
        Refusal::Overflow
        | Refusal::NameTooLong
        | Refusal::BatchTooLong
        | Refusal::TooManyCounters
        | Refusal::TooManySources
        | Refusal::OneCounterOnly
        | Refusal::Copied
        | Refusal::Incomplete
        | Refusal::TooManyReplicas => ErrorCode::Abort,
        Refusal::ShuttingDown
        | Refusal::TooManyAdds
        | Refusal::TooManyReads
        | Refusal::StoreSilent
        | Refusal::NotRecovered
        | Refusal::EndedBeforeRecovered
        | Refusal::EndedBeforeReached
        | Refusal::Forgotten
        | Refusal::NotForgotten
        | Refusal::NoSuchNode
        | Refusal::ForgetsItself
        | Refusal::TooManyForgets => ErrorCode::TemporarilyUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_until_shortly_after_its_time_to_a_client_that_waits() {
        let client = Client { name: "c1", msg_id: Some(1), answer_by: Duration::from_secs(7) };
        let last = Duration::from_secs(7) + LATE;
        let leaves_by = |client: Client<'_>, now| {
            let mut by = None;
            client.answer(Say::AddOk, now, &mut |message| by = message.by);
            by
        };
        assert_eq!(leaves_by(client, last), Some(last));
        assert_eq!(leaves_by(client, last + Duration::from_nanos(1)), None);
        assert_eq!(leaves_by(Client { msg_id: None, ..client }, Duration::ZERO), None);
    }

    #[test]
    fn a_code_is_definite_where_the_refusal_is() {
        for refusal in [
            Refusal::ShuttingDown,
            Refusal::TooManyAdds,
            Refusal::TooManyReads,
            Refusal::Overflow,
            Refusal::StoreSilent,
            Refusal::NotKnownDurable,
            Refusal::EndedBeforeDurable,
            Refusal::NotRecovered,
            Refusal::EndedBeforeRecovered,
        ] {
            assert_eq!(code(refusal) == ErrorCode::Timeout, refusal.may_have_counted(), "{refusal}");
        }
    }
}
