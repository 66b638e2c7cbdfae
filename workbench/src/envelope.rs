//! The line format: one JSON object a line, with `src`, `dest` and `body`.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::endpoint::Endpoint;

/// A line that a node printed, taken apart. The body is kept as text: few are ever looked into.
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
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("not a message: {0}")]
    NotAMessage(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    src: Cow<'a, str>,
    #[serde(borrow)]
    dest: Cow<'a, str>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(rename = "id")]
    _id: Option<i64>,
}

impl<'a> Envelope<'a> {
    /// Takes a line apart, without its newline. A missing body counts as an empty one, as in Maelstrom.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, EnvelopeError> {
        let wire: Wire<'a> = serde_json::from_slice(line).map_err(|error| explain(line, &error))?;
        let body = wire.body.map_or("{}", RawValue::get);
        if !body.starts_with('{') {
            return Err(EnvelopeError::NotAMessage("its body is not an object".into()));
        }
        Ok(Self { src: wire.src, dest: wire.dest, body })
    }
}

fn explain(line: &[u8], error: &serde_json::Error) -> EnvelopeError {
    if serde_json::from_slice::<&RawValue>(line).is_ok() {
        EnvelopeError::NotAMessage(error.to_string())
    } else {
        EnvelopeError::NotJson(error.to_string())
    }
}

/// The line that hands a message to a node, without its newline.
pub(crate) fn encode(id: u64, src: Endpoint, dest: Endpoint, body: &str) -> Vec<u8> {
    const FRAME: usize = 80;
    let mut line = String::with_capacity(body.len() + FRAME);
    // Writing to a string cannot fail.
    let _ = write!(line, r#"{{"id":{id},"src":"{src}","dest":"{dest}","body":"#);
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
        assert!(matches!(error(""), EnvelopeError::NotJson(_)));
        for line in [
            "7",
            "[]",
            "{}",
            r#"{"src":"n0","dest":"n1","body":3}"#,
            r#"{"src":"n0","dest":"n1","body":{},"extra":1}"#,
            r#"{"src":"n0","dest":null,"body":{}}"#,
            r#"{"src":"n0","dest":"n1","body":{},"id":"x"}"#,
        ] {
            assert!(matches!(error(line), EnvelopeError::NotAMessage(_)), "{line}");
        }
    }

    #[test]
    fn what_is_encoded_can_be_parsed() {
        let line = encode(7, Endpoint::Client(3), Endpoint::Node(0), r#"{"type":"read"}"#);
        let envelope = Envelope::parse(&line).unwrap();
        assert_eq!((&*envelope.src, &*envelope.dest, envelope.body), ("c3", "n0", r#"{"type":"read"}"#));
    }
}
