//! Planted faults: each check gets a text that breaks its rule, and must find that.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::rules::{NEEDS, RULES, Rule};
use super::{citations, functions, imports, packages, prose, rules};

fn rule(root: &str) -> &'static Rule {
    RULES.iter().find(|rule| rule.root == root).unwrap()
}

/// The paths in the source that break the rule.
fn broken(root: &str, source: &str) -> Vec<String> {
    let libraries = ["bytes", "pulp", "rand", "serde", "serde_json", "tokio", "tracing"].map(str::to_owned);
    let named = imports::of_text(source).into_iter().filter(|named| !rule(root).allows(named, &libraries));
    named.map(|named| named.path).collect()
}

#[test]
fn a_forbidden_import_is_seen_however_it_is_written() {
    for (source, seen) in [
        ("use tokio::io;", "tokio::io"),
        ("use ::tokio::io;", "tokio::io"),
        ("use tokio;", "tokio"),
        ("use tokio as t;", "tokio"),
        ("extern crate tokio as t;", "tokio"),
        ("use {core::fmt, tokio::io::{self, Read}};", "tokio::io"),
        ("use std::{collections::BTreeMap, time::{Duration, Instant}};", "std::time::Instant"),
        ("use std::time; fn f() { time::Instant::now(); }", "std::time::Instant::now"),
        ("use std as s; use s::time as t; fn f() -> t::Instant { g() }", "std::time::Instant"),
        ("use std::time::*;", "std::time::*"),
        ("use std::*;", "std::*"),
        ("fn f() { std::time::Instant::now(); }", "std::time::Instant::now"),
        ("fn f() -> Option<std::time::Instant> { None }", "std::time::Instant"),
        ("fn f() { { use std::time::SystemTime; } }", "std::time::SystemTime"),
        ("fn f() { assert!(g(std::time::Instant::now())); }", "std::time::Instant::now"),
        ("fn f() { vec![tokio::spawn(g())]; }", "tokio::spawn"),
        ("m! { use tokio::{io, net}; }", "tokio"),
        ("#[tokio::main] fn f() {}", "tokio::main"),
        ("#[derive(serde::Serialize)] struct S;", "serde::Serialize"),
        ("#[cfg_attr(unix, derive(serde::Serialize))] struct S;", "serde::Serialize"),
        ("async fn f() {}", "async"),
        ("fn f() { g(async { 1 }); }", "async"),
        ("fn f() { let x = rand::rng(); }", "rand::rng"),
        ("use rand as dice; fn f() { dice::random::<u8>(); }", "rand::random"),
        ("mod tests { use serde_json::Value; }", "serde_json::Value"),
        ("#[cfg(any(test, unix))] use serde_json::Value;", "serde_json::Value"),
        ("#[cfg(not(test))] use serde_json::Value;", "serde_json::Value"),
    ] {
        assert!(broken("replica/src/lib.rs", source).iter().any(|path| path == seen), "{source}");
    }
}

#[test]
fn a_text_without_a_forbidden_import_passes() {
    for source in [
        "// use tokio::io;\n/// tokio::io\nfn f() { g(\"tokio::io\", r#\"use tokio;\"#) }",
        "use std::time::Duration; use std::time; fn f() -> time::Duration { time::Duration::ZERO }",
        "mod bytes; use bytes::Bytes; fn f() { bytes::g() }",
        "use crate::serde; fn f() { serde::g(); crate::tokio::g(); self::rand::rng() }",
        "use rand::Rng; use rand::rngs::SmallRng; use crdt::GCounter; use tracing::warn; use core::mem; use alloc::vec;",
        "#[cfg(test)] mod tests { use serde_json::Value; fn f() { std::time::Instant::now(); } }",
        "#[cfg(all(test, unix))] use serde_json::Value;",
        "impl S { #[cfg(test)] fn f() { tokio::spawn(1) } }",
        "fn f() { tokio.g(); let tokio = 1; }",
    ] {
        assert!(
            broken("replica/src/lib.rs", source).is_empty(),
            "{source}: {:?}",
            broken("replica/src/lib.rs", source)
        );
    }
}

