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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn json(bytes in nearly_json()) { fuzz_bodies::json(&bytes); }

    #[test]
    fn postcard(bytes in vec(prop_oneof![3 => 0..6_u8, 1 => any::<u8>()], 0..30)) {
        fuzz_bodies::postcard(&bytes);
    }

    #[test]
    fn operations(bytes in vec(any::<u8>(), 0..200)) { fuzz_bodies::operations(&bytes); }
}
