//! Sequential consistency as Maelstrom implements it: a ring of past states, and an index for each client.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;

use rand::RngExt;

use super::{Answer, Request};
use crate::endpoint::Endpoint;
use crate::seeds::Random;

/// How many states are kept.
const RING: usize = 32;

/// A service whose requests are functions of its state.
pub(crate) trait State: Clone + Debug {
    /// The state after the request (`None` if unchanged) and the answer. No result at all if the request is not known.
    fn handle(&self, request: &Request) -> Option<(Option<Self>, Answer)>;
}

/// A service that may answer from the past.
///
/// It tries a request on a random state, between the one that the client has last seen and the newest. If the request
/// changes nothing there, that gives the answer, even if the request would change the newest state. If it changes
/// something, it is done on the newest state instead. The place of a client that is further behind than the ring is long
/// counts modulo the ring. So such a client can see states that go back.
#[derive(Debug)]
pub(crate) struct Sequential<S> {
    /// Oldest first; never empty.
    ring: VecDeque<S>,
    /// Index of the newest state, counted from the first one ever.
    last: u64,
    /// The index of the state that each client has last seen. A new client is at the beginning.
    seen: BTreeMap<Endpoint, u64>,
}

impl<S: State> Sequential<S> {
    pub(crate) fn new(initial: S) -> Self {
        Self { ring: VecDeque::from([initial]), last: 0, seen: BTreeMap::new() }
    }

    /// Handles a client's request. `None` if the service does not know such a request.
    pub(crate) fn handle(
        &mut self,
        client: Endpoint,
        request: &Request,
        random: &mut Random,
    ) -> Option<Answer> {
        let seen = self.seen.get(&client).copied().unwrap_or(0);
        let index = random.random_range(seen..=self.last);
        let (changed, answer) = self.at(index)?.handle(request)?;
        if changed.is_none() {
            self.seen.insert(client, index);
            return Some(answer);
        }
        self.handle_on_newest(client, request)
    }

    fn handle_on_newest(&mut self, client: Endpoint, request: &Request) -> Option<Answer> {
        let newest = self.ring.back()?;
        let (changed, answer) = newest.handle(request)?;
        // A request that changes an older state may not change the newest. Even so that counts as a new state.
        let next = changed.unwrap_or_else(|| newest.clone());
        self.push(next);
        self.seen.insert(client, self.last);
        Some(answer)
    }

    fn push(&mut self, state: S) {
        if self.ring.len() == RING {
            self.ring.pop_front();
        }
        self.ring.push_back(state);
        self.last += 1;
    }

    fn at(&self, index: u64) -> Option<&S> {
        let back = usize::try_from(self.last - index).ok()? % self.ring.len();
        self.ring.get(self.ring.len() - 1 - back)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::super::kv::KvStore;
    use super::*;
    use crate::seeds::Seeds;

    const WRITER: Endpoint = Endpoint::Node(0);
    const READER: Endpoint = Endpoint::Node(1);

    struct Bench {
        service: Sequential<KvStore>,
        random: Random,
    }

    impl Bench {
        fn new() -> Self {
            Self { service: Sequential::new(KvStore::default()), random: Seeds::new(5).generator() }
        }

        fn ask(&mut self, client: Endpoint, request: &Value) -> Option<Value> {
            let answer = self.service.handle(client, &Request::of(request), &mut self.random)?;
            Some(serde_json::to_value(answer).unwrap())
        }

        fn write(&mut self, value: u64) {
            let request = json!({"type": "write", "key": "x", "value": value});
            assert_eq!(self.ask(WRITER, &request).unwrap()["type"], "write_ok");
        }

        /// The value read, or `None` if the key was not there.
        fn read(&mut self, client: Endpoint) -> Option<u64> {
            self.ask(client, &json!({"type": "read", "key": "x"})).unwrap()["value"].as_u64()
        }
    }

    #[test]
    fn ones_own_writes_are_never_stale() {
        let mut bench = Bench::new();
        for value in 1..200 {
            bench.write(value);
            assert_eq!(bench.read(WRITER), Some(value));
        }
    }

    #[test]
    fn others_see_old_states_in_order_while_the_ring_is_long_enough() {
        let mut bench = Bench::new();
        let mut seen = BTreeSet::new();
        let mut last = None;
        for value in 1..=31 {
            bench.write(value);
        }
        for _ in 0..40 {
            let read = bench.read(READER);
            assert!(read >= last);
            last = read;
            seen.insert(read);
        }
        assert!(seen.len() > 1 && last == Some(31));
        // A new client may find no value.
        assert!((0..1000).any(|number| bench.read(Endpoint::Client(number)).is_none()));
    }

    #[test]
    fn a_client_far_behind_sees_states_go_back() {
        let mut bench = Bench::new();
        (1..=40).for_each(|value| bench.write(value));
        let went_back = (0..1000).any(|number| {
            let client = Endpoint::Client(number);
            let (first, second) = (bench.read(client), bench.read(client));
            assert!(first >= Some(9) && second >= Some(9), "only 32 states are kept");
            second < first
        });
        assert!(went_back);
    }

    #[test]
    fn a_write_that_was_true_in_the_past_may_change_nothing() {
        let mut bench = Bench::new();
        (1..=20).for_each(|value| bench.write(value));
        let request = json!({"type": "write", "key": "x", "value": 7});
        let lost = (0..1000).any(|number| {
            assert_eq!(bench.ask(Endpoint::Client(number), &request).unwrap()["type"], "write_ok");
            let unchanged = bench.read(WRITER) == Some(20);
            bench.write(20);
            unchanged
        });
        assert!(lost, "a write answered from the past");
    }

    #[test]
    fn a_change_happens_on_the_newest_state_and_is_a_barrier() {
        let mut bench = Bench::new();
        (1..=20).for_each(|value| bench.write(value));
        for number in 100..200 {
            let request = json!({"type": "write", "key": number, "value": number});
            bench.ask(READER, &request).unwrap();
            assert_eq!(bench.read(READER), Some(20));
        }
    }

    #[test]
    fn a_failed_compare_and_set_may_have_judged_the_past() {
        let mut bench = Bench::new();
        (1..=20).for_each(|value| bench.write(value));
        let request = json!({"type": "cas", "key": "x", "from": 20, "to": 20});
        let refused =
            (0..100).any(|number| bench.ask(Endpoint::Client(number), &request).unwrap()["type"] == "error");
        assert!(refused);
    }
}
