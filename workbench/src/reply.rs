//! Answers from nodes, and the closed schemas they must fit.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::workload::Request;

/// An answer, as far as it can be understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    /// The request it answers, if it names one.
    pub(crate) in_reply_to: Option<u64>,
    pub(crate) content: ReplyContent,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ReplyContent {
    /// Of the expected type, and nothing in it that should not be.
    Fits { value: Option<i64> },
    /// The same for requests whose answers are no integers.
    Holds(Answer),
    /// `"type": "error"`.
    Error { code: i64, text: String },
    /// Something else: why it does not fit.
    Breaks(String),
}

/// The common case, read without building a tree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    in_reply_to: u64,
    #[serde(default, rename = "msg_id", with = "present")]
    _msg_id: (),
    #[serde(default, with = "wrapped")]
    value: Option<i64>,
}

/// A field that, if it is there, is an integer of any size.
mod present {
    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        i128::deserialize(deserializer).map(|_| ())
    }
}

/// A field that, if it is there, is not null.
mod wrapped {
    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        i64::deserialize(deserializer).map(Some)
    }
}

impl Reply {
    /// Reads a body as the answer to that request.
    pub(crate) fn to(request: Request, body: &str) -> Self {
        let counter = match request {
            Request::Add(_) => Some(false),
            Request::Read => Some(true),
            _ => None,
        };
        if let Some(has_value) = counter {
            return Self::parse(body, request.reply_type(), has_value);
        }
        let tree: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
        if tree.get("type").and_then(Value::as_str) != Some(request.reply_type()) {
            return Self::explain(body, request.reply_type());
        }
        let in_reply_to = tree.get("in_reply_to").and_then(Value::as_u64);
        let content = request.read_answer(&tree).map_or_else(ReplyContent::Breaks, ReplyContent::Holds);
        Self { in_reply_to, content }
    }

    /// Reads a body as the answer to a request whose right answer is of type `expected`, with an integer `value` or
    /// without one.
    pub(crate) fn parse(body: &str, expected: &str, has_value: bool) -> Self {
        match serde_json::from_str::<Plain<'_>>(body) {
            Ok(plain) if plain.kind == expected && plain.value.is_some() == has_value => {
                let content = ReplyContent::Fits { value: plain.value };
                Self { in_reply_to: Some(plain.in_reply_to), content }
            }
            Ok(_) | Err(_) => Self::explain(body, expected),
        }
    }

    fn explain(body: &str, expected: &str) -> Self {
        let body: Map<String, Value> = match serde_json::from_str(body) {
            Ok(body) => body,
            Err(error) => {
                let content = ReplyContent::Breaks(error.to_string());
                return Self { in_reply_to: None, content };
            }
        };
        let in_reply_to = body.get("in_reply_to").and_then(Value::as_u64);
        let content = match body.get("type").and_then(Value::as_str) {
            Some("error") => error(&body),
            _ => ReplyContent::Breaks(format!("{expected} expected, got {}", short(&body))),
        };
        Self { in_reply_to, content }
    }
}

/// In Maelstrom any code is good, even none; a code that is no integer is no schema's.
fn error(body: &Map<String, Value>) -> ReplyContent {
    match body.get("code").and_then(Value::as_i64) {
        Some(code) => {
            let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
            ReplyContent::Error { code, text: text.chars().take(200).collect() }
        }
        None => ReplyContent::Breaks(format!("an error without a code: {}", short(body))),
    }
}

fn short(body: &Map<String, Value>) -> String {
    crate::envelope::excerpt(Value::Object(body.clone()).to_string().as_bytes())
}

