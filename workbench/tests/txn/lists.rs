//! Planted anomalies of lists: each is found, and named rightly.

use workbench::txn::{Findings, HistoryError, Model, Transaction, TransactionOutcome, check_list_append};

use crate::script::{List, names, r, run, together, told, w, weakest, with};

fn check(history: &[Transaction<List>]) -> Findings {
    check_list_append(history).unwrap()
}

/// Nothing but these anomalies is found, and this is the weakest model that they break.
#[track_caller]
fn finds(history: &[Transaction<List>], expected: &[&str], model: Model) -> Findings {
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
        run(0, 0, 10, vec![r(1, &[]), w(1, 1)]),
        run(1, 20, 30, vec![r(1, &[1]), w(1, 2), r(1, &[1, 2]), w(2, 1)]),
        run(0, 40, 50, vec![r(2, &[1]), r(1, &[1, 2])]),
    ];
    assert_eq!(check(&history), Findings::default());
}

#[test]
fn an_unknown_transaction_may_have_happened_later_or_never() {
    let unknown = |ops| with(TransactionOutcome::Unknown, run(0, 0, 10, ops));
    let reads = [run(1, 20, 30, vec![r(1, &[])]), run(1, 40, 50, vec![r(1, &[1])])];
    let [early, late] = reads.clone();
    assert_eq!(check(&[unknown(vec![w(1, 1)]), early.clone(), late]), Findings::default());
    assert_eq!(check(&[unknown(vec![w(1, 1)]), early]), Findings::default());
    let gone = [unknown(vec![w(1, 1)]), reads[1].clone(), run(2, 60, 70, vec![r(1, &[])])];
    finds(&gone, &["G-single-realtime"], Model::StrongSnapshotIsolation);
}

#[test]
fn garbage() {
    let findings =
        finds(&together([vec![w(1, 1)], vec![r(1, &[1, 7])]]), &["garbage"], Model::ReadUncommitted);
    tells(&findings, "garbage", "T1 read 7 from key 1, which no transaction appended");
}

#[test]
fn an_element_of_another_key_is_garbage() {
    finds(&together([vec![w(1, 1)], vec![r(2, &[1])]]), &["garbage"], Model::ReadUncommitted);
}

#[test]
fn duplicate_elements() {
    let history = together([vec![w(1, 1), w(1, 2)], vec![r(1, &[1, 2, 1])]]);
    let findings = finds(&history, &["duplicate-elements"], Model::ReadUncommitted);
    tells(&findings, "duplicate-elements", "T1 read [1 2 1] from key 1, with 1 twice");
}

#[test]
fn an_aborted_read_and_a_dirty_update() {
    let aborted = with(TransactionOutcome::Aborted, run(0, 0, 100, vec![w(1, 1)]));
    let read = run(1, 0, 100, vec![r(1, &[1])]);
    let findings = finds(&[aborted.clone(), read], &["G1a"], Model::ReadCommitted);
    tells(&findings, "G1a", "T1 read 1 from key 1, which T2 appended, but T2 was aborted");
    let rest = [run(1, 0, 100, vec![w(1, 2)]), run(2, 0, 100, vec![r(1, &[1, 2])])];
    let findings = finds(&[&[aborted], &rest[..]].concat(), &["G1a", "dirty-update"], Model::ReadCommitted);
    tells(&findings, "dirty-update", "T2 appended 2 to key 1 behind T1's 1, but T1 was aborted");
}

#[test]
fn an_intermediate_read() {
    let history = together([vec![w(1, 1), w(1, 2)], vec![r(1, &[1])], vec![r(1, &[1, 2])]]);
    let findings = finds(&history, &["G1b"], Model::ReadCommitted);
    tells(&findings, "G1b", "T1 read key 1 up to T2's 1, although T2 went on to append 2 to it");
}

#[test]
fn incompatible_orders() {
    let history = together([vec![w(1, 1)], vec![w(1, 2)], vec![r(1, &[1, 2])], vec![r(1, &[2])]]);
    let findings = finds(&history, &["incompatible-order"], Model::ReadCommitted);
    let text = "T1 and T2 read key 1 in two orders: after 0 equal elements T1 has 1 and T2 has 2";
    tells(&findings, "incompatible-order", text);
}

#[test]
fn appends_of_one_transaction_stay_in_their_order() {
    let history = together([vec![w(1, 1), w(1, 2)], vec![r(1, &[2, 1])]]);
    let findings = finds(&history, &["G1b", "incompatible-order"], Model::ReadCommitted);
    let text = "T2 read 2 from key 1 without 1 before it, which T1 had appended first";
    assert_eq!(told(&findings, "incompatible-order")[0], text);
    let history = together([vec![w(1, 1), w(1, 2)], vec![r(1, &[2])]]);
    let findings = finds(&history, &["incompatible-order"], Model::ReadCommitted);
    assert!(findings.examples()[0].unread);
}

#[test]
fn a_future_read() {
    let findings = finds(&together([vec![r(1, &[1]), w(1, 1)]]), &["future-read"], Model::ReadCommitted);
    tells(&findings, "future-read", "T1 read [1] from key 1, and only then appended 1 itself");
}

