//! Patterns such as `views:*`, as Redis has them.

use regex::{Regex, RegexBuilder};

use super::refusals::Problem;

/// A pattern: `*`, `?`, `[abc]`, `[a-z]`, `[^a]`, and `\` before a character that stands for itself.
///
/// It becomes a regular expression, for that is matched in linear time, whatever the pattern.
#[derive(Debug)]
pub(super) struct Glob(Regex);

/// A pattern may have so many bytes.
const MAX_PATTERN: usize = 1 << 10;
/// And its expression so many, once it is compiled.
const MAX_COMPILED: usize = 1 << 20;

const TOO_LONG: Problem = Problem::err("the pattern is too long");
const NOT_UTF_8: Problem = Problem::err("the pattern is not UTF-8: a counter's name is UTF-8 text");

impl Glob {
    pub(super) fn new(pattern: &[u8]) -> Result<Self, Problem> {
        if pattern.len() > MAX_PATTERN {
            return Err(TOO_LONG);
        }
        let pattern = std::str::from_utf8(pattern).map_err(|_| NOT_UTF_8)?;
        let expression = RegexBuilder::new(&translate(pattern))
            .dot_matches_new_line(true)
            .size_limit(MAX_COMPILED)
            .build();
        expression.map(Self).map_err(|_| TOO_LONG)
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

fn translate(pattern: &str) -> String {
    let mut expression = String::from("^");
    let mut rest = pattern.chars();
    while let Some(next) = rest.next() {
        match next {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            '[' => class(&mut rest, &mut expression),
            '\\' => push_literal(rest.next().unwrap_or('\\'), &mut expression),
            other => push_literal(other, &mut expression),
        }
    }
    expression.push('$');
    expression
}

/// Translates what stands between brackets. A bracket that is not closed reaches to the end.
fn class(rest: &mut std::str::Chars<'_>, expression: &mut String) {
    let mut ranges = String::new();
    let is_negated = rest.as_str().starts_with('^');
    if is_negated {
        rest.next();
    }
    while let Some(next) = rest.next().filter(|next| *next != ']') {
        let from = if next == '\\' { rest.next().unwrap_or('\\') } else { next };
        let mut ahead = rest.clone();
        let upto = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(upto)) if next != '\\' => {
                *rest = ahead;
                upto
            }
            _ => from,
        };
        push_literal(from.min(upto), &mut ranges);
        ranges.push('-');
        push_literal(from.max(upto), &mut ranges);
    }
    match (ranges.is_empty(), is_negated) {
        // Nothing is in an empty class, and everything outside it.
        (true, false) => expression.push_str("[^\\s\\S]"),
        (true, true) => expression.push('.'),
        (false, _) => {
            expression.push_str(if is_negated { "[^" } else { "[" });
            expression.push_str(&ranges);
            expression.push(']');
        }
    }
}

fn push_literal(literal: char, expression: &mut String) {
    expression.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_redis() {
        let cases = [
            ("*", "", true),
            ("views:*", "views:a\nb", true),
            ("views:*", "view:a", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hello", false),
            ("h[b-a]llo", "hbllo", true),
            ("h[a-b]llo", "hcllo", false),
            ("a.b", "axb", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a[", "a", false),
            ("[\\]]", "]", true),
            ("a[]b", "ab", false),
            ("{a,b}", "{a,b}", true),
            ("a&&b", "a&&b", true),
            ("[&-(]", "'", true),
            ("\\", "\\", true),
            ("é*", "éa", true),
        ];
        for (pattern, name, is_match) in cases {
            assert_eq!(Glob::new(pattern.as_bytes()).unwrap().matches(name), is_match, "{pattern} {name}");
        }
        assert_eq!(Glob::new(&[b'*'; 1_025]).unwrap_err(), TOO_LONG);
        assert!(Glob::new(&[b'*'; 1_024]).unwrap().matches("x"));
        assert!(Glob::new(b"\xff").is_err());
    }
}