/// Whether an error of that code says that the request did not and will not happen.
pub(crate) fn is_definite(code: i64) -> bool {
    matches!(code, 1 | 10 | 11 | 12 | 14 | 20 | 21 | 22 | 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> ReplyContent {
        Reply::parse(body, "read_ok", true).content
    }

    fn add(body: &str) -> ReplyContent {
        Reply::parse(body, "add_ok", false).content
    }

    #[test]
    fn closed_schemas_of_other_workloads() {
        let to = |request: Request, body: &str| Reply::to(request, body).content;
        let json = |text: &str| ReplyContent::Holds(Answer::Json(text.into()));
        assert_eq!(to(Request::Echo(3), r#"{"type":"echo_ok","in_reply_to":1,"echo":[3]}"#), json("[3]"));
        assert_eq!(
            to(Request::Generate, r#"{"type":"generate_ok","in_reply_to":1,"id":"x"}"#),
            json("\"x\"")
        );
        let set = ReplyContent::Holds(Answer::Elements(vec![1, 2]));
        assert_eq!(to(Request::ReadElements, r#"{"type":"read_ok","in_reply_to":1,"value":[2,1]}"#), set);
        assert_eq!(to(Request::ReadMessages, r#"{"type":"read_ok","in_reply_to":1,"messages":[2,1]}"#), set);
        let done = ReplyContent::Holds(Answer::Done);
        assert_eq!(to(Request::Broadcast(1), r#"{"type":"broadcast_ok","in_reply_to":1,"msg_id":4}"#), done);
        for (request, body) in [
            (Request::Generate, r#"{"type":"generate_ok","in_reply_to":1}"#),
            (Request::Insert(1), r#"{"type":"add_ok","in_reply_to":1,"value":2}"#),
            (Request::ReadElements, r#"{"type":"read_ok","in_reply_to":1,"value":{}}"#),
            (Request::ReadElements, r#"{"type":"read_ok","in_reply_to":1,"value":["x"]}"#),
            (Request::ReadMessages, r#"{"type":"read_ok","in_reply_to":1,"value":[]}"#),
            (Request::Broadcast(1), r#"{"type":"broadcast_ok","in_reply_to":1,"msg_id":"x"}"#),
            (Request::Broadcast(1), r#"{"type":"add_ok","in_reply_to":1}"#),
        ] {
            assert!(matches!(to(request, body), ReplyContent::Breaks(_)), "{body}");
        }
    }

    #[test]
    fn closed_schemas() {
        let fits = ReplyContent::Fits { value: Some(7) };
        assert_eq!(read(r#"{"type":"read_ok","value":7,"in_reply_to":1}"#), fits);
        assert_eq!(
            read(r#"{"type":"read_ok","value":7,"in_reply_to":1,"msg_id":18446744073709551615}"#),
            fits
        );
        assert_eq!(add(r#"{"type":"add_ok","in_reply_to":1}"#), ReplyContent::Fits { value: None });
        for body in [
            r#"{"type":"read_ok","in_reply_to":1}"#,
            r#"{"type":"read_ok","in_reply_to":1,"value":null}"#,
            r#"{"type":"read_ok","in_reply_to":1,"value":7.0}"#,
            r#"{"type":"read_ok","in_reply_to":1,"value":"7"}"#,
            r#"{"type":"read_ok","in_reply_to":1,"value":7,"msg_id":null}"#,
            r#"{"type":"read_ok","in_reply_to":1,"value":7,"msg_id":"x"}"#,
            r#"{"type":"read_ok","in_reply_to":1,"value":7,"extra":1}"#,
            r#"{"type":"add_ok","in_reply_to":1,"value":7}"#,
            r#"{"in_reply_to":1,"value":7}"#,
            r#"{"type":"error","in_reply_to":1}"#,
            r"{}",
        ] {
            assert!(matches!(read(body), ReplyContent::Breaks(_)), "{body}");
        }
        assert!(matches!(add(r#"{"type":"add_ok","in_reply_to":1,"value":0}"#), ReplyContent::Breaks(_)));
    }

    #[test]
    fn errors_keep_their_code_and_their_request() {
        let reply =
            Reply::parse(r#"{"type":"error","in_reply_to":4,"code":11,"text":"no"}"#, "add_ok", false);
        assert_eq!(reply.in_reply_to, Some(4));
        assert_eq!(reply.content, ReplyContent::Error { code: 11, text: "no".into() });
    }

    #[test]
    fn a_broken_answer_still_names_its_request() {
        let reply = Reply::parse(r#"{"type":"read_ok","in_reply_to":4,"value":[1]}"#, "read_ok", true);
        assert_eq!(reply.in_reply_to, Some(4));
    }
}
