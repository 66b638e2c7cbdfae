//! Malformed lines, and the answers that a good node gives to them.

use rand::RngExt;

use crate::endpoint::Endpoint;
use crate::error_code::{MALFORMED, NOT_SUPPORTED};
use crate::seeds::Random;
use crate::workload::{Counter, Workload};

/// Length of the longest line.
const LONG: usize = 10 << 20;
/// Depth of the deepest one.
const DEEP: usize = 10_000;

/// A malformed line.
#[derive(Debug)]
pub(crate) struct Garbage {
    /// Without a newline.
    pub(crate) line: Vec<u8>,
    pub(crate) expected: Expected,
}

/// The answer to a malformed line: an error of one of these codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) codes: &'static [i64],
    /// Whether the node must answer.
    pub(crate) is_required: bool,
}

const SILENCE: Expected = Expected { codes: &[], is_required: false };

const fn error(codes: &'static [i64]) -> Expected {
    Expected { codes, is_required: true }
}

/// For lines that a node may also ignore.
const MALFORMED_OR_SILENCE: Expected = Expected { codes: &[MALFORMED], is_required: false };

impl Garbage {
    /// The line of that number; its `msg_id`, if it has one, is the number too.
    ///
    /// Every kind has its turn. The longest and the deepest lines come once in a thousand.
    pub(crate) fn draw(
        number: u32,
        workload: &dyn Workload,
        src: Endpoint,
        dest: Endpoint,
        random: &mut Random,
    ) -> Self {
        let request =
            |body: &str| format!(r#"{{"src":"{src}","dest":"{dest}","body":{{"msg_id":{number},{body}}}}}"#);
        let add = |delta: &str| request(&format!(r#""type":"add","delta":{delta}"#));
        let (line, expected) = match (number % 1000, number % 20) {
            (7, _) => (add(&format!("\"{}\"", "x".repeat(LONG))), MALFORMED_OR_SILENCE),
            (13, _) => (add(&nested(DEEP)), MALFORMED_OR_SILENCE),
            (_, 0 | 1) => return Self { line: noise(random), expected: SILENCE },
            (_, 2) => return Self { line: invalid_text(&add("\"?\"")), expected: MALFORMED_OR_SILENCE },
            (_, 3) => (truncated(&add("1"), random), SILENCE),
            (_, 4) => (odd_value(random).to_owned(), SILENCE),
            (_, 5) => (format!(r#"{{"dest":"{dest}","body":{{"type":"read","msg_id":{number}}}}}"#), SILENCE),
            (_, 6) => (
                format!(r#"{{"src":7,"dest":"{dest}","body":{{"type":"read","msg_id":{number}}}}}"#),
                SILENCE,
            ),
            (_, 7) => (format!(r#"{{"src":"{src}","dest":"{dest}","body":7}}"#), SILENCE),
            (_, 8) => (
                format!(
                    r#"{{"src":"{src}","dest":"{dest}","body":{{"type":"add","delta":1,"msg_id":"x"}}}}"#
                ),
                SILENCE,
            ),
            (_, 9 | 10) => (request(r#""type":"no-such-request","delta":1"#), error(&[NOT_SUPPORTED])),
            (_, 11) => (request(r#""type":5"#), error(&[NOT_SUPPORTED, MALFORMED])),
            (_, 12) => (request(r#""type":"add""#), error(&[MALFORMED])),
            (_, 13) => (add("\"1\""), error(&[MALFORMED])),
            (_, 14) => (add("1.5"), error(&[MALFORMED])),
            (_, 15) => (add("1e400"), error(&[MALFORMED])),
            (_, 16) => (add("1000000000000000000000000000000"), error(&[MALFORMED])),
            (_, 17) => (add("9223372036854775808"), error(&[MALFORMED])),
            (_, 18) => (add(&nested(100)), error(&[MALFORMED])),
            (_, _) if workload.counter() == Some(Counter::G) => (add("-1"), error(&[MALFORMED])),
            (_, _) => (add("null"), error(&[MALFORMED])),
        };
        Self { line: line.into_bytes(), expected }
    }
}

/// Random bytes, but no newline.
fn noise(random: &mut Random) -> Vec<u8> {
    let length = random.random_range(1..300);
    (0..length).map(|_| random.random::<u8>()).map(|byte| if byte == b'\n' { b'?' } else { byte }).collect()
}

/// The text with its question mark made a byte that is no UTF-8.
fn invalid_text(text: &str) -> Vec<u8> {
    text.bytes().map(|byte| if byte == b'?' { 0xff } else { byte }).collect()
}

fn truncated(text: &str, random: &mut Random) -> String {
    let length = random.random_range(1..text.len() - 1);
    text.chars().take(length).collect()
}

fn odd_value(random: &mut Random) -> &'static str {
    const VALUES: [&str; 8] = ["", " ", "7", "null", "[1,2]", "\"text\"", "{}", "NaN"];
    VALUES.get(random.random_range(0..VALUES.len())).copied().unwrap_or_default()
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::seeds::Seeds;

    fn draw(number: u32) -> Garbage {
        let mut random = Seeds::new(u64::from(number)).generator();
        Garbage::draw(number, &Counter::G, Endpoint::Client(4), Endpoint::Node(0), &mut random)
    }

    #[test]
    fn every_line_is_one_line() {
        for number in (0..40).chain([1007, 1013]) {
            assert!(!draw(number).line.contains(&b'\n'));
        }
    }

    #[test]
    fn a_line_that_must_be_answered_names_its_sender_and_its_number() {
        let mut required = 0;
        for number in 0..200 {
            let garbage = draw(number);
            if garbage.expected.is_required {
                required += 1;
                let envelope = Envelope::parse(&garbage.line).unwrap();
                assert_eq!(envelope.src, "c4");
                assert!(envelope.body.contains(&format!("\"msg_id\":{number},")), "{}", envelope.body);
            }
        }
        assert!(required > 80);
    }

    #[test]
    fn some_lines_are_long_and_some_are_deep() {
        assert!(draw(7).line.len() > LONG);
        assert!(draw(13).line.len() > 2 * DEEP);
    }
}
