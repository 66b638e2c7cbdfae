//! Planted anomalies of registers: each is found, and named rightly.

use workbench::txn::{Findings, Model, Transaction, TransactionOutcome, check_rw_register};

use crate::script::{Register, get, names, run, together, told, w, weakest, with};

fn check(history: &[Transaction<Register>]) -> Findings {
    check_rw_register(history).unwrap()
}

/// Nothing but these anomalies is found, and this is the weakest model that they break.
#[track_caller]
fn finds(history: &[Transaction<Register>], expected: &[&str], model: Model) -> Findings {
    let findings = check(history);
    assert_eq!(names(&findings), expected, "{:#?}", findings.examples());
    assert_eq!(weakest(&findings), Some(model));
    findings
}

#[track_caller]
fn tells(findings: &Findings, anomaly: &str, text: &str) {
    assert_eq!(told(findings, anomaly), [text]);
}

#[test]
fn a_serial_history_is_valid() {
    let history = [
        run(0, 0, 10, vec![get(1, None), w(1, 1), get(1, 1)]),
        run(1, 20, 30, vec![get(1, 1), w(1, 2), w(1, 3), w(2, 1)]),
        run(0, 40, 50, vec![get(2, 1), get(1, 3), get(3, None)]),
    ];
    assert_eq!(check(&history), Findings::default());
}

#[test]
fn an_unknown_write_counts_once_it_is_read() {
    let unknown = with(TransactionOutcome::Unknown, run(0, 0, 10, vec![w(1, 1)]));
    let early = run(1, 20, 30, vec![get(1, None)]);
    let late = run(2, 40, 50, vec![get(1, 1)]);
    assert_eq!(check(&[unknown.clone(), early.clone()]), Findings::default());
    assert_eq!(check(&[unknown.clone(), early, late.clone()]), Findings::default());
    let gone = run(1, 60, 70, vec![get(1, None)]);
    finds(&[unknown, late, gone], &["G-single-realtime"], Model::StrongSnapshotIsolation);
}

/// Its write to key 1 was read, so it has written key 2 too.
#[test]
fn a_transaction_that_one_key_shows_has_happened_to_all_keys() {
    let unknown = with(TransactionOutcome::Unknown, run(0, 0, 10, vec![w(1, 1), w(2, 1)]));
    let history = [unknown, run(1, 20, 30, vec![get(1, 1)]), run(2, 40, 50, vec![get(2, None)])];
    finds(&history, &["G-single-realtime"], Model::StrongSnapshotIsolation);
}

#[test]
fn garbage() {
    let findings = finds(&together([vec![get(1, 7)]]), &["garbage"], Model::ReadUncommitted);
    tells(&findings, "garbage", "T1 read 7 from key 1, which no transaction wrote");
}

#[test]
fn an_aborted_read() {
    let aborted = with(TransactionOutcome::Aborted, run(0, 0, 100, vec![w(1, 1)]));
    let findings = finds(&[aborted, run(1, 0, 100, vec![get(1, 1)])], &["G1a"], Model::ReadCommitted);
    tells(&findings, "G1a", "T1 read 1 from key 1, which T2 wrote, but T2 was aborted");
}

#[test]
fn an_intermediate_read() {
    let findings =
        finds(&together([vec![w(1, 1), w(1, 2)], vec![get(1, 1)]]), &["G1b"], Model::ReadCommitted);
    tells(&findings, "G1b", "T1 read 1 from key 1, which T2 wrote, although T2 went on to write 2 to it");
}

#[test]
fn internal_inconsistencies() {
    let own = together([vec![w(1, 1), get(1, None)]]);
    let findings = finds(&own, &["internal"], Model::SnapshotIsolation);
    tells(&findings, "internal", "T1 read null from key 1, although it had written 1 to it itself");
    let twice = together([vec![w(1, 1)], vec![get(1, None), get(1, 1)]]);
    finds(&twice, &["internal", "G-single"], Model::RepeatableRead);
}

#[test]
fn a_future_read() {
    finds(&together([vec![get(1, 1), w(1, 1)]]), &["future-read"], Model::ReadCommitted);
}

