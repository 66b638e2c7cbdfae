//! The key-value store behind `seq-kv` and `lin-kv`.

use std::collections::BTreeMap;

use super::sequential::State;
use super::{Answer, Request};
use crate::error_code::{KEY_DOES_NOT_EXIST, PRECONDITION_FAILED};
use crate::json::Json;

/// A map from JSON values to JSON values. Cloning it copies no value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KvStore {
    entries: BTreeMap<Json, Json>,
}

impl State for KvStore {
    fn handle(&self, request: &Request) -> Option<(Option<Self>, Answer)> {
        let current = self.entries.get(&request.key);
        match request.kind.as_str() {
            "read" => Some((None, current.map_or_else(missing, read_ok))),
            "write" => Some((self.put(&request.key, &request.value), Answer::WriteOk)),
            "cas" => Some(self.compare_and_set(request, current)),
            _ => None,
        }
    }
}

impl KvStore {
    /// The state with that entry, or `None` if it is there already.
    fn put(&self, key: &Json, value: &Json) -> Option<Self> {
        if self.entries.get(key) == Some(value) {
            return None;
        }
        let mut next = self.clone();
        next.entries.insert(key.clone(), value.clone());
        Some(next)
    }

    fn compare_and_set(&self, request: &Request, current: Option<&Json>) -> (Option<Self>, Answer) {
        let from = &request.from;
        match current {
            Some(current) if current != from => (None, mismatch(current, &clojure(from))),
            None if !request.create_if_not_exists => (None, missing()),
            Some(_) | None => (self.put(&request.key, &request.to), Answer::CasOk),
        }
    }
}

pub(super) fn read_ok(value: &Json) -> Answer {
    Answer::ReadOk { value: value.clone() }
}

pub(super) fn missing() -> Answer {
    Answer::Error { code: KEY_DOES_NOT_EXIST, text: "key does not exist".to_owned() }
}

/// The error of a compare-and-set that found another value.
pub(super) fn mismatch(current: &Json, from: &str) -> Answer {
    Answer::Error {
        code: PRECONDITION_FAILED,
        text: format!("current value {} is not {from}", clojure(current)),
    }
}

/// A value as Clojure prints it, and so Maelstrom in its errors: `{"a" [1 nil]}`.
pub(super) fn clojure(value: &Json) -> String {
    let mut out = String::new();
    // The brackets that are open, and whether the next character is in a string and escaped.
    let (mut open, mut in_string, mut is_escaped) = (Vec::new(), false, false);
    for character in value.as_str().chars() {
        if in_string {
            in_string = character != '"' || is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            out.push(character);
            continue;
        }
        match character {
            ':' => out.push(' '),
            ',' if open.last() == Some(&'[') => out.push(' '),
            ',' => out.push_str(", "),
            other => out.push(other),
        }
        match character {
            '"' => in_string = true,
            '[' | '{' => open.push(character),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
        if out.ends_with("null") {
            out.truncate(out.len() - "null".len());
            out.push_str("nil");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Applies a request and returns the answer.
    #[expect(clippy::needless_pass_by_value, reason = "each request is used once")]
    fn ask(store: &mut KvStore, request: Value) -> Option<Value> {
        let (next, answer) = store.handle(&Request::of(&request))?;
        if let Some(next) = next {
            *store = next;
        }
        Some(serde_json::to_value(answer).unwrap())
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
        let mut create = json!({"type": "cas", "key": 1, "from": null, "to": {"a": 1, "b": 2}});
        assert_eq!(code(ask(&mut store, create.clone())), Some(20));
        create["create_if_not_exists"] = json!(true);
        assert_eq!(ask(&mut store, create), Some(json!({"type": "cas_ok"})));
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
    fn a_request_that_changes_nothing_makes_no_new_state() {
        let mut store = KvStore::default();
        ask(&mut store, json!({"type": "write", "key": "x", "value": 1}));
        for request in [
            json!({"type": "write", "key": "x", "value": 1}),
            json!({"type": "cas", "key": "x", "from": 1, "to": 1}),
            json!({"type": "cas", "key": "x", "from": 2, "to": 3}),
            json!({"type": "read", "key": "x"}),
        ] {
            assert!(store.handle(&Request::of(&request)).unwrap().0.is_none());
        }
    }

    #[test]
    fn an_unknown_request_gets_no_answer() {
        let mut store = KvStore::default();
        assert_eq!(ask(&mut store, json!({"type": "delete", "key": "x"})), None);
        assert_eq!(ask(&mut store, json!({"key": "x"})), None);
    }

    #[test]
    fn errors_show_values_as_clojure_prints_them() {
        let mut store = KvStore::default();
        ask(&mut store, json!({"type": "write", "key": "x", "value": {"a": [1, null], "b,": "null: \"x"}}));
        let refused = ask(&mut store, json!({"type": "cas", "key": "x", "to": 1})).unwrap();
        assert_eq!(refused["text"], r#"current value {"a" [1 nil], "b," "null: \"x"} is not nil"#);
    }
}