#[test]
fn a_crate_that_belongs_to_a_feature_is_named_only_under_it() {
    let broken = |source| broken("crdt/src/lib.rs", source);
    assert_eq!(broken("use serde_json::Error;"), ["serde_json::Error"]);
    assert_eq!(broken("impl S { fn f() -> serde_json::Error { g() } }"), ["serde_json::Error"]);
    assert_eq!(broken("#[cfg(feature = \"serde\")] use serde_json::Error;"), ["serde_json::Error"]);
    assert_eq!(broken("#[cfg(any(feature = \"json\", unix))] use serde_json::Error;"), ["serde_json::Error"]);
    assert!(broken("#[cfg(feature = \"json\")] use serde_json::Error;").is_empty());
    assert!(broken("#[cfg(all(unix, feature = \"json\"))] mod m { use serde_json::Error; }").is_empty());
    assert!(broken("impl S { #[cfg(feature = \"json\")] fn f() -> serde_json::Error { g() } }").is_empty());
    assert!(broken("#[cfg_attr(feature = \"json\", derive(serde_json::Derived))] struct S;").is_empty());
    assert_eq!(broken("#[cfg_attr(feature = \"rc\", derive(serde_json::Derived))] struct S;").len(), 1);
    for clock in ["use std::time::Duration;", "use rand::Rng;", "use tokio::io;"] {
        assert_eq!(broken(clock).len(), 1, "{clock}");
    }
}

#[test]
fn modules_are_found_where_the_compiler_finds_them_with_the_conditions_of_their_declarations() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("modules");
    let names =
        ["lib.rs", "codec.rs", "codec/json.rs", "codec/inner/deep.rs", "parts/mod.rs", "elsewhere.rs"];
    let texts = [
        "mod codec; #[path = \"elsewhere.rs\"] mod other; mod parts;",
        "#[cfg(feature = \"json\")] mod json; mod inner { mod deep; }",
        "use serde_json::Error;",
        "use tokio::io;",
        "fn f() { tokio::spawn(1) }",
        "use ::rand::Rng;",
    ];
    for (name, text) in names.iter().zip(texts) {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
    let mut found: Vec<String> = imports::of_crate(&folder.join("lib.rs"))
        .into_iter()
        .flat_map(|(_, named)| named)
        .map(|named| format!("{} {:?}", named.path, named.when.features))
        .collect();
    found.sort();
    let expected = ["rand::Rng {}", "serde_json::Error {\"json\"}", "tokio::io {}", "tokio::spawn {}"];
    assert_eq!(found, expected);
}

#[test]
fn a_word_of_a_world_is_seen_in_code_and_comments_but_not_in_a_link_of_a_doc_comment() {
    for line in [
        "// as Maelstrom does",
        "/// As Maelstrom does.",
        "let key = \"seq-kv\";",
        "fn to_json() {}",
        "struct SeqKv;",
        "/// JSON, see [its page](https://example.org).",
        "// see [Maelstrom](https://example.org)",
    ] {
        assert_eq!(rules::worldly(line).len(), 1, "{line}");
    }
    for line in [
        "/// As in [Maelstrom](https://github.com/jepsen-io/maelstrom), with a < b.",
        "//! [Maelstrom]: https://github.com/jepsen-io/maelstrom",
        "//! See <https://github.com/jepsen-io/maelstrom>.",
        "let sequence = 1;",
    ] {
        assert!(rules::worldly(line).is_empty(), "{line}");
    }
}

#[test]
fn parameters_are_counted_without_self_and_lines_from_fn_to_brace() {
    let source = "
        /// A comment, and then an attribute.
        #[inline]
        pub fn six(a: u8, (b, c): (u8, u8), d: u8, e: u8, f: u8, g: u8) {}
        trait T { fn five(&self, a: u8, b: u8, c: u8, d: u8, e: u8); }
        impl T for S {
            fn five(self: Box<Self>, a: u8, b: u8, c: u8, d: u8, e: u8) {
                fn inner() {
                }
                let closure = |a, b, c, d, e, f, g| 0;
            }
        }";
    let found: Vec<_> = functions::of_text(source)
        .into_iter()
        .map(|found| (found.name.clone(), found.line, found.lines, found.parameters, found.is_too_large()))
        .collect();
    let expected = [
        ("six", 4, 1, 6, true),
        ("five", 5, 1, 5, false),
        ("five", 7, 5, 5, false),
        ("inner", 8, 2, 0, false),
    ];
    assert_eq!(
        found,
        expected.map(|(name, line, lines, parameters, large)| (name.into(), line, lines, parameters, large))
    );
    let long = |lines: usize| format!("fn long() {{{}}}", "\n".repeat(lines - 1));
    assert!(
        !functions::of_text(&long(70))[0].is_too_large() && functions::of_text(&long(71))[0].is_too_large()
    );
}

/// The words of each sentence.
fn lengths(document: &str) -> Vec<usize> {
    prose::sentences(document).into_iter().map(|sentence| sentence.words).collect()
}