#[test]
fn cyclic_versions() {
    let history = together([vec![get(1, 1), w(1, 2)], vec![get(1, 2), w(1, 1)]]);
    let findings = finds(&history, &["cyclic-versions", "G1c"], Model::ReadUncommitted);
    tells(
        &findings,
        "cyclic-versions",
        "the values of key 1 go round: T1 read 1 and wrote 2; T2 read 2 and wrote 1",
    );
}

#[test]
fn a_lost_update() {
    let history = together([vec![w(1, 1)], vec![get(1, 1), w(1, 2)], vec![get(1, 1), w(1, 3)]]);
    let findings = finds(&history, &["lost-update", "G2-item"], Model::CursorStability);
    tells(&findings, "lost-update", "T1 and T2 both read 1 from key 1; T1 then wrote 2 and T2 3");
    let initial = together([vec![get(1, None), w(1, 2)], vec![get(1, None), w(1, 3)]]);
    finds(&initial, &["lost-update", "G2-item"], Model::CursorStability);
}

/// Each of two transactions overwrites what the other one wrote, by way of a third and a fourth one.
#[test]
fn g0() {
    let history = together([vec![w(1, 1), get(2, 5), w(2, 6)], vec![get(1, 1), w(1, 2), w(2, 5)]]);
    let findings = finds(&history, &["G0", "G1c"], Model::ReadUncommitted);
    tells(&findings, "G0", "T2 wrote 2 to key 1 after T1's 1; but T1 wrote 6 to key 2 after T2's 5");
}

#[test]
fn g1c() {
    let history = together([vec![w(1, 1), get(2, 1)], vec![w(2, 1), get(1, 1)]]);
    let findings = finds(&history, &["G1c"], Model::ReadCommitted);
    tells(
        &findings,
        "G1c",
        "T2 read 1 from key 1, where T1 wrote 1; but T1 read 1 from key 2, where T2 wrote 1",
    );
}

#[test]
fn g_single() {
    let history = together([vec![w(1, 1), w(2, 1)], vec![get(1, None), get(2, 1)]]);
    let findings = finds(&history, &["G-single"], Model::RepeatableRead);
    let text = "T2 read 1 from key 2, where T1 wrote 1; but T2 read null from key 1 before T1 wrote 1";
    tells(&findings, "G-single", text);
}

#[test]
fn g_nonadjacent() {
    let history = together([
        vec![w(1, 1)],
        vec![w(2, 1)],
        vec![get(1, 1), get(2, None)],
        vec![get(2, 1), get(1, None)],
    ]);
    let findings = finds(&history, &["G-nonadjacent"], Model::RepeatableRead);
    assert!(findings.against(Model::SnapshotIsolation).next().is_some());
}

#[test]
fn g2_item_is_write_skew_and_snapshot_isolation_allows_it() {
    let history = together([vec![get(1, None), w(2, 1)], vec![get(2, None), w(1, 1)]]);
    let findings = finds(&history, &["G2-item"], Model::RepeatableRead);
    assert!(findings.against(Model::SnapshotIsolation).next().is_none());
}

#[test]
fn g1c_in_real_time() {
    let history = [run(0, 0, 10, vec![get(1, 1)]), run(1, 20, 30, vec![w(1, 1)])];
    finds(&history, &["G1c-realtime"], Model::StrongSnapshotIsolation);
}

#[test]
fn a_stale_read_is_g_single_in_real_time_and_in_its_process() {
    let history =
        |reader| [run(0, 0, 10, vec![get(1, None), w(1, 1)]), run(reader, 20, 30, vec![get(1, None)])];
    let findings = finds(&history(1), &["G-single-realtime"], Model::StrongSnapshotIsolation);
    let text = "T1 read null from key 1 before T2 wrote 1; but T2 ended before T1 began";
    tells(&findings, "G-single-realtime", text);
    let names = ["G-single-process", "G-single-realtime"];
    finds(&history(0), &names, Model::StrongSessionSnapshotIsolation);
}

/// Maelstrom passes it too. Nothing but the time tells that 2 came after 1, and neither infers versions from the time.
#[test]
fn a_stale_read_of_blind_writes_is_not_found() {
    let history =
        [run(0, 0, 10, vec![w(1, 1)]), run(0, 20, 30, vec![w(1, 2)]), run(1, 40, 50, vec![get(1, 1)])];
    assert_eq!(check(&history), Findings::default());
}
