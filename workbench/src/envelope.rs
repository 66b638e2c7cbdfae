//! The line format: one JSON object a line, with `src`, `dest` and `body`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::body::{Body, integer};
use crate::endpoint::Endpoint;
use crate::json::Kind;

/// The parts of a line that a node printed. The body stays text, because few bodies are ever read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) src: Cow<'a, str>,
    pub(crate) dest: Cow<'a, str>,
    /// A JSON object.
    pub(crate) body: &'a str,
}

/// Why a line is not a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvelopeError {
    #[error("a line that is not JSON: the line is empty; a message is one line")]
    Empty,
    /// The end of the line is missing.
    #[error(
        "a line that is not JSON: the line ends before its JSON does; a message is one line: is it printed over several?"
    )]
    Unfinished,
    #[error(
        "a line that is not JSON: more follows on the line after its JSON; a message is one line: is the line end missing \
         between two?"
    )]
    TooMuch,
    /// Something else is wrong at that byte, counted from 1.
    #[error(
        "a line that is not JSON from byte {0} on; standard output is for messages only, logs go to standard error"
    )]
    NotJson(usize),
    #[error("a line that is not a message: {0}")]
    NotAMessage(String),
}

/// The common case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    src: Cow<'a, str>,
    #[serde(borrow)]
    dest: Cow<'a, str>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(default, rename = "id", deserialize_with = "integer")]
    _id: Option<i64>,
}

impl<'a> Envelope<'a> {
    /// Reads a line without its newline. A missing body counts as an empty one, as in Maelstrom.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, EnvelopeError> {
        // Text is read faster than bytes, of which each part would be checked by itself.
        let wire = str::from_utf8(line).ok().and_then(|line| serde_json::from_str(line).ok());
        let (src, dest, body) = match wire {
            Some(Wire { src, dest, body, _id }) => (src, dest, body.map(RawValue::get)),
            None => take_apart(line)?,
        };
        let body = body.unwrap_or("{}");
        if !body.starts_with('{') {
            let body = short(body);
            return Err(EnvelopeError::NotAMessage(format!("its body is {body}; give an object")));
        }
        Ok(Self { src, dest, body })
    }
}

type Parts<'a> = (Cow<'a, str>, Cow<'a, str>, Option<&'a str>);

/// Reads the rare lines, in which the id is no small integer or a field comes twice. Otherwise the line is no message, and
/// the error says why.
fn take_apart(line: &[u8]) -> Result<Parts<'_>, EnvelopeError> {
    let value: &RawValue = serde_json::from_slice(line).map_err(|error| not_json(line, &error))?;
    let refuse = |why| Err(EnvelopeError::NotAMessage(why));
    let Some(message) = Body::parse(value.get()) else {
        return refuse("give an object with src, dest and body".to_owned());
    };
    if let Some(stranger) = message.names().find(|name| !matches!(*name, "id" | "src" | "dest" | "body")) {
        let stranger = short(stranger);
        return refuse(format!(
            "the field {stranger} should not be there; what a message says is in its body"
        ));
    }
    let (Some(src), Some(dest)) = (message.text("src"), message.text("dest")) else {
        let name = if message.text("src").is_some() { "dest" } else { "src" };
        return refuse(format!("{}; give a name, a string", message.tell(name)));
    };
    if message.get("id").is_some_and(|id| Kind::of(id) != Kind::Integer) {
        return refuse(format!("{}; leave it out or give an integer", message.tell("id")));
    }
    Ok((src.into(), dest.into(), message.get("body").filter(|body| *body != "null")))
}

fn not_json(line: &[u8], error: &serde_json::Error) -> EnvelopeError {
    let start = line.trim_ascii_start();
    let mut values = serde_json::Deserializer::from_slice(start).into_iter::<&RawValue>();
    let begins_well =
        matches!(start.first(), Some(b'{' | b'[')) && values.next().is_some_and(|value| value.is_ok());
    match error.is_eof() {
        _ if start.is_empty() => EnvelopeError::Empty,
        true => EnvelopeError::Unfinished,
        false if begins_well => EnvelopeError::TooMuch,
        false => EnvelopeError::NotJson(error.column()),
    }
}

