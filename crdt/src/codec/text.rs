//! Whether an id is written as the text that it borrows as.

use crate::ledger::Ledger;
use crate::table::{Text, gallop, search};
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt::{self, Write};
use serde::ser::Serialize;

/// How an id is written.
///
/// Only an id that is written as the text that it borrows as may be recognised by that text: of any other, the text in
/// the input is that of another actor.
pub(super) fn text<A: Borrow<str> + Serialize>(id: &A) -> Text {
    let text = id.borrow();
    let mut left = Left(text);
    if write!(left, "{}", Written(id)).is_err() || !left.0.is_empty() {
        return Text::Other;
    }
    if is_plain(text) { Text::Plain } else { Text::Borrowed }
}

/// Whether JSON escapes nothing of a text.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
}

struct Written<'a, A>(&'a A);

impl<A: Serialize> fmt::Display for Written<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

/// What is left of a text when what is written has been taken off.
struct Left<'a>(&'a str);

impl Write for Left<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// Whether all ids of the table are written in this way.
pub(super) fn all<A: Borrow<str> + Serialize, const W: usize>(known: &Ledger<A, W>, least: Text) -> bool {
    known.table().is_none_or(|table| table.is_text(least, text))
}

/// The place of the id that is written as `key`, most likely at `next` or close behind. All ids of the table must be
/// written as they borrow; those of the tail need not.
pub(super) fn find<A: Borrow<str> + Serialize, const W: usize>(
    known: &Ledger<A, W>,
    key: &str,
    next: usize,
) -> Option<usize> {
    let cmp = |id: &A| id.borrow().cmp(key);
    let ids = known.ids();
    let found = match ids.get(next).map(cmp) {
        Some(Ordering::Equal) => return Some(next),
        Some(Ordering::Less) => gallop(ids, next + 1, cmp),
        Some(Ordering::Greater) | None => search(ids, cmp),
    };
    match found {
        Ok(place) => Some(place),
        Err(gap) => recent(known, gap, key),
    }
}

/// The place in the tail of the id that is written as `key`, which belongs at `gap`.
pub(super) fn recent<A: Borrow<str> + Serialize, const W: usize>(
    known: &Ledger<A, W>,
    gap: usize,
    key: &str,
) -> Option<usize> {
    let place = known.search_tail(gap, |id| id.borrow().cmp(key)).ok()?;
    known.id(place).filter(|id| text(*id) >= Text::Borrowed).map(|_| place)
}
