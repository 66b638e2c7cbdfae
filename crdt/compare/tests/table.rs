//! What the table says of given figures.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use crdt_compare::{Cell, Row, Table, Unmarked, VERSIONS, between_markers};

/// 100 counts in a microsecond, others in 3 µs (`crdts`), 5 µs and 2 µs.
fn cell() -> Cell {
    Cell {
        n: 100,
        counts: 100,
        bytes: Some(1600),
        ours: 1e-6,
        peer: Some(("crdts", 3e-6)),
        btree: Some(5e-6),
        hash: Some(2e-6),
        limit: 0.9e-6,
    }
}

fn row(cells: Vec<Cell>) -> Row {
    Row { title: "merge".into(), cells }
}

fn line(text: &str, label: &str) -> String {
    let line = text.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_win_is_printed_with_its_rates() {
    let text = row(vec![cell()]).text();
    assert_eq!(line(&text, "merge"), "merge 100");
    assert_eq!(line(&text, "crdt-counters"), "crdt-counters 100 M/s, 1.60 GB/s");
    assert_eq!(line(&text, "the best"), "the best other crate crdts 33.3 M/s");
    assert_eq!(line(&text, "BTreeMap"), "BTreeMap by hand 20.0 M/s");
    assert_eq!(line(&text, "HashMap"), "HashMap by hand 50.0 M/s");
    assert_eq!(line(&text, "the limit"), "the limit: a |= b 111 M/s, ours 90 %");
    assert_eq!(line(&text, "ours"), "ours beside the best of others 2.0x, ahead of HashMap");
}

#[test]
fn a_loss_is_printed_as_plainly() {
    let lost = Cell { peer: Some(("crdt-kit", 0.7e-6)), ..cell() };
    let text = row(vec![lost.clone()]).text();
    assert_eq!(line(&text, "ours"), "ours beside the best of others 0.70x, behind crdt-kit");
    let table = Table(vec![row(vec![lost])]);
    assert!(table.in_short().contains("100 M/s, **0.70x crdt-kit**"), "{}", table.in_short());
    assert!(table.in_full().contains("| 0.70x, behind crdt-kit |"), "{}", table.in_full());
}

#[test]
fn a_narrow_loss_is_not_rounded_to_a_draw() {
    let text = row(vec![Cell { btree: Some(0.999e-6), ..cell() }]).text();
    assert_eq!(line(&text, "ours"), "ours beside the best of others 0.99x, behind BTreeMap");
    let text = row(vec![Cell { btree: Some(1.001e-6), ..cell() }]).text();
    assert_eq!(line(&text, "ours"), "ours beside the best of others 1.0x, ahead of BTreeMap");
}

#[test]
fn what_nobody_else_can_do_has_no_factor() {
    let text = row(vec![Cell { peer: None, btree: None, hash: None, bytes: None, ..cell() }]).text();
    assert_eq!(line(&text, "crdt-counters"), "crdt-counters 100 M/s");
    assert_eq!(line(&text, "the best"), "the best other crate -");
    assert_eq!(line(&text, "ours"), "ours beside the best of others -");
}

#[test]
fn rates_and_sizes_have_three_digits_and_a_unit() {
    let rates =
        [(1, 1.0, "1.00 /s"), (1, 1e-3, "1.00 k/s"), (999, 1e-6, "999 M/s"), (12_345, 1e-6, "12.3 G/s")];
    for (counts, ours, rate) in rates {
        let text = row(vec![Cell { counts, ours, bytes: None, ..cell() }]).text();
        assert_eq!(line(&text, "crdt-counters"), format!("crdt-counters {rate}"));
    }
    let cells = [3, 16_384, 1 << 20].map(|n| Cell { n, ..cell() });
    assert_eq!(line(&row(cells.to_vec()).text(), "merge"), "merge 3 16,384 1 M");
}

#[test]
fn every_line_of_markdown_has_as_many_columns() {
    let table = Table(vec![row(vec![cell()]), row(vec![cell(), cell(), cell()])]);
    for text in [table.in_full(), table.in_short()] {
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        assert!(text.lines().all(|line| columns(line) == 5), "{text}");
    }
}

#[test]
fn only_what_is_between_the_marks_is_replaced() {
    let begin = "<!-- begin: written by `cargo bench --bench merge -- --write-readme` -->";
    let document = format!("before\n{begin}\nold\n<!-- end -->\nafter\n");
    let written = between_markers(&document, "new\n").unwrap();
    assert_eq!(written, format!("before\n{begin}\n\nnew\n\n<!-- end -->\nafter\n"));
    assert_eq!(between_markers(&written, "new").unwrap(), written);
    assert_eq!(between_markers("no marks", "new"), Err(Unmarked));
    assert_eq!(between_markers(&format!("<!-- end -->{begin}"), "new"), Err(Unmarked));
}

#[test]
fn the_documents_have_the_marks() {
    for document in [include_str!("../../../docs/reference.md"), include_str!("../../README.md")] {
        assert!(between_markers(document, "").is_ok());
    }
}

#[test]
fn the_versions_are_those_of_the_lock_file() {
    let lock = include_str!("../../../Cargo.lock");
    for (name, version) in VERSIONS {
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"")), "{name} {version}");
    }
}
