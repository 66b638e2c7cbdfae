//! Replies of nodes, and the closed schemas that they must fit.

use std::borrow::Cow;

use serde::Deserialize;

use crate::answer::Answer;
use crate::body::{Body, integer};
use crate::envelope::short;
use crate::workload::Rpc;

/// An answer, as far as it can be understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    /// The request it answers, if it names one.
    pub(crate) in_reply_to: Option<u64>,
    pub(crate) content: ReplyContent,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ReplyContent {
    /// The reply has the expected type and fields.
    Fits { value: Option<i64> },
    /// The same, for answers that are no integers, and for integers that 64 bits can't hold.
    Holds(Answer),
    /// `"type": "error"`.
    Error { code: i64, text: String },
    /// The reply does not fit. The text says why.
    Breaks(String),
}

/// The common case, read in one pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    in_reply_to: u64,
    #[serde(default, rename = "msg_id", deserialize_with = "integer")]
    _msg_id: Option<i64>,
    #[serde(default, deserialize_with = "integer")]
    value: Option<i64>,
}

impl Reply {
    /// Reads a body as the answer to such a request.
    pub(crate) fn to(rpc: &Rpc, body: &str) -> Self {
        let is_right = |plain: &Plain<'_>| {
            rpc.is_answered_by(&plain.kind) && plain.value.is_some() == rpc.answers.is_some()
        };
        match rpc.is_plain().then(|| serde_json::from_str::<Plain<'_>>(body)) {
            Some(Ok(plain)) if is_right(&plain) => {
                let content = ReplyContent::Fits { value: plain.value };
                Self { in_reply_to: Some(plain.in_reply_to), content }
            }
            Some(Ok(_) | Err(_)) | None => Self::read(rpc, body),
        }
    }

    fn read(rpc: &Rpc, text: &str) -> Self {
        let Some(body) = Body::parse(text) else {
            let why = "the name of a field is no text".to_owned();
            return Self { in_reply_to: None, content: ReplyContent::Breaks(why) };
        };
        let content = match body.text("type").as_deref() {
            Some("error") => error(&body),
            Some(kind) if rpc.is_answered_by(kind) => rpc.read_answer(&body).map(|answer| match answer {
                Answer::Done => ReplyContent::Fits { value: None },
                Answer::Integer(value) => ReplyContent::Fits { value: Some(value) },
                Answer::Huge(_) | Answer::Json(_) | Answer::Elements(_) => ReplyContent::Holds(answer),
            }),
            Some(_) | None => Err(format!("{}; {}_ok was expected", body.tell("type"), rpc.name)),
        };
        let explained = |why| ReplyContent::Breaks(format!("{why}, in {}", short(text)));
        Self { in_reply_to: body.number("in_reply_to"), content: content.unwrap_or_else(explained) }
    }
}

/// Reads an error. Maelstrom accepts any code, even none. A code that is no integer fits no schema.
fn error(body: &Body<'_>) -> Result<ReplyContent, String> {
    let code = body.get("code").and_then(|code| code.parse().ok());
    let code =
        code.ok_or_else(|| format!("an error, but {}; give an integer of 64 bits", body.tell("code")))?;
    let text = body.text("text").unwrap_or_default().chars().take(200).collect();
    Ok(ReplyContent::Error { code, text })
}

