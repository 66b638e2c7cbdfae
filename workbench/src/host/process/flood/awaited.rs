//! The requests of a flood, and which of them still wait for their answers.

use std::collections::VecDeque;

use crate::plan::Plan;
use crate::seeds::Random;
use crate::workload::{Request, Requests, Workload};

/// The number of the first request; 1 is `init`.
const FIRST_ID: u64 = 2;

/// The requests, one after the other, each with its message number.
#[derive(Debug)]
pub(super) struct Mix {
    random: Random,
    adds_and_reads: Box<dyn Requests>,
    drawn: u32,
    requests: u32,
}

impl Mix {
    /// The requests of a counter. The same generator gives the same ones.
    pub(super) fn new(random: Random, counter: &'static dyn Workload, requests: u32) -> Self {
        Self { random, adds_and_reads: counter.requests(&Plan::new(counter, 0)), drawn: 0, requests }
    }
}

impl Iterator for Mix {
    type Item = (u64, Request);

    fn next(&mut self) -> Option<Self::Item> {
        if self.drawn == self.requests {
            return None;
        }
        self.drawn += 1;
        let is_last = self.drawn == self.requests;
        let request = if is_last { Request::read() } else { self.adds_and_reads.next(0, &mut self.random) };
        Some((u64::from(self.drawn - 1) + FIRST_ID, request))
    }
}

/// A request and the value that answers it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) request: Request,
    pub(super) value: Option<i64>,
}

/// The requests that have no answer yet, in the order in which they are sent.
///
/// To know the right answers it draws the same mix a second time, as answers come. So a flood takes no memory for each
/// request. Answers may come in any order, up to a bound.
#[derive(Debug)]
pub(super) struct Awaited {
    mix: Mix,
    sum: i64,
    /// The requests from the number `first` on. `None` has been answered.
    waiting: VecDeque<Option<Expected>>,
    first: u64,
    given_up: u64,
}

impl Awaited {
    /// How far the answers may be out of order. A request is given up once this many later ones are drawn.
    const MOST: usize = 1 << 16;

    pub(super) fn new(mix: Mix) -> Self {
        Self { mix, sum: 0, waiting: VecDeque::new(), first: FIRST_ID, given_up: 0 }
    }

    /// Removes the request of that number. `None` if it was never sent, has been answered or was given up.
    pub(super) fn take(&mut self, number: u64) -> Option<Expected> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let mut place = place;
        while place >= self.waiting.len() {
            let expected = self.draw()?;
            if self.waiting.len() == Self::MOST {
                self.given_up += u64::from(self.pop().is_some());
                place -= 1;
            }
            self.waiting.push_back(Some(expected));
        }
        let expected = self.waiting.get_mut(place)?.take();
        while self.waiting.front().is_some_and(Option::is_none) {
            self.pop();
        }
        expected
    }

    /// How many requests were given up.
    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    fn pop(&mut self) -> Option<Expected> {
        self.first += 1;
        self.waiting.pop_front().flatten()
    }

    fn draw(&mut self) -> Option<Expected> {
        let (_, request) = self.mix.next()?;
        let delta = request.delta();
        self.sum += delta.unwrap_or(0);
        let value = delta.is_none().then_some(self.sum);
        Some(Expected { request, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;
    use crate::workload::Counter;

    fn mix(requests: u32) -> Mix {
        Mix::new(Seeds::new(7).generator(), &Counter::Pn, requests)
    }

    /// What answers each request, by the definition.
    fn expected(requests: u32) -> Vec<(u64, Expected)> {
        let mut sum = 0;
        let expect = |(number, request): (u64, Request)| {
            sum += request.delta().unwrap_or(0);
            let value = request.is_read().then_some(sum);
            (number, Expected { request, value })
        };
        mix(requests).map(expect).collect()
    }

    #[test]
    fn answers_in_any_order_meet_their_requests_once() {
        let mut awaited = Awaited::new(mix(100));
        let (odd, even): (Vec<_>, Vec<_>) =
            expected(100).into_iter().partition(|(number, _)| number % 2 == 1);
        for (number, expected) in odd.into_iter().rev().chain(even) {
            assert_eq!(awaited.take(number), Some(expected), "{number}");
            assert_eq!(awaited.take(number), None, "{number} twice");
        }
        for never_sent in [0, 1, 102, u64::MAX] {
            assert_eq!(awaited.take(never_sent), None);
        }
        assert_eq!((awaited.given_up(), awaited.waiting.len()), (0, 0));
    }

    #[test]
    fn a_request_without_an_answer_is_given_up_after_many_others() {
        let requests = 3 * u32::try_from(Awaited::MOST).unwrap();
        let mut awaited = Awaited::new(mix(requests));
        for (number, expected) in expected(requests).into_iter().skip(2) {
            assert_eq!(awaited.take(number), Some(expected));
            assert!(awaited.waiting.len() <= Awaited::MOST);
        }
        assert_eq!((awaited.given_up(), awaited.take(FIRST_ID)), (2, None));
    }

    #[test]
    fn a_number_far_ahead_takes_no_more_memory() {
        let requests = 1_000_000;
        let mut awaited = Awaited::new(mix(requests));
        assert_eq!(awaited.take(u64::from(requests) + 1).unwrap().request, Request::read());
        assert!(awaited.waiting.len() <= Awaited::MOST);
    }
}
