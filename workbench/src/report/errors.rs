//! The errors that nodes answered with.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::history::{History, Outcome};

/// How many kinds of error the report names.
const KINDS: usize = 10;

/// One kind of error reply, and how often it came.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorCount {
    /// The kind of request: `add`, `read` and so on.
    pub f: &'static str,
    /// The error's code.
    pub code: i64,
    /// The error's text.
    pub text: String,
    /// How many of these requests it answered.
    pub count: u64,
    /// How many of these requests there were.
    pub of: u64,
}

/// Counts the errors by kind. Without this count a counter that refuses every decrement would pass a `pn-counter` run
/// unnoticed.
pub(super) fn count(history: &History) -> Vec<ErrorCount> {
    let mut asked: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut errors: BTreeMap<(&'static str, i64, &str), u64> = BTreeMap::new();
    for operation in history.operations() {
        let f = operation.request.name();
        *asked.entry(f).or_default() += 1;
        if let Some(Outcome::Refused { code, text, .. }) = operation.outcome() {
            *errors.entry((f, *code, text)).or_default() += 1;
        }
    }
    let told = |((f, code, text), count): ((&'static str, i64, &str), u64)| {
        let of = asked.get(f).copied().unwrap_or(count);
        ErrorCount { f, code, text: text.to_owned(), count, of }
    };
    let mut errors: Vec<ErrorCount> = errors.into_iter().map(told).collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors.truncate(KINDS);
    errors
}

impl Display for ErrorCount {
    #[expect(clippy::cast_precision_loss, reason = "counts of operations are far below 2^52")]
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { f: asked, code, text, count, of } = self;
        let percent = 100.0 * *count as f64 / (*of).max(1) as f64;
        write!(f, "{count} of {of} {asked}s ({percent:.0} %) were answered with error {code}")?;
        if text.is_empty() { f.write_str(", without a text") } else { write!(f, ": {text}") }
    }
}
