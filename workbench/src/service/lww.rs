//! The last-write-wins store behind `lww-kv`: replicas that exchange their values at random times.

use std::collections::BTreeMap;

use rand::RngExt;

use super::kv::{clojure, mismatch, missing, read_ok};
use super::{Answer, Request};
use crate::json::{Json, Kind};
use crate::seeds::Random;

/// How many replicas there are.
const REPLICAS: usize = 2;

/// Two replicas of a map, each with a Lamport clock. Each request goes to a random replica. Before that a random replica
/// merges the values of another, by timestamp.
#[derive(Debug)]
pub(crate) struct Lww {
    replicas: [Replica; REPLICAS],
}

#[derive(Clone, Debug, Default)]
struct Replica {
    clock: u64,
    entries: BTreeMap<Json, (u64, Json)>,
}

impl Lww {
    pub(crate) fn new() -> Self {
        Self { replicas: Default::default() }
    }

    pub(crate) fn handle(&mut self, request: &Request, random: &mut Random) -> Option<Answer> {
        let (source, dest) = (random.random_range(0..REPLICAS), random.random_range(0..REPLICAS));
        let asked = random.random_range(0..REPLICAS);
        let known = self.replicas.get(source)?.clone();
        // An unknown request must change nothing, so the merge is kept only after a known one.
        let merged = known.merge(self.replicas.get(dest)?);
        let mut replicas = self.replicas.clone();
        *replicas.get_mut(dest)? = merged;
        let answer = replicas.get_mut(asked)?.handle(request)?;
        self.replicas = replicas;
        Some(answer)
    }
}

impl Replica {
    /// The values of both. If two writes have the same timestamp, this replica's stays.
    fn merge(mut self, other: &Self) -> Self {
        self.clock = self.clock.max(other.clock);
        for (key, (time, value)) in &other.entries {
            let newer = self.entries.get(key).is_none_or(|(mine, _)| mine < time);
            if newer {
                self.entries.insert(key.clone(), (*time, value.clone()));
            }
        }
        self
    }

    fn handle(&mut self, request: &Request) -> Option<Answer> {
        let current = self.entries.get(&request.key).map(|(_, value)| value);
        match (request.kind.as_str(), current) {
            ("read", current) => Some(current.map_or_else(missing, read_ok)),
            ("write", _) => {
                self.put(&request.key, &request.value);
                Some(Answer::WriteOk)
            }
            ("cas", None) => Some(missing()),
            ("cas", Some(current)) if *current == request.from => {
                self.put(&request.key, &request.to);
                Some(Answer::CasOk)
            }
            ("cas", Some(current)) => Some(mismatch(current, &bare(&request.from))),
            _ => None,
        }
    }

    fn put(&mut self, key: &Json, value: &Json) {
        self.entries.insert(key.clone(), (self.clock, value.clone()));
        self.clock += 1;
    }
}

/// A value as this store's error shows it: a string without quotes, and null as nothing at all.
fn bare(value: &Json) -> String {
    match Kind::of(value.as_str()) {
        Kind::Null => String::new(),
        Kind::String => serde_json::from_str(value.as_str()).unwrap_or_else(|_| value.to_string()),
        Kind::Boolean | Kind::Integer | Kind::Float | Kind::List | Kind::Object => clojure(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::seeds::Seeds;

    fn ask(lww: &mut Lww, request: &Value, random: &mut Random) -> Value {
        serde_json::to_value(lww.handle(&Request::of(request), random).unwrap()).unwrap()
    }

    /// The text of the error about the value that was compared.
    #[test]
    fn the_error_shows_a_string_without_quotes_and_null_as_nothing() {
        let (mut lww, mut random) = (Lww::new(), Seeds::new(1).generator());
        for _ in 0..100 {
            ask(&mut lww, &json!({"type": "write", "key": "x", "value": "y"}), &mut random);
        }
        for (from, shown) in [(json!("a b"), "a b"), (json!(null), ""), (json!([null, "c"]), r#"[nil "c"]"#)]
        {
            let refused = ask(&mut lww, &json!({"type": "cas", "key": "x", "from": from}), &mut random);
            assert_eq!(refused["text"], format!(r#"current value "y" is not {shown}"#));
        }
    }

    #[test]
    fn reads_may_miss_a_write_and_the_last_one_wins_in_the_end() {
        let (mut lww, mut random) = (Lww::new(), Seeds::new(1).generator());
        let mut ask = |request| ask(&mut lww, &request, &mut random);
        assert_eq!(ask(json!({"type": "write", "key": "x", "value": 1}))["type"], "write_ok");
        let early: Vec<bool> =
            (0..3).map(|_| ask(json!({"type": "read", "key": "x"}))["type"] == "read_ok").collect();
        (0..100).for_each(|_| drop(ask(json!({"type": "read", "key": "x"}))));
        for _ in 0..20 {
            assert_eq!(ask(json!({"type": "read", "key": "x"}))["value"], 1, "{early:?}");
        }
        let refused =
            ask(json!({"type": "cas", "key": "y", "from": 0, "to": 1, "create_if_not_exists": true}));
        assert_eq!(refused["code"], 20, "this store does not create");
    }

    #[test]
    fn some_read_is_stale() {
        let stale = (0..50).any(|seed| {
            let (mut lww, mut random) = (Lww::new(), Seeds::new(seed).generator());
            let mut ask = |request| ask(&mut lww, &request, &mut random);
            ask(json!({"type": "write", "key": "x", "value": 1}));
            ask(json!({"type": "read", "key": "x"}))["type"] == "error"
        });
        assert!(stale);
    }
}