#[test]
fn words_are_counted_sentence_by_sentence() {
    for (document, expected) in [
        ("One two three. Four five six seven.", &[3, 4][..]),
        ("One two\nthree four! \"Five six seven?\" (Eight nine ten.)", &[4, 3, 3]),
        ("One two, i.e. three, and e.g. four of v1.5.", &[12]),
        ("A span is `one word a b c` here. `And` begins a sentence.", &[5, 4]),
        ("A colon cuts: Before a capital. But not before: `this` or that.", &[3, 3, 6]),
        ("A [link with text](https://example.org/a/b/c) and **bold** *words*.", &[7]),
        ("Don't count a well-known word_with twice — or a dash.", &[9]),
        (
            "* one two three\n* four five six\n  seven\n\n1. eight nine ten\n   * eleven twelve thirteen",
            &[3, 4, 3, 3],
        ),
        ("# A heading of many words\n\nOne two three.", &[3]),
        ("| a b c d | e f g h |\n| --- | --- |\n| i j k l | m n o p |\n\nOne two three.", &[3]),
        (
            "```text\nnot a sentence here\n```\n\n    nor here it is\n\n<!-- nor in here -->\n\nOne two three.",
            &[3],
        ),
        ("Too short.", &[]),
    ] {
        assert_eq!(lengths(document), expected, "{document}");
    }
    let sentence = |words: usize| format!("A{}.", " word".repeat(words - 1));
    assert_eq!(lengths(&format!("{} {}", sentence(40), sentence(41))), [40, 41]);
}

#[test]
fn a_package_from_elsewhere_or_under_a_strange_licence_is_seen() {
    let package = |source: serde_json::Value, licence: serde_json::Value| {
        let package = json!({"name": "p", "id": "here#p", "source": source, "license": licence});
        packages::unwelcome(&json!({"packages": [package], "workspace_members": ["here#ours"]}))
    };
    let crates_io = json!("registry+https://github.com/rust-lang/crates.io-index");
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "LGPL-2.1-or-later OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 / MIT",
    ] {
        assert!(package(crates_io.clone(), json!(good)).is_empty(), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "MPL-1.0 OR SSPL-1.0", "MITx", ""] {
        assert_eq!(package(crates_io.clone(), json!(bad)).len(), 1, "{bad}");
    }
    assert_eq!(package(crates_io, json!(null)).len(), 1, "no licence at all");
    for elsewhere in
        [json!("git+https://example.org/p"), json!("registry+https://example.org/index"), json!(null)]
    {
        assert_eq!(package(elsewhere.clone(), json!("MIT")).len(), 1, "{elsewhere}");
    }
    let ours = json!({"name": "p", "id": "here#ours", "source": null, "license": "MIT"});
    assert!(packages::unwelcome(&json!({"packages": [ours], "workspace_members": ["here#ours"]})).is_empty());
}

#[test]
fn a_package_that_is_not_pinned_is_seen() {
    let package = |source: &str, checksum: &str| {
        format!("[[package]]\nname = \"p\"\nsource = \"{source}\"\n{checksum}\n")
    };
    let crates_io = "registry+https://github.com/rust-lang/crates.io-index";
    assert!(packages::unpinned(&package(crates_io, "checksum = \"00\"")).is_empty());
    assert!(packages::unpinned("[[package]]\nname = \"ours\"\n").is_empty());
    assert_eq!(packages::unpinned(&package(crates_io, "")).len(), 1);
    assert_eq!(packages::unpinned(&package("git+https://example.org", "checksum = \"00\"")).len(), 1);
}

#[test]
fn a_dependency_that_a_library_must_not_have_is_seen() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("needs");
    fs::create_dir_all(folder.join("crdt")).unwrap();
    fs::write(folder.join("crdt/Cargo.toml"), "").unwrap();
    let manifest = folder.join("crdt/Cargo.toml");
    let broken = |dependency: serde_json::Value| {
        let package = json!({"manifest_path": manifest, "dependencies": [dependency]});
        NEEDS[0].broken(&folder, &json!({"packages": [package]}))
    };
    assert_eq!(broken(json!({"name": "tokio", "kind": null, "optional": true})), ["crdt needs tokio"]);
    assert_eq!(
        broken(json!({"name": "serde_json", "kind": null, "optional": false})),
        ["crdt needs serde_json"]
    );
    assert_eq!(broken(json!({"name": "cc", "kind": "build", "optional": false})), ["crdt needs cc"]);
    assert!(broken(json!({"name": "serde_json", "kind": null, "optional": true})).is_empty());
    assert!(broken(json!({"name": "pulp", "kind": null, "optional": false})).is_empty());
    assert!(broken(json!({"name": "tokio", "kind": "dev", "optional": false})).is_empty());
}

#[test]
fn a_citation_that_names_nothing_is_seen() {
    let cited =
        "`sim::a_start_apart_mutes_nobody`, `model::planted`, `sim::no_such_test`, `hints::no_such_…`";
    assert_eq!(citations::broken(&super::root(), cited), ["sim::no_such_test", "hints::no_such_…"]);
}
