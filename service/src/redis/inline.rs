//! Inline commands: a line of words, as `redis-cli` and Redis itself take them.

use std::ops::Range;

/// A quote without its end, or a quoted text with more behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// Cuts a line into words, and tells `word` where each lies. Quoted words are unescaped where they stand: no word grows by that.
pub(super) fn split(line: &mut [u8], mut word: impl FnMut(Range<usize>)) -> Result<(), Unbalanced> {
    let is_space = |byte: u8| byte.is_ascii_whitespace() || byte == 0 || byte == 0x0b;
    let byte = |line: &[u8], at: usize| line.get(at).copied();
    let (mut at, mut to) = (0, 0);
    loop {
        while byte(line, at).is_some_and(is_space) {
            at += 1;
        }
        if at >= line.len() {
            return Ok(());
        }
        // Words are moved to the left, and never further than the place from which they come.
        let begin = to;
        while let Some(next) = byte(line, at).filter(|byte| !is_space(*byte)) {
            at += 1;
            if next == b'"' || next == b'\'' {
                (at, to) = quoted(line, next, (at, to))?;
                if byte(line, at).is_some_and(|byte| !is_space(byte)) {
                    return Err(Unbalanced);
                }
            } else {
                put(line, &mut to, next);
            }
        }
        word(begin..to);
    }
}

/// Unescapes a quoted text. Returns where it ends, and where its unescaped text ends.
fn quoted(
    line: &mut [u8],
    quote: u8,
    (mut at, mut to): (usize, usize),
) -> Result<(usize, usize), Unbalanced> {
    loop {
        let rest = line.get(at..).unwrap_or_default();
        let (next, length) = match *rest {
            [] => return Err(Unbalanced),
            [byte, ..] if byte == quote => return Ok((at + 1, to)),
            [b'\\', b'\'', ..] if quote == b'\'' => (b'\'', 2),
            [b'\\', b'x', high, low, ..] if quote == b'"' && is_hex(high) && is_hex(low) => {
                (hex(high) << 4 | hex(low), 4)
            }
            [b'\\', escaped, ..] if quote == b'"' => (unescape(escaped), 2),
            [byte, ..] => (byte, 1),
        };
        at += length;
        put(line, &mut to, next);
    }
}

fn put(line: &mut [u8], to: &mut usize, byte: u8) {
    if let Some(place) = line.get_mut(*to) {
        *place = byte;
    }
    *to += 1;
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default()
}

fn unescape(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<String>, Unbalanced> {
        let mut line = line.as_bytes().to_vec();
        let mut ranges = Vec::new();
        split(&mut line, |range| ranges.push(range))?;
        Ok(ranges.into_iter().map(|range| String::from_utf8(line[range].to_vec()).unwrap()).collect())
    }

    #[test]
    fn words_are_cut_and_unescaped_as_redis_does() {
        assert_eq!(words("  INCR  views\r").unwrap(), ["INCR", "views"]);
        assert_eq!(
            words(r#"GET "a b" "\x41\n\"\\" 'it\'s \n' """#).unwrap(),
            ["GET", "a b", "A\n\"\\", r"it's \n", ""]
        );
        assert_eq!(words(r#"a"b c"#), Err(Unbalanced));
        assert_eq!(words(r#""a"b"#), Err(Unbalanced));
        assert_eq!(words("'a"), Err(Unbalanced));
        assert_eq!(words("").unwrap(), Vec::<String>::new());
        assert_eq!(words(r#"x"y z" w"#).unwrap(), ["xy z", "w"]);
    }
}
