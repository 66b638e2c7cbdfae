//! A short run of the fuzz targets, on the stable toolchain.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::fuzzing;

/// Bytes that are nearly lines of JSON messages.
fn nearly_lines() -> impl Strategy<Value = Vec<u8>> {
    let parts = [
        r#"{"src":"c1","dest":"n0","body":{"type":"#,
        r#"{"src":"n1","dest":"n0","body":{"type":"#,
        r#"{"src":"seq-kv","dest":"n0","body":{"type":"#,
        r#""init","msg_id":1,"node_id":"n0","node_ids":["n0","n1"]"#,
        r#""add","msg_id":2,"delta":3"#,
        r#""read","msg_id":-3"#,
        r#""gossip","msg_id":4,"epoch":"00000001","counts":{"n1#00000001":5}"#,
        r#""gossip_ok","in_reply_to":5,"epoch":"00000001""#,
        r#""error","code":20,"in_reply_to":6"#,
        "}}\n",
        "}}\n",
        ",",
        "\"",
        "[",
        "\n",
    ];
    let part = proptest::sample::select(parts.to_vec()).prop_map(|part| part.as_bytes().to_vec());
    vec(prop_oneof![15 => part, 1 => vec(any::<u8>(), 0..3)], 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn line(bytes in nearly_lines()) { fuzzing::line(&bytes); }

    #[test]
    fn sequence(bytes in vec(any::<u8>(), 0..1500)) { fuzzing::sequence(&bytes); }
}
