//! Clients that wait for an answer.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::MAX_WAITING;
use crate::message::{ErrorCode, MsgId, Name, Outgoing, Say};

/// So long after its time an answer is not given at all: its client may have left.
const LATE: Duration = Duration::from_millis(50);

/// A client that waits for the answer to its request.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub name: Name,
    /// `None`: it does not wait.
    pub msg_id: Option<MsgId>,
    pub answer_by: Duration,
}

impl Client {
    /// Answers, unless nobody waits or it is too late.
    pub(super) fn answer(self, say: Say, now: Duration, out: &mut Vec<Outgoing>) {
        let by = self.answer_by + LATE;
        if self.msg_id.is_some() && now <= by {
            out.push(Outgoing { dest: self.name, msg_id: None, in_reply_to: self.msg_id, say, by: Some(by) });
        }
    }

    pub(super) fn refuse(self, code: ErrorCode, text: &'static str, now: Duration, out: &mut Vec<Outgoing>) {
        self.answer(Say::Error(code, text.into()), now, out);
    }
}

/// Requests of one kind that wait, oldest first, each with what it waits for.
#[derive(Debug, Clone)]
pub(super) struct Queue<T>(VecDeque<(T, Client)>);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Queue<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_WAITING
    }

    /// Nobody may be answered later than who comes after: so the oldest one's time is the next to be up.
    pub(super) fn push(&mut self, what: T, client: Client) {
        for (_, before) in
            self.0.iter_mut().rev().take_while(|(_, before)| before.answer_by > client.answer_by)
        {
            before.answer_by = client.answer_by;
        }
        self.0.push_back((what, client));
    }

    /// Takes the oldest, if `ready` says so.
    pub(super) fn pop_if(&mut self, ready: impl FnOnce(&T) -> bool) -> Option<(T, Client)> {
        let (what, _) = self.0.front()?;
        if ready(what) { self.0.pop_front() } else { None }
    }

    /// Takes the oldest, if its time is up.
    pub(super) fn pop_expired(&mut self, now: Duration) -> Option<Client> {
        let (_, client) = self.0.front()?;
        if client.answer_by <= now { self.0.pop_front().map(|(_, client)| client) } else { None }
    }

    /// When the oldest one's time is up.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.0.front().map(|(_, client)| client.answer_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(answer_by: u64) -> Client {
        Client { name: "c1".into(), msg_id: Some(1), answer_by: Duration::from_secs(answer_by) }
    }

    #[test]
    fn nobody_is_answered_later_than_who_comes_after() {
        let mut queue = Queue::default();
        assert!(queue.is_empty());
        for (what, answer_by) in [7, 8, 9, 6, 8].into_iter().enumerate() {
            queue.push(what, client(answer_by));
        }
        assert!(!queue.is_empty());
        assert_eq!(queue.next_expiry(), Some(Duration::from_secs(6)));
        assert_eq!(queue.pop_if(|what| *what > 0).map(|(what, _)| what), None, "the oldest is another");
        let times: Vec<_> = std::iter::from_fn(|| queue.pop_if(|_| true)).collect();
        assert_eq!(times.iter().map(|(what, _)| *what).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(
            times.iter().map(|(_, client)| client.answer_by.as_secs()).collect::<Vec<_>>(),
            [6, 6, 6, 6, 8]
        );
    }

    #[test]
    fn who_has_waited_to_the_end_of_its_time_has_waited_enough() {
        let mut queue = Queue::default();
        queue.push((), client(7));
        assert!(queue.pop_expired(Duration::from_millis(6999)).is_none());
        assert!(queue.pop_expired(Duration::from_secs(7)).is_some());
        assert!(queue.is_empty());
    }

    #[test]
    fn an_answer_is_given_until_shortly_after_its_time_to_who_waits() {
        let answered = |client: Client, at: Duration| {
            let mut out = Vec::new();
            client.answer(Say::AddOk, at, &mut out);
            !out.is_empty()
        };
        let last = Duration::from_secs(7) + LATE;
        assert!(answered(client(7), last));
        assert!(!answered(client(7), last + Duration::from_millis(1)));
        assert!(!answered(Client { msg_id: None, ..client(7) }, last));
    }
}
