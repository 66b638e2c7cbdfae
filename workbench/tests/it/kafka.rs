//! Logs on one node, right and wrong.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use workbench::{Kafka, Report};

use crate::leader;

#[derive(Default)]
struct Logs {
    logs: BTreeMap<String, Vec<Value>>,
    committed: Map<String, Value>,
}

fn perform(logs: &mut Logs, body: &Value, _: u64) -> Value {
    match body["type"].as_str().unwrap() {
        "send" => {
            let log = logs.logs.entry(body["key"].as_str().unwrap().into()).or_default();
            log.push(body["msg"].clone());
            json!({"type": "send_ok", "offset": log.len() - 1})
        }
        "poll" => {
            let mut msgs = Map::new();
            for (key, from) in body["offsets"].as_object().unwrap() {
                let Some(log) = logs.logs.get(key) else { continue };
                let pairs = log.iter().enumerate().skip(usize::try_from(from.as_u64().unwrap()).unwrap());
                msgs.insert(
                    key.clone(),
                    pairs.take(5).map(|(offset, message)| json!([offset, message])).collect(),
                );
            }
            json!({"type": "poll_ok", "msgs": msgs})
        }
        "commit_offsets" => {
            for (key, offset) in body["offsets"].as_object().unwrap() {
                let known = logs.committed.get(key).and_then(Value::as_u64).unwrap_or(0);
                logs.committed.insert(key.clone(), json!(offset.as_u64().unwrap().max(known)));
            }
            json!({"type": "commit_offsets_ok"})
        }
        _ => json!({"type": "list_committed_offsets_ok", "offsets": logs.committed}),
    }
}

fn names(report: &Report) -> Vec<&str> {
    report.violations.anomalies().keys().map(String::as_str).collect()
}

#[test]
fn one_node_with_all_logs_is_valid_under_partitions() {
    for seed in 0..5 {
        let report = leader::run(&Kafka, seed, perform);
        assert!(report.valid && report.remarks.counts().is_empty(), "{report}");
        assert!(report.operations.timeouts > 0 && report.latencies.len() == 4, "{report}");
        assert!(report.final_reads.is_empty() && !report.to_string().contains("possible"), "{report}");
        assert!(!report.to_html().contains("What each node let read"));
    }
}

#[test]
fn a_log_that_loses_messages_is_caught() {
    let report = leader::run(&Kafka, 1, |logs: &mut Logs, body, count| {
        let answer = perform(logs, body, count);
        if count % 20 == 0 && body["type"] == "send" {
            let log = logs.logs.get_mut(body["key"].as_str().unwrap()).unwrap();
            *log.last_mut().unwrap() = json!("overwritten");
        }
        answer
    });
    let names = names(&report);
    assert!(
        ["lost-write", "inconsistent-offsets", "invented-message"].iter().all(|name| names.contains(name)),
        "{report}"
    );
    assert!(!report.valid);
}

#[test]
fn a_log_that_never_shows_its_last_message_is_caught() {
    let report = leader::run(&Kafka, 1, |logs: &mut Logs, body, count| {
        let mut answer = perform(logs, body, count);
        for pairs in
            answer.get_mut("msgs").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
        {
            pairs.as_array_mut().unwrap().pop();
        }
        answer
    });
    assert_eq!(names(&report), ["unseen"], "{report}");
}

#[test]
fn commits_that_are_forgotten_are_caught() {
    let forgets: leader::Perform<Logs> = |logs, body, count| {
        if count % 50 == 0 {
            logs.committed.clear();
        }
        perform(logs, body, count)
    };
    let report = leader::run(&Kafka, 1, forgets);
    assert_eq!(names(&report), ["commit-goes-back"], "{report}");
}