#[test]
fn a_lost_update() {
    let history = together([
        vec![w(1, 1)],
        vec![r(1, &[1]), w(1, 2)],
        vec![r(1, &[1]), w(1, 3)],
        vec![r(1, &[1, 2, 3])],
    ]);
    let findings = finds(&history, &["lost-update", "G-single"], Model::CursorStability);
    let text = "T1 and T2 both read [1] from key 1; T1 then appended 2 and T2 3";
    tells(&findings, "lost-update", text);
}

#[test]
fn internal_inconsistencies() {
    let own = together([vec![w(1, 1), r(1, &[])]]);
    let findings = finds(&own, &["internal"], Model::SnapshotIsolation);
    tells(&findings, "internal", "T1 read [] from key 1, although it had appended 1 to it itself");
    let twice = together([vec![w(1, 1)], vec![r(1, &[]), r(1, &[1])]]);
    let findings = finds(&twice, &["internal", "G-single"], Model::RepeatableRead);
    tells(&findings, "internal", "T1 read [1] from key 1, although it had read [] from it itself");
}

#[test]
fn g0() {
    let history =
        together([vec![w(1, 1), w(2, 1)], vec![w(1, 2), w(2, 2)], vec![r(1, &[1, 2])], vec![r(2, &[2, 1])]]);
    let findings = finds(&history, &["G0"], Model::ReadUncommitted);
    tells(&findings, "G0", "T2 appended 2 to key 1 after T1's 1; but T1 appended 1 to key 2 after T2's 2");
}

/// The example of Elle's paper.
#[test]
fn g1c() {
    let history = together([vec![w(1, 1), r(2, &[1])], vec![w(1, 2), w(2, 1)], vec![r(1, &[1, 2])]]);
    let findings = finds(&history, &["G1c"], Model::ReadCommitted);
    tells(
        &findings,
        "G1c",
        "T2 read [1] from key 2, where T1 appended 1; but T1 appended 2 to key 1 after T2's 1",
    );
}

#[test]
fn g_single() {
    let history = together([vec![w(1, 1), w(2, 1)], vec![r(1, &[]), r(2, &[1])], vec![r(1, &[1])]]);
    let findings = finds(&history, &["G-single"], Model::RepeatableRead);
    let text = "T2 read [1] from key 2, where T1 appended 1; but T2 read [] from key 1 before T1 appended 1";
    tells(&findings, "G-single", text);
    assert!(findings.against(Model::SnapshotIsolation).next().is_some());
    assert!(findings.against(Model::CursorStability).next().is_none());
}

/// Two read skews that only together make a cycle: a long fork.
#[test]
fn g_nonadjacent() {
    let history =
        together([vec![w(1, 1)], vec![w(2, 1)], vec![r(1, &[1]), r(2, &[])], vec![r(2, &[1]), r(1, &[])]]);
    let findings = finds(&history, &["G-nonadjacent"], Model::RepeatableRead);
    assert!(findings.against(Model::SnapshotIsolation).next().is_some());
    assert_eq!(findings.examples()[0].steps.len(), 4);
}

#[test]
fn g2_item_is_write_skew_and_snapshot_isolation_allows_it() {
    let history =
        together([vec![r(1, &[]), w(2, 1)], vec![r(2, &[]), w(1, 1)], vec![r(1, &[1])], vec![r(2, &[1])]]);
    let findings = finds(&history, &["G2-item"], Model::RepeatableRead);
    assert!(findings.against(Model::SnapshotIsolation).next().is_none());
    let text = "T1 read [] from key 1 before T2 appended 1; but T2 read [] from key 2 before T1 appended 1";
    tells(&findings, "G2-item", text);
}

#[test]
fn g0_in_real_time() {
    let history =
        [run(0, 0, 10, vec![w(1, 1)]), run(1, 20, 30, vec![w(1, 2)]), run(2, 0, 100, vec![r(1, &[2, 1])])];
    let findings = finds(&history, &["G0-realtime"], Model::StrongSnapshotIsolation);
    tells(&findings, "G0-realtime", "T2 appended 1 to key 1 after T1's 2; but T2 ended before T1 began");
}

#[test]
fn g1c_in_real_time() {
    let history = [run(0, 0, 10, vec![r(1, &[1])]), run(1, 20, 30, vec![w(1, 1)])];
    let findings = finds(&history, &["G1c-realtime"], Model::StrongSnapshotIsolation);
    tells(
        &findings,
        "G1c-realtime",
        "T2 read [1] from key 1, where T1 appended 1; but T2 ended before T1 began",
    );
}

#[test]
fn a_stale_read_is_g_single_in_real_time_and_in_its_process() {
    let history = |reader| {
        [run(0, 0, 10, vec![w(1, 1)]), run(reader, 20, 30, vec![r(1, &[])]), run(2, 40, 50, vec![r(1, &[1])])]
    };
    let findings = finds(&history(1), &["G-single-realtime"], Model::StrongSnapshotIsolation);
    let text = "T1 read [] from key 1 before T2 appended 1; but T2 ended before T1 began";
    tells(&findings, "G-single-realtime", text);
    let names = ["G-single-process", "G-single-realtime"];
    let findings = finds(&history(0), &names, Model::StrongSessionSnapshotIsolation);
    let text = "T1 read [] from key 1 before T2 appended 1; but process 0 ran T2 before T1";
    tells(&findings, "G-single-process", text);
    assert!(findings.against(Model::Serializable).next().is_none());
}

