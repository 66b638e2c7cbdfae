//! The canonical form, read byte by byte as little as can be.

use crate::codec::text::{self, is_plain};
use crate::ledger::Ledger;
use crate::table::gallop;
use core::borrow::Borrow;
use serde::ser::Serialize;

/// Reads a canonical map of known ids, and gives each entry to `put`, by place. Places in the table ascend. Returns the
/// bytes behind the map, or `None` if it is anything else. All ids of the table must be plain.
pub(super) fn scan<'j, A: Borrow<str> + Serialize, const W: usize>(
    known: &Ledger<A, W>,
    json: &'j [u8],
    mut put: impl FnMut(usize, u64),
) -> Option<&'j [u8]> {
    let ids = known.ids();
    if let Some(rest) = json.strip_prefix(b"{}") {
        return Some(rest);
    }
    let mut text = json.strip_prefix(b"{\"")?;
    let mut next = 0;
    loop {
        // The slow ways are called from here, so that the fast ones can pass all in registers.
        let (place, behind) = match next_key(ids, next, text) {
            Some(behind) => (next, behind),
            None => far_key(known, next, text)?,
        };
        let (n, behind) = match short_number(behind, json) {
            Some((n, behind)) => (n, behind),
            None => long_number(behind)?,
        };
        put(place, n);
        if place < ids.len() {
            next = place + 1;
        }
        match behind {
            [b',', b'"', behind @ ..] => text = behind,
            [b'}', behind @ ..] => return Some(behind),
            _ => return None,
        }
    }
}

/// The bytes behind the id at `next`, its quote and colon, if `json` begins with these.
#[expect(clippy::inline_always, reason = "called, it passes its result through memory: a third slower")]
#[inline(always)]
fn next_key<'j, A: Borrow<str>>(ids: &[A], next: usize, json: &'j [u8]) -> Option<&'j [u8]> {
    let expected = ids.get(next)?.borrow().as_bytes();
    let (key, [b'"', b':', behind @ ..]) = json.split_at_checked(expected.len())? else { return None };
    same(key, expected).then_some(behind)
}

/// The place of the id that `json` begins with, in the tail or from `next` on, and the bytes behind its quote and colon.
#[cold]
#[inline(never)]
fn far_key<'j, A: Borrow<str> + Serialize, const W: usize>(
    known: &Ledger<A, W>,
    next: usize,
    json: &'j [u8],
) -> Option<(usize, &'j [u8])> {
    let end = json.iter().position(|&byte| byte == b'"')?;
    let (key, behind) = json.split_at_checked(end)?;
    let key = core::str::from_utf8(key).ok()?;
    let cmp = |id: &A| id.borrow().cmp(key);
    let place = match gallop(known.ids(), next, cmp) {
        Ok(at) => at,
        Err(gap) => text::recent(known, gap, key).filter(|_| is_plain(key))?,
    };
    Some((place, behind.strip_prefix(b"\":")?))
}

/// Whether two texts of the same length are the same: up to 16 bytes without a call, as two words that may overlap.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
        a.first_chunk::<N>() == b.first_chunk() && a.last_chunk::<N>() == b.last_chunk()
    }
    match a.len() {
        2..=3 => ends::<2>(a, b),
        4..=7 => ends::<4>(a, b),
        8..=16 => ends::<8>(a, b),
        _ => a == b,
    }
}

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The whole number of up to seven digits that `json` begins with, and the bytes behind it; `None` if it is longer or
/// none. `json` is the end of `all`.
///
/// All digits are read at once, as in Johnny Lee's and Daniel Lemire's "parse eight digits".
#[expect(clippy::inline_always, reason = "called, it passes its result through memory: a third slower")]
#[inline(always)]
fn short_number<'j>(json: &'j [u8], all: &[u8]) -> Option<(u64, &'j [u8])> {
    let eight = eight_bytes(json, all)?;
    let digits = eight ^ ZEROS;
    // A byte over 9 now or with its high bit set is no digit.
    let others = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & HIGH_BITS;
    let len = others.trailing_zeros() / 8;
    let leading_zero = digits.trailing_zeros() >= 8;
    if others == 0 || len == 0 || (leading_zero && len > 1) {
        return None;
    }
    let digits = digits << (64 - 8 * len);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    let n = low.wrapping_add(high) >> 32;
    Some((n, json.get(usize::try_from(len).ok()?..)?))
}