/// Says what is wrong with the `in_reply_to` of a reply, if it can name no request at all.
pub(crate) fn names_no_request(body: &str) -> Option<String> {
    let body = Body::parse(body)?;
    let problem = body.number("in_reply_to").is_none().then(|| body.tell("in_reply_to"))?;
    Some(format!("{problem}; give the msg_id of the request, an integer, as it came"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Elements;
    use crate::json::Json;
    use crate::workload::by_name;

    /// A body as the answer to a request of that name.
    fn reply(workload: &str, name: &str, body: &str) -> Reply {
        let protocol = by_name(workload).unwrap().protocol();
        Reply::to(protocol.iter().find(|rpc| rpc.name == name).unwrap(), body)
    }

    fn read(body: &str) -> ReplyContent {
        reply("g-counter", "read", body).content
    }

    fn add(body: &str) -> ReplyContent {
        reply("g-counter", "add", body).content
    }

    #[test]
    fn closed_schemas_of_other_workloads() {
        let to = |(workload, name): (&str, &str), body: &str| reply(workload, name, body).content;
        let json = |text: &str| ReplyContent::Holds(Answer::Json(Json::parse(text).unwrap()));
        assert_eq!(to(("echo", "echo"), r#"{"type":"echo_ok","in_reply_to":1,"echo":[3]}"#), json("[3]"));
        assert_eq!(
            to(("unique-ids", "generate"), r#"{"type":"generate_ok","in_reply_to":1,"id":"x"}"#),
            json("\"x\"")
        );
        let elements = |numbers: &[u64], others: &[&str]| {
            let others = others.iter().map(|other| Json::parse(other).unwrap()).collect();
            ReplyContent::Holds(Answer::Elements(Elements { numbers: numbers.to_vec(), others }))
        };
        let set = elements(&[1, 2], &[]);
        assert_eq!(to(("g-set", "read"), r#"{"type":"read_ok","in_reply_to":1,"value":[2,1]}"#), set);
        assert_eq!(to(("broadcast", "read"), r#"{"type":"read_ok","in_reply_to":1,"messages":[2,1]}"#), set);
        let strange = r#"{"type":"read_ok","in_reply_to":1,"value":["x",1,18446744073709551616,1.0,-1]}"#;
        let shown = elements(&[1], &["\"x\"", "-1", "1.0", "18446744073709551616"]);
        assert_eq!(to(("g-set", "read"), strange), shown, "as Maelstrom, which lets any element pass");
        let done = ReplyContent::Fits { value: None };
        assert_eq!(
            to(("broadcast", "broadcast"), r#"{"type":"broadcast_ok","in_reply_to":1,"msg_id":4}"#),
            done
        );
        for (request, body) in [
            (("unique-ids", "generate"), r#"{"type":"generate_ok","in_reply_to":1}"#),
            (("g-set", "add"), r#"{"type":"add_ok","in_reply_to":1,"value":2}"#),
            (("g-set", "read"), r#"{"type":"read_ok","in_reply_to":1,"value":{}}"#),
            (("broadcast", "read"), r#"{"type":"read_ok","in_reply_to":1,"value":[]}"#),
            (("broadcast", "broadcast"), r#"{"type":"broadcast_ok","in_reply_to":1,"msg_id":"x"}"#),
            (("broadcast", "broadcast"), r#"{"type":"add_ok","in_reply_to":1}"#),
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
    fn integers_may_be_large() {
        let big = "340282366920938463463374607431768211457";
        let fits = ReplyContent::Fits { value: Some(7) };
        assert_eq!(read(&format!(r#"{{"type":"read_ok","value":7,"in_reply_to":1,"msg_id":{big}}}"#)), fits);
        let huge = ReplyContent::Holds(Answer::Huge(Json::parse(big).unwrap()));
        assert_eq!(read(&format!(r#"{{"type":"read_ok","value":{big},"in_reply_to":1}}"#)), huge);
        let id = |id: &str| {
            reply("unique-ids", "generate", &format!(r#"{{"type":"generate_ok","id":{id},"in_reply_to":1}}"#))
        };
        assert_ne!(id(big), id("340282366920938463463374607431768211456"));
        assert_eq!(id("1.0"), id("1e0"));
        assert_ne!(id("1.0"), id("1"));
    }

    #[test]
    fn of_two_fields_with_one_name_the_last_one_counts() {
        let fits = ReplyContent::Fits { value: Some(8) };
        assert_eq!(read(r#"{"type":"read_ok","value":"x","in_reply_to":1,"value":8}"#), fits);
    }

    /// The text for each of the mistakes that people make.
    #[test]
    fn the_wrong_field_is_named() {
        let told = |content| match content {
            ReplyContent::Breaks(why) => why,
            other => panic!("{other:?}"),
        };
        for (body, why) in [
            (
                r#"{"type":"read_ok","in_reply_to":1,"value":7,"msg_id":null}"#,
                "msg_id is null; leave it out or give an integer",
            ),
            (
                r#"{"type":"read_ok","in_reply_to":1,"value":7,"msg_id":"x"}"#,
                "msg_id is \"x\", a string; leave it out or give an integer",
            ),
            (r#"{"type":"read_ok","in_reply_to":1,"value":85.0}"#, "value is 85.0, a float; give an integer"),
            (
                r#"{"type":"read_ok","in_reply_to":1,"value":"45"}"#,
                "value is \"45\", a string; give an integer",
            ),
            (r#"{"type":"read_ok","in_reply_to":1}"#, "the field value is missing"),
            (
                r#"{"type":"read_ok","in_reply_to":"1","value":7}"#,
                "in_reply_to is \"1\", a string; give the msg_id of the request, an integer, as it came",
            ),
            (
                r#"{"type":"read_ok","value":7}"#,
                "in_reply_to is missing; give the msg_id of the request, an integer, as it came",
            ),
            (
                r#"{"type":"read_ok","in_reply_to":1,"value":7,"delta":1}"#,
                "the field delta should not be there",
            ),
            (
                r#"{"type":"read_ok","in_reply_to":1,"value":7,"delta":1,"a":1}"#,
                "the fields delta, a should not be there",
            ),
            (r#"{"type":"read","in_reply_to":1}"#, "type is \"read\", a string; read_ok was expected"),
            (r#"{"in_reply_to":1,"value":7}"#, "type is missing; read_ok was expected"),
            (
                r#"{"type":"error","in_reply_to":1}"#,
                "an error, but code is missing; give an integer of 64 bits",
            ),
            (
                r#"{"type":"error","in_reply_to":1,"code":18446744073709551616}"#,
                "an error, but code is 18446744073709551616, an integer that 64 bits can't hold; give an integer of 64 bits",
            ),
        ] {
            assert_eq!(told(read(body)), format!("{why}, in {body}"));
        }
        let (echo, set) = (("echo", "echo"), ("g-set", "read"));
        let deep = format!(
            r#"{{"type":"echo_ok","in_reply_to":1,"echo":{}{}}}"#,
            "[".repeat(1001),
            "]".repeat(1001)
        );
        let why = told(reply(echo.0, echo.1, &deep).content);
        assert!(why.starts_with("echo can't be read: it is nested more than 1000 deep, in {"), "{why}");
        let why = told(reply(set.0, set.1, r#"{"type":"read_ok","in_reply_to":1,"value":{}}"#).content);
        assert!(why.starts_with("value is {}, an object; give a list, in {"), "{why}");
    }

    #[test]
    fn a_message_that_names_no_request_is_explained() {
        let told = |body| names_no_request(body).unwrap();
        assert!(told(r#"{"type":"add_ok"}"#).starts_with("in_reply_to is missing; give the msg_id"));
        assert!(
            told(r#"{"type":"add_ok","in_reply_to":"1"}"#).starts_with("in_reply_to is \"1\", a string;")
        );
        assert!(
            told(r#"{"in_reply_to":18446744073709551616}"#).contains("an integer that 64 bits can't hold")
        );
        assert_eq!(names_no_request(r#"{"type":"add_ok","in_reply_to":1}"#), None);
    }

    #[test]
    fn errors_keep_their_code_and_their_request() {
        let reply = reply("g-counter", "add", r#"{"type":"error","in_reply_to":4,"code":11,"text":"no"}"#);
        assert_eq!(reply.in_reply_to, Some(4));
        assert_eq!(reply.content, ReplyContent::Error { code: 11, text: "no".into() });
    }

    #[test]
    fn a_broken_answer_still_names_its_request() {
        let reply = reply("g-counter", "read", r#"{"type":"read_ok","in_reply_to":4,"value":[1]}"#);
        assert_eq!(reply.in_reply_to, Some(4));
    }
}
