//! A store that lies once, at any of its answers, in any way. And records that the node did not write.

use std::io::Read as _;

use maelstrom_counter::config::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::cluster::{Fate, Lie, Op, Violation};
use crate::harness::{Harness, ms};
use crate::pipes::Process;
use crate::script::{Incarnations, Step, Virtual};

const FIRST: &[Step] =
    &[Step::Ask(&[Op::Read, Op::Add]), Step::Ask(&[Op::Add, Op::Add]), Step::Ask(&[Op::Read])];
const SECOND: &[Step] =
    &[Step::Ask(&[Op::Read, Op::Add]), Step::Ask(&[Op::Add]), Step::Gossip, Step::Ask(&[Op::Read])];

/// Runs two incarnations, with one lie of the store. False if there were too few requests for the lie.
fn lied_to(config: &Config, nodes: usize, at_request: usize, lie: &Lie) -> Result<bool, Violation> {
    let mut seed = 0;
    let mut incarnations = Incarnations::new(nodes, || {
        seed += 1;
        Box::new(Virtual::start(config.clone(), seed))
    });
    incarnations.cluster.store.lie = Some((at_request, lie.clone()));
    incarnations.run(FIRST, None)?;
    incarnations.run(SECOND, None)?;
    incarnations.cluster.check_last_read()?;
    // With `durable`, a store that refuses counts as down. Then a peer's confirmation is enough, if there is a peer.
    if config.ack == AckPolicy::Store || nodes == 1 {
        incarnations.cluster.check_record()?;
    }
    match incarnations.cluster.adds.iter().position(|fate| *fate != Fate::Acknowledged) {
        Some(add) => Err(format!("add {add} is not acknowledged")),
        None => Ok(incarnations.cluster.store.requests() >= at_request),
    }
}

/// Answers that are never true.
fn wrong_answers() -> Vec<Value> {
    let values = [
        json!(null),
        json!({}),
        json!([]),
        json!("garbage"),
        json!(7),
        json!({"n0": 3}),
        json!({"n1#00000001": 1}),
        json!({"n0#00000001": 0}),
        json!({"n0#00000001": 1.5}),
        json!({"n0#00000001": 1e30}),
        json!({"n0#00000001": -1}),
        json!({"n0#00000001": "1"}),
        json!({"n0#00000001": [1]}),
        json!({"n0#00000001": {"n0#00000001": [{"a": null}]}}),
        json!({"n0#00000001": null, "": 0}),
    ];
    let codes = [
        json!(-1),
        json!(0),
        json!(11),
        json!(14),
        json!(20),
        json!(22),
        json!(9999),
        json!("x"),
        json!(null),
    ];
    let read = values.into_iter().map(|value| json!({"type": "read_ok", "value": value}));
    let errors = codes.into_iter().map(|code| json!({"type": "error", "code": code, "text": "no"}));
    let kinds =
        ["cas_ok", "write_ok", "read_ok", "gossip_ok", "add_ok", "frob"].map(|kind| json!({"type": kind}));
    read.chain(errors).chain(kinds).collect()
}

#[test]
fn a_lie_of_the_store_at_any_answer_loses_nothing_and_doubles_nothing() {
    let lies = [Lie::Silence, Lie::Late, Lie::Twice, Lie::Stale, Lie::Lowered];
    // No node can cope with a store that confirms a write that it has not done.
    let idle = wrong_answers().into_iter().filter(|answer| answer["type"] != "cas_ok").map(Lie::Idle);
    let lies: Vec<Lie> = wrong_answers().into_iter().map(Lie::Instead).chain(idle).chain(lies).collect();
    for ack in [AckPolicy::Store, AckPolicy::Durable] {
        let config = Config { ack, ..Config::default() };
        for (nodes, lie) in [1, 3].into_iter().flat_map(|nodes| lies.iter().map(move |lie| (nodes, lie))) {
            let mut at_request = 1;
            while lied_to(&config, nodes, at_request, lie).unwrap_or_else(|problem| {
                panic!("{ack:?}, {nodes} nodes, {lie:?} at {at_request}: {problem}")
            }) {
                at_request += 1;
            }
            assert!(at_request > 7, "{lie:?} was told {at_request} times");
        }
    }
}

/// A node, and the first request to its store.
fn asking(ack: AckPolicy) -> (Harness, Value) {
    let mut node = Harness::member(Config { ack, ..Config::default() }, 1);
    node.ask("c1", json!({"type": "read", "msg_id": 1}));
    let request = node.take_to("seq-kv").remove(0);
    (node, request)
}