/// The first eight bytes of `json`, zeros if it has less. `json` is the end of `all`, which must have eight.
#[inline]
fn eight_bytes(json: &[u8], all: &[u8]) -> Option<u64> {
    if let Some(first) = json.first_chunk() {
        return Some(u64::from_le_bytes(*first));
    }
    let missing = 8 - u32::try_from(json.len()).ok()?;
    u64::from_le_bytes(*all.last_chunk()?).checked_shr(8 * missing)
}

/// The whole number that `json` begins with, digit by digit.
#[cold]
#[inline(never)]
fn long_number(json: &[u8]) -> Option<(u64, &[u8])> {
    let len = json.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(json.len());
    let (digits, behind) = json.split_at_checked(len)?;
    if digits.is_empty() || (digits.first() == Some(&b'0') && len > 1) {
        return None;
    }
    let n =
        digits.iter().try_fold(0_u64, |n, &digit| n.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
    Some((n, behind))
}

#[cfg(test)]
mod tests {
    use crate::GCounter;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;

    fn number<'j>(json: &'j [u8], all: &[u8]) -> Option<(u64, &'j [u8])> {
        short_number(json, all).or_else(|| long_number(json))
    }

    #[test]
    fn short_numbers_are_read_at_once() {
        for text in ["0", "7", "42", "1234567"] {
            let all = format!("{{\"node\":{text},\"n1\":5}}");
            for end in [text.len() + 8, text.len() + 9, all.len()] {
                let all = &all.as_bytes()[..end];
                let json = &all[8..];
                assert_eq!(
                    short_number(json, all),
                    Some((text.parse().unwrap(), &json[text.len()..])),
                    "{text}"
                );
            }
        }
        for text in ["", "x", "00", "01", "0123456", "12345678"] {
            let all = format!("{{\"node\":{text},\"n1\":5}}");
            assert_eq!(short_number(&all.as_bytes()[8..], all.as_bytes()), None, "{text}");
        }
        for no_digit in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
            let text = [b'1', no_digit, b'2', b'3', b'4', b'5', b'6', b'7'];
            assert_eq!(short_number(&text, &text), Some((1, &text[1..])), "{no_digit}");
        }
    }

    #[test]
    fn texts_are_the_same_if_every_byte_is() {
        for len in 0..40 {
            let text: Vec<u8> = (0..len).collect();
            assert!(same(&text, &text.clone()));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 1;
                assert!(!same(&text, &other), "{len} {at}");
            }
        }
    }

    #[test]
    fn numbers_are_read_as_the_standard_parser_does() {
        let texts = ["0", "7", "42", "1234567", "12345678", "123456789", "18446744073709551615"];
        for text in texts {
            for behind in ["", ",", "}", "}        ", ",\"n1\":5}"] {
                let json = [text, behind].concat();
                let all = [r#"{"n0":"#, &json].concat();
                let read = Some((text.parse().unwrap(), behind.as_bytes()));
                assert_eq!(number(json.as_bytes(), json.as_bytes()), read, "{json}");
                assert_eq!(number(json.as_bytes(), all.as_bytes()), read, "{json}");
            }
        }
        for bad in ["", "-1", "01", "00000001,", "18446744073709551616", "99999999999999999999,", "x", " 1"] {
            assert_eq!(number(bad.as_bytes(), bad.as_bytes()), None, "{bad}");
        }
        // Floats leave their rest behind, which no map may have there.
        assert_eq!(number(b"1.5", b"1.5"), Some((1, &b".5"[..])));
        let text = br#"1e5,"n1":1}"#;
        assert_eq!(number(text, text), Some((1, &text[1..])));
    }

    #[test]
    fn keys_are_known_from_where_the_last_one_was() {
        let ids: Vec<String> = (0..5000).map(|n| format!("n{n:04}")).collect();
        let all: GCounter<String> = ids.iter().map(|id| (id.clone(), 5)).collect();
        assert_eq!(next_key(&ids, 2, br#"n0002":5}"#), Some(&b"5}"[..]));
        assert_eq!(next_key(&ids, 2, br#"n0003":5}"#), None);
        assert_eq!(far_key(&all.ledger, 2, br#"n0009":5}"#), Some((9, &b"5}"[..])));
        assert_eq!(far_key(&all.ledger, 2, br#"n0001":5}"#), None, "behind");
    }
}
