//! The last-write-wins store behind `lww-kv`: replicas that meet by chance.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::RngExt;
use serde_json::{Map, Value};

use super::kv::{cas_ok, error, field, missing, read_ok, write_ok};
use crate::seeds::Random;

/// How many replicas there are.
const REPLICAS: usize = 2;

/// Two replicas of a map, each with a Lamport clock. Every request meets one of them, drawn anew; before it one replica,
/// drawn too, takes up what another knows, by timestamp.
#[derive(Debug)]
pub(crate) struct Lww {
    replicas: [Replica; REPLICAS],
}

#[derive(Clone, Debug, Default)]
struct Replica {
    clock: u64,
    entries: BTreeMap<String, (u64, Arc<Value>)>,
}

impl Lww {
    pub(crate) fn new() -> Self {
        Self { replicas: Default::default() }
    }

    pub(crate) fn handle(
        &mut self,
        request: &Map<String, Value>,
        random: &mut Random,
    ) -> Option<Map<String, Value>> {
        let (source, dest) = (random.random_range(0..REPLICAS), random.random_range(0..REPLICAS));
        let asked = random.random_range(0..REPLICAS);
        let known = self.replicas.get(source)?.clone();
        // An unknown request leaves nothing changed, not even this.
        let merged = known.merge(self.replicas.get(dest)?);
        let mut replicas = self.replicas.clone();
        *replicas.get_mut(dest)? = merged;
        let answer = replicas.get_mut(asked)?.handle(request)?;
        self.replicas = replicas;
        Some(answer)
    }
}

impl Replica {
    /// What both know; of two writes with the same timestamp this one's stays.
    fn merge(mut self, other: &Self) -> Self {
        self.clock = self.clock.max(other.clock);
        for (key, (time, value)) in &other.entries {
            let newer = self.entries.get(key).is_none_or(|(mine, _)| mine < time);
            if newer {
                self.entries.insert(key.clone(), (*time, Arc::clone(value)));
            }
        }
        self
    }

    fn handle(&mut self, request: &Map<String, Value>) -> Option<Map<String, Value>> {
        let key = field(request, "key").to_string();
        let current = self.entries.get(&key).map(|(_, value)| Arc::clone(value));
        match (request.get("type")?.as_str()?, current) {
            ("read", current) => Some(current.map_or_else(missing, |value| read_ok(&value))),
            ("write", _) => {
                self.put(key, field(request, "value"));
                Some(write_ok())
            }
            ("cas", None) => Some(missing()),
            ("cas", Some(current)) if *current == *field(request, "from") => {
                self.put(key, field(request, "to"));
                Some(cas_ok())
            }
            ("cas", Some(current)) => {
                Some(error(22, &format!("current value {current} is not {}", field(request, "from"))))
            }
            _ => None,
        }
    }

    fn put(&mut self, key: String, value: &Value) {
        self.entries.insert(key, (self.clock, Arc::new(value.clone())));
        self.clock += 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::seeds::Seeds;

    #[test]
    fn reads_may_miss_a_write_and_the_last_one_wins_in_the_end() {
        let (mut lww, mut random) = (Lww::new(), Seeds::new(1).generator());
        let mut ask = |request: Value| lww.handle(request.as_object().unwrap(), &mut random).unwrap();
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
            let mut ask = |request: Value| lww.handle(request.as_object().unwrap(), &mut random).unwrap();
            ask(json!({"type": "write", "key": "x", "value": 1}));
            ask(json!({"type": "read", "key": "x"}))["type"] == "error"
        });
        assert!(stale);
    }
}
