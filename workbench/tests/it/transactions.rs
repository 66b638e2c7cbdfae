//! Databases on one node, right and wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use workbench::{Database, Report};

use crate::leader;

/// Each key with all values that were written to it.
type Store = BTreeMap<i64, Vec<Value>>;

fn ops(body: &Value) -> Vec<Value> {
    body["txn"].as_array().unwrap().clone()
}

/// Does all operations at once.
fn perform(store: &mut Store, ops: Vec<Value>, shows: fn(&[Value]) -> Value) -> Value {
    let done = ops.into_iter().map(|mut op| {
        let values = store.entry(op[1].as_i64().unwrap()).or_default();
        if op[0] == "r" {
            op[2] = if values.is_empty() { Value::Null } else { shows(values) };
        } else {
            values.push(op[2].clone());
        }
        op
    });
    json!({"type": "txn_ok", "txn": done.collect::<Vec<_>>()})
}

fn list(values: &[Value]) -> Value {
    json!(values)
}

fn last(values: &[Value]) -> Value {
    values.last().unwrap().clone()
}

fn aborts() -> Value {
    json!({"type": "error", "code": 30, "text": "conflict"})
}

fn names(report: &Report) -> Vec<&str> {
    report.violations.anomalies().keys().map(String::as_str).collect()
}

#[test]
fn one_node_that_does_one_transaction_after_the_other_is_valid_under_partitions() {
    for seed in 0..5 {
        let lists = leader::run(&Database::Lists, seed, |store: &mut Store, body, count| {
            if count % 10 == 0 { aborts() } else { perform(store, ops(body), list) }
        });
        let registers = leader::run(&Database::Registers, seed, |store: &mut Store, body, count| {
            if count % 10 == 0 { aborts() } else { perform(store, ops(body), last) }
        });
        for report in [lists, registers] {
            assert!(report.valid && report.remarks.counts().is_empty(), "{report}");
            assert!(report.operations.timeouts > 0 && report.operations.refused > 100, "{report}");
        }
    }
}

#[test]
fn a_database_that_aborts_and_appends_all_the_same_is_caught() {
    let report = leader::run(&Database::Lists, 1, |store: &mut Store, body, count| {
        let answer = perform(store, ops(body), list);
        if count % 10 == 0 { aborts() } else { answer }
    });
    assert!(names(&report).contains(&"G1a"), "{report}");
}

#[test]
fn a_database_that_loses_appends_is_caught() {
    let report = leader::run(&Database::Lists, 1, |store: &mut Store, body, count| {
        let before = store.clone();
        let answer = perform(store, ops(body), list);
        if count % 10 == 0 {
            *store = before;
        }
        answer
    });
    assert!(names(&report).iter().any(|name| name.ends_with("-realtime")), "{report}");
    let cycle = report.violations.examples().iter().find(|found| found.text.contains("--> T1")).unwrap();
    assert!(
        cycle.at.is_some() && cycle.text.contains("T1: n") && cycle.text.contains("process"),
        "{}",
        cycle.text
    );
}

#[test]
fn a_database_that_reads_before_it_writes_is_caught() {
    let report = leader::run(&Database::Registers, 1, |store: &mut Store, body, _| {
        let mut before = store.clone();
        perform(store, ops(body), last);
        let reads = ops(body).into_iter().map(|op| {
            let read = perform(&mut before, vec![json!(["r", op[1], null])], last);
            if op[0] == "r" { read["txn"][0].clone() } else { op }
        });
        json!({"type": "txn_ok", "txn": reads.collect::<Vec<_>>()})
    });
    assert!(names(&report).contains(&"internal"), "{report}");
}
