//! The key-value store behind `seq-kv` and `lin-kv`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::sequential::State;

/// A map from JSON values to JSON values. Cloning it copies no value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KvStore {
    /// Keys are any JSON value, held as canonical text (members of objects in order).
    entries: BTreeMap<String, Arc<Value>>,
}

impl State for KvStore {
    fn handle(&self, request: &Map<String, Value>) -> Option<(Option<Self>, Map<String, Value>)> {
        let key = field(request, "key").to_string();
        let current = self.entries.get(&key).map(Arc::as_ref);
        match request.get("type")?.as_str()? {
            "read" => Some((None, current.map_or_else(missing, read_ok))),
            "write" => Some((self.put(key, field(request, "value")), write_ok())),
            "cas" => Some(self.compare_and_set(request, key, current)),
            _ => None,
        }
    }
}

impl KvStore {
    /// The state with that entry, or `None` if it is there already.
    fn put(&self, key: String, value: &Value) -> Option<Self> {
        if self.entries.get(&key).is_some_and(|present| **present == *value) {
            return None;
        }
        let mut next = self.clone();
        next.entries.insert(key, Arc::new(value.clone()));
        Some(next)
    }

    fn compare_and_set(
        &self,
        request: &Map<String, Value>,
        key: String,
        current: Option<&Value>,
    ) -> (Option<Self>, Map<String, Value>) {
        let from = field(request, "from");
        let applies = match current {
            Some(current) => current == from,
            None => is_truthy(field(request, "create_if_not_exists")),
        };
        match current {
            _ if applies => (self.put(key, field(request, "to")), cas_ok()),
            None => (None, missing()),
            Some(current) => (None, error(22, &format!("current value {current} is not {from}"))),
        }
    }
}

/// A field that is missing reads as null, as in Maelstrom.
pub(super) fn field<'a>(request: &'a Map<String, Value>, name: &str) -> &'a Value {
    request.get(name).unwrap_or(&Value::Null)
}

/// Anything but `false` and `null`, as in Clojure.
fn is_truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

pub(super) fn read_ok(value: &Value) -> Map<String, Value> {
    body(json!({"type": "read_ok", "value": value}))
}

pub(super) fn write_ok() -> Map<String, Value> {
    body(json!({"type": "write_ok"}))
}

pub(super) fn cas_ok() -> Map<String, Value> {
    body(json!({"type": "cas_ok"}))
}

pub(super) fn missing() -> Map<String, Value> {
    error(20, "key does not exist")
}

pub(super) fn error(code: u32, text: &str) -> Map<String, Value> {
    body(json!({"type": "error", "code": code, "text": text}))
}

fn body(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies a request and returns the answer.
    fn ask(store: &mut KvStore, request: Value) -> Option<Value> {
        let (next, answer) = store.handle(&body(request))?;
        if let Some(next) = next {
            *store = next;
        }
        Some(Value::Object(answer))
    }

    fn code(answer: Option<Value>) -> Option<u64> {
        answer.unwrap()["code"].as_u64()
    }

    #[test]
    fn reads_what_was_written() {
        let mut store = KvStore::default();
        assert_eq!(code(ask(&mut store, json!({"type": "read", "key": "x"}))), Some(20));
        let ok = ask(&mut store, json!({"type": "write", "key": "x", "value": {"a": 1}}));
        assert_eq!(ok, Some(json!({"type": "write_ok"})));
        let read = ask(&mut store, json!({"type": "read", "key": "x"}));
        assert_eq!(read, Some(json!({"type": "read_ok", "value": {"a": 1}})));
    }

    #[test]
    fn compare_and_set_compares_values_not_texts() {
        let mut store = KvStore::default();
        let create = json!({"type": "cas", "key": 1, "from": null, "to": {"a": 1, "b": 2}});
        assert_eq!(code(ask(&mut store, create.clone())), Some(20));
        let mut create = body(create);
        create.insert("create_if_not_exists".into(), json!(true));
        assert_eq!(ask(&mut store, Value::Object(create)), Some(json!({"type": "cas_ok"})));
        let other = json!({"type": "cas", "key": 1, "from": {"a": 1}, "to": 3});
        assert_eq!(code(ask(&mut store, other)), Some(22));
        let request: Value =
            serde_json::from_str(r#"{"type":"cas","key":1,"from":{"b":2,"a":1},"to":3}"#).unwrap();
        assert_eq!(ask(&mut store, request), Some(json!({"type": "cas_ok"})));
        // A float is not an integer, in a key or in a value.
        assert_eq!(code(ask(&mut store, json!({"type": "cas", "key": 1, "from": 3.0, "to": 4}))), Some(22));
        assert_eq!(code(ask(&mut store, json!({"type": "read", "key": 1.0}))), Some(20));
        assert_eq!(code(ask(&mut store, json!({"type": "read", "key": "1"}))), Some(20));
    }

    #[test]
    fn what_changes_nothing_is_no_new_state() {
        let mut store = KvStore::default();
        ask(&mut store, json!({"type": "write", "key": "x", "value": 1}));
        for request in [
            json!({"type": "write", "key": "x", "value": 1}),
            json!({"type": "cas", "key": "x", "from": 1, "to": 1}),
            json!({"type": "cas", "key": "x", "from": 2, "to": 3}),
            json!({"type": "read", "key": "x"}),
        ] {
            assert!(store.handle(&body(request)).unwrap().0.is_none());
        }
    }

    #[test]
    fn an_unknown_request_gets_no_answer() {
        let mut store = KvStore::default();
        assert_eq!(ask(&mut store, json!({"type": "delete", "key": "x"})), None);
        assert_eq!(ask(&mut store, json!({"key": "x"})), None);
    }
}