/// Two write skews in a row, which only the time joins.
#[test]
fn g2_item_in_real_time() {
    let history = [
        run(0, 0, 100, vec![r(1, &[]), w(2, 1)]),
        run(1, 0, 20, vec![r(2, &[]), w(3, 1)]),
        run(2, 30, 100, vec![w(1, 1)]),
        run(3, 0, 200, vec![r(1, &[1])]),
        run(4, 0, 200, vec![r(2, &[1]), r(3, &[1])]),
    ];
    // T2 began after T1 had ended. T1 comes before T0 and T0 before T2, all as it should be.
    assert_eq!(check(&history), Findings::default());
    let mut turned = history;
    turned[2] = run(2, 0, 10, vec![w(1, 1)]);
    turned[1] = run(1, 30, 100, vec![r(2, &[]), w(3, 1)]);
    let findings = finds(&turned, &["G2-item-realtime"], Model::StrictSerializable);
    let text = "T1 read [] from key 2 before T2 appended 1; T2 read [] from key 1 before T3 appended 1; but T3 ended \
                before T1 began";
    tells(&findings, "G2-item-realtime", text);
}

#[test]
fn an_acknowledged_append_that_no_read_shows_is_told_apart() {
    let history =
        [run(0, 0, 10, vec![w(1, 1)]), run(0, 20, 30, vec![w(1, 2)]), run(1, 40, 50, vec![r(1, &[2])])];
    let findings = finds(
        &history,
        &["G0-process", "G0-realtime", "G-single-process", "G-single-realtime"],
        Model::StrongSessionSnapshotIsolation,
    );
    assert!(findings.examples().iter().all(|finding| finding.unread));
    let text =
        "T1 read [2] from key 1 before T2 appended 1 (which no read shows); but T2 ended before T1 began";
    tells(&findings, "G-single-realtime", text);
    let shown = [&history[..], &[run(2, 60, 70, vec![r(1, &[2, 1])])]].concat();
    assert!(check(&shown).examples().iter().all(|finding| !finding.unread));
    let stale =
        [run(3, 0, 10, vec![w(2, 1)]), run(4, 20, 30, vec![r(2, &[])]), run(5, 40, 50, vec![r(2, &[1])])];
    let both = check(&[&history[..], &stale].concat());
    let text = "T1 read [] from key 2 before T2 appended 1; but T2 ended before T1 began";
    assert_eq!(told(&both, "G-single-realtime"), [text], "what reads show comes first");
}

#[test]
fn identical_findings_are_one_and_their_number_is_bounded() {
    let aborted = with(TransactionOutcome::Aborted, run(0, 0, 10, (0..50).map(|key| w(key, 1)).collect()));
    let reads =
        (0..500).map(|number| run(1, number, number, vec![r(i64::try_from(number % 50).unwrap(), &[1])]));
    let history: Vec<_> = std::iter::once(aborted).chain(reads).collect();
    let findings = check(&history);
    assert_eq!(findings.counts().values().copied().collect::<Vec<_>>(), [500]);
    assert_eq!(findings.examples().iter().map(|finding| finding.count).collect::<Vec<_>>(), [10; 8]);
}

#[test]
fn a_finding_is_drawn_in_a_few_lines() {
    let history =
        [run(0, 0, 10, vec![w(1, 1)]), run(1, 20, 30, vec![r(1, &[])]), run(2, 0, 50, vec![r(1, &[1])])];
    let findings = check(&history);
    let drawing = "T1  process 1, 0.020 s to 0.030 s: read 1 []\n\
                   T2  process 0, 0.000 s to 0.010 s: append 1 1\n\
                   T1 --rw key 1--> T2 --realtime--> T1\n";
    assert_eq!(findings.examples()[0].drawing(), drawing);
}

#[test]
fn what_is_no_history_is_refused() {
    let twice = together([vec![w(1, 1)], vec![w(1, 1)]]);
    assert_eq!(check_list_append(&twice), Err(HistoryError::WrittenTwice { key: 1, value: 1 }));
    let mut backwards = together([vec![w(1, 1)]]);
    backwards[0].invoked = std::time::Duration::from_secs(9);
    assert_eq!(check_list_append(&backwards), Err(HistoryError::EndsBeforeItBegins { number: 0 }));
}

#[test]
fn models_have_the_names_of_maelstrom() {
    for model in Model::ALL {
        assert_eq!(model.name().parse::<Model>(), Ok(model));
    }
    assert_eq!("PL-2.99".parse::<Model>(), Ok(Model::RepeatableRead));
    let error = "linear".parse::<Model>().unwrap_err().to_string();
    assert!(error.starts_with("there is no consistency model \"linear\" here; there are read-uncommitted, "));
}