/// The line that hands a message to a node, without its newline.
pub(crate) fn encode(id: u64, src: Endpoint, dest: Endpoint, body: &str) -> Vec<u8> {
    const FRAME: usize = 80;
    let mut line = String::with_capacity(body.len() + FRAME);
    line.push_str(r#"{"id":"#);
    line.push_str(itoa::Buffer::new().format(id));
    line.push_str(r#","src":""#);
    src.push_to(&mut line);
    line.push_str(r#"","dest":""#);
    dest.push_to(&mut line);
    line.push_str(r#"","body":"#);
    line.push_str(body);
    line.push('}');
    line.into_bytes()
}

/// Bytes of a foreign line for a message to people: its beginning, made printable.
pub(crate) fn excerpt(line: &[u8]) -> String {
    const KEPT: usize = 200;
    let kept = line.get(..KEPT).unwrap_or(line);
    let show = |character: char| if character.is_control() { '·' } else { character };
    let text: String = String::from_utf8_lossy(kept).chars().map(show).collect();
    if line.len() > KEPT { format!("{text}… ({} bytes)", line.len()) } else { text }
}

/// The same of a text.
pub(crate) fn short(text: &str) -> String {
    excerpt(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> EnvelopeError {
        Envelope::parse(line.as_bytes()).unwrap_err()
    }

    #[test]
    fn takes_a_message_apart() {
        let line = br#"{"dest":"c1","src":"n0","id":4,"body":{"type":"read_ok","value":[1, 2]}}"#;
        let envelope = Envelope::parse(line).unwrap();
        assert_eq!((&*envelope.src, &*envelope.dest), ("n0", "c1"));
        assert_eq!(envelope.body, r#"{"type":"read_ok","value":[1, 2]}"#);
    }

    #[test]
    fn a_missing_body_is_an_empty_one() {
        assert_eq!(Envelope::parse(br#"{"dest":"c1","src":"n0"}"#).unwrap().body, "{}");
        assert_eq!(Envelope::parse(br#"{"dest":"c1","src":"n0","body":null}"#).unwrap().body, "{}");
    }

    #[test]
    fn tells_what_is_not_json_from_what_is_no_message() {
        assert!(matches!(error("Starting up!"), EnvelopeError::NotJson(_)));
        assert_eq!(error(""), EnvelopeError::Empty);
        for line in [
            "7",
            "[]",
            "{}",
            r#"{"src":"n0","dest":"n1","body":3}"#,
            r#"{"src":"n0","dest":"n1","body":{},"extra":1}"#,
            r#"{"src":"n0","dest":null,"body":{}}"#,
            r#"{"src":"n0","dest":"n1","body":{},"id":"x"}"#,
            r#"{"src":"n0","dest":"n1","body":{},"id":null}"#,
        ] {
            assert!(matches!(error(line), EnvelopeError::NotAMessage(_)), "{line}");
        }
    }

    #[test]
    fn an_id_may_be_any_integer_and_of_two_fields_with_one_name_the_last_one_counts() {
        for line in [
            r#"{"src":"n0","dest":"n1","body":{"a":1},"id":340282366920938463463374607431768211457}"#,
            r#"{"src":"n9","src":"n0","dest":"n1","body":{"a":1}}"#,
        ] {
            let envelope = Envelope::parse(line.as_bytes()).unwrap();
            assert_eq!((&*envelope.src, envelope.body), ("n0", r#"{"a":1}"#));
        }
    }

    #[test]
    fn errors_about_a_line_are_told_in_words() {
        let message = r#"{"src":"n0","dest":"n1","body":{}}"#;
        let (twice, half) = (format!("{message}{message}"), &message[..20]);
        for (line, text) in [
            ("", "a line that is not JSON: the line is empty; a message is one line"),
            (
                "{",
                "a line that is not JSON: the line ends before its JSON does; a message is one line: is it printed over several?",
            ),
            (
                half,
                "a line that is not JSON: the line ends before its JSON does; a message is one line: is it printed over several?",
            ),
            (
                twice.as_str(),
                "a line that is not JSON: more follows on the line after its JSON; a message is one line: is the line end missing \
                 between two?",
            ),
            (
                "Starting up!",
                "a line that is not JSON from byte 1 on; standard output is for messages only, logs go to standard error",
            ),
            ("7", "a line that is not a message: give an object with src, dest and body"),
            ("{}", "a line that is not a message: src is missing; give a name, a string"),
            (
                r#"{"src":"n0","dest":null,"body":{}}"#,
                "a line that is not a message: dest is null; give a name, a string",
            ),
            (
                r#"{"src":0,"dest":"n1"}"#,
                "a line that is not a message: src is 0, an integer; give a name, a string",
            ),
            (
                r#"{"src":"n0","dest":"n1","body":[1]}"#,
                "a line that is not a message: its body is [1]; give an object",
            ),
            (
                r#"{"src":"n0","dest":"n1","type":"x"}"#,
                "a line that is not a message: the field type should not be there; what a message says is in its body",
            ),
            (
                r#"{"src":"n0","dest":"n1","id":"x"}"#,
                "a line that is not a message: id is \"x\", a string; leave it out or give an integer",
            ),
        ] {
            assert_eq!(error(line).to_string(), text);
        }
        let not_utf8 = Envelope::parse(b"{\"\xff\"}").unwrap_err();
        assert!(matches!(not_utf8, EnvelopeError::NotJson(_)));
    }

    #[test]
    fn an_encoded_message_can_be_parsed() {
        let line = encode(7, Endpoint::Client(3), Endpoint::Node(0), r#"{"type":"read"}"#);
        let envelope = Envelope::parse(&line).unwrap();
        assert_eq!((&*envelope.src, &*envelope.dest, envelope.body), ("c3", "n0", r#"{"type":"read"}"#));
    }
}