#[test]
fn a_record_with_more_than_this_process_has_counted_confirms_nothing() {
    let (mut node, read) = asking(AckPolicy::Store);
    node.store_says(&read, json!({"type": "error", "code": 20, "text": "no"}));
    let record = node.let_record_be_written();
    let own = record.as_object().unwrap().keys().next().unwrap();
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 2}));
    let cas = node.take_to("seq-kv").remove(0);
    node.store_says(&cas, json!({"type": "error", "code": 22, "text": "no"}));
    let read = node.take_to("seq-kv").remove(0);
    node.store_says(&read, json!({"type": "read_ok", "value": {own: 1000}}));
    node.ask("c1", json!({"type": "add", "delta": 5, "msg_id": 3}));
    assert!(node.take_to("c1").iter().all(|answer| answer["type"] != "add_ok"), "nothing of it is stored");
    node.pass(ms(1000));
    let read = node.take_to("seq-kv").pop().unwrap();
    assert_eq!(
        read["type"], "read",
        "the node did not write this record: it leaves it alone, and reads it again"
    );
    node.store_says(&read, json!({"type": "read_ok", "value": record}));
    let written = node.let_record_be_written();
    assert_eq!(written[own], 8, "the false count is not merged");
    let answers = node.take_to("c1");
    assert_eq!(answers.iter().filter(|answer| answer["type"] == "add_ok").count(), 2, "{answers:?}");
}

#[test]
fn a_record_with_a_count_past_the_largest_is_left_alone() {
    let (mut node, read) = asking(AckPolicy::Store);
    let id = &read["msg_id"];
    let body =
        format!(r#"{{"type":"read_ok","in_reply_to":{id},"value":{{"n0#00000001":18446744073709551616}}}}"#);
    node.line(format!(r#"{{"src":"seq-kv","dest":"n0","body":{body}}}"#).as_bytes());
    node.pass(ms(1000));
    let requests = node.take_to("seq-kv");
    assert!(!requests.is_empty() && requests.iter().all(|request| request["type"] == "read"), "{requests:?}");
}

#[test]
fn once_garbage_is_gone_from_the_record_the_node_writes_it() {
    let removed = json!({"type": "error", "code": 20, "text": "no"});
    let repaired = json!({"type": "read_ok", "value": {"n0#00000001": 40}});
    for (answer, counted) in [(removed, vec![3]), (repaired, vec![3, 40])] {
        let (mut node, read) = asking(AckPolicy::Store);
        node.store_says(&read, json!({"type": "read_ok", "value": "garbage"}));
        node.pass(ms(2000));
        node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 2}));
        node.pass(ms(1000));
        let read = node.take_to("seq-kv").pop().unwrap();
        node.store_says(&read, answer);
        let record = node.let_record_be_written();
        let mut counts: Vec<_> = record.as_object().unwrap().values().filter_map(Value::as_i64).collect();
        counts.sort_unstable();
        if counts.len() == counted.len() && counts[0] == 0 {
            // The first write only gives the incarnation a row. Adds that waited are counted and written next.
            let cas = node.take_to("seq-kv").remove(0);
            node.store_says(&cas, json!({"type": "cas_ok"}));
            counts = cas["to"].as_object().unwrap().values().filter_map(Value::as_i64).collect();
            counts.sort_unstable();
        }
        assert_eq!(counts, counted);
        assert!(node.take_to("c1").iter().any(|answer| answer["type"] == "add_ok"));
    }
}

#[test]
fn garbage_in_the_store_is_an_error_in_the_log_and_the_node_serves() {
    let mut node = Process::member(&["--log", "error", "--ack", "durable"]);
    let mut stderr = node.stderr();
    node.say("c1", json!({"type": "read", "msg_id": 1}));
    let mut reads = 0;
    loop {
        let message = node.hear();
        let body = &message["body"];
        match (message["dest"].as_str(), body["type"].as_str()) {
            (Some("seq-kv"), kind) => {
                let mut answer = match kind {
                    Some("read") => json!({"type": "read_ok", "value": {"somebody": "else's"}}),
                    _ => json!({"type": "error", "code": 22, "text": "another value"}),
                };
                answer["in_reply_to"] = body["msg_id"].clone();
                node.say("seq-kv", answer);
                reads += usize::from(kind == Some("read") && body["key"] == "n0");
            }
            (Some("c1"), Some("read_ok")) => break,
            _ => panic!("{message}"),
        }
    }
    assert!(reads > 1, "it is looked at again");
    node.stdin = None;
    assert_eq!(node.end().0, Some(0));
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    assert!(log.contains("the record holds what this node did not write"), "{log}");
    assert!(log.contains("key=n0") && log.contains("somebody"), "{log}");
    assert_eq!(log.matches("the list of all nodes is left alone").count(), 1, "{log}");
}
