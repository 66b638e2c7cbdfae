//! Requests of one kind that wait, oldest first.

use std::collections::VecDeque;
use std::time::Duration;

use crate::seam::Ticket;

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    pub ticket: Ticket,
    pub answer_by: Duration,
}

/// Requests that wait. Each has a `T`, which says what it waits for.
#[derive(Debug, Clone)]
pub(super) struct Queue<T>(VecDeque<(T, Pending)>);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Queue<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// No request may be answered later than one that came after it: those before get its deadline, if that is earlier. So
    /// the time of the oldest is up first.
    pub(super) fn push(&mut self, what: T, pending: Pending) {
        let later = |(_, before): &&mut (T, Pending)| before.answer_by > pending.answer_by;
        for (_, before) in self.0.iter_mut().rev().take_while(later) {
            before.answer_by = pending.answer_by;
        }
        self.0.push_back((what, pending));
    }

    /// Removes the oldest, if `ready` says so.
    pub(super) fn pop_if(&mut self, ready: impl FnOnce(&T) -> bool) -> Option<(T, Pending)> {
        let (what, _) = self.0.front()?;
        if ready(what) { self.0.pop_front() } else { None }
    }

    /// Removes the oldest, if its time is up.
    pub(super) fn pop_expired(&mut self, now: Duration) -> Option<Pending> {
        let (_, pending) = self.0.front()?;
        if pending.answer_by <= now { self.0.pop_front().map(|(_, pending)| pending) } else { None }
    }

    /// When the time of the oldest is up.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.0.front().map(|(_, pending)| pending.answer_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(answer_by: u64) -> Pending {
        Pending { ticket: Ticket(answer_by), answer_by: Duration::from_secs(answer_by) }
    }

    #[test]
    fn no_request_is_answered_later_than_one_that_came_after_it() {
        let mut queue = Queue::default();
        assert!(queue.is_empty());
        for (what, answer_by) in [7, 8, 9, 6, 8].into_iter().enumerate() {
            queue.push(what, pending(answer_by));
        }
        assert!(!queue.is_empty());
        assert_eq!(queue.next_expiry(), Some(Duration::from_secs(6)));
        assert_eq!(queue.pop_if(|what| *what > 0).map(|(what, _)| what), None, "the oldest is another");
        let times: Vec<_> = std::iter::from_fn(|| queue.pop_if(|_| true)).collect();
        assert_eq!(times.iter().map(|(what, _)| *what).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(
            times.iter().map(|(_, pending)| pending.answer_by.as_secs()).collect::<Vec<_>>(),
            [6, 6, 6, 6, 8]
        );
    }

    #[test]
    fn a_request_expires_when_its_time_has_come() {
        let mut queue = Queue::default();
        queue.push((), pending(7));
        assert!(queue.pop_expired(Duration::from_millis(6999)).is_none());
        assert!(queue.pop_expired(Duration::from_secs(7)).is_some());
        assert!(queue.is_empty());
    }
}
