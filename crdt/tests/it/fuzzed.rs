//! A short run of the fuzz targets, on the stable toolchain.

use crate::fuzz_bodies;
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes that are nearly a counter in JSON.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let tokens =
        ["{", "}", "\"n0\":", "\"n1\":", "\"a\":", "\"", ":", ",", "3", "12345678", "0", "-", ".", "\\", " "];
    let token = proptest::sample::select(tokens.to_vec()).prop_map(|token| token.as_bytes().to_vec());
    let inner = prop_oneof![9 => token, 1 => vec(any::<u8>(), 0..3)];
    vec(inner, 0..20).prop_map(|parts| [b"{", parts.concat().as_slice(), b"}"].concat())
}

/// Bytes that are nearly a counter for keeping, without the checksum.
fn nearly_kept() -> impl Strategy<Value = Vec<u8>> {
    let entries = ["\x01a", "\x01b", "\x02ab", "\x03\x01a", "\x00", "\x01", "\x02", "\x7f", "c"];
    let part = proptest::sample::select(entries.to_vec()).prop_map(|part| part.as_bytes().to_vec());
    let part = prop_oneof![9 => part, 1 => vec(any::<u8>(), 0..3)];
    (proptest::sample::select(vec!["G\x01", "P\x01", "G\x02"]), 0..4_u8, vec(part, 0..8))
        .prop_map(|(head, len, parts)| [head.as_bytes(), &[len], &parts.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn json(bytes in nearly_json()) { fuzz_bodies::json(&bytes); }

    #[test]
    fn postcard(bytes in vec(prop_oneof![3 => 0..6_u8, 1 => any::<u8>()], 0..30)) {
        fuzz_bodies::postcard(&bytes);
    }

    #[test]
    fn bytes(bytes in nearly_kept()) { fuzz_bodies::bytes(&bytes); }

    #[test]
    fn named(bytes in vec(any::<u8>(), 0..60)) { fuzz_bodies::named(&bytes); }

    #[test]
    fn operations(bytes in vec(any::<u8>(), 0..200)) { fuzz_bodies::operations(&bytes); }
}
