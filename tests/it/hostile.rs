//! Hostile input: impossible names, numbers and claims, and too much of everything.

use std::io::Write;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::task::{Context, Poll};

use maelstrom_counter::config::{
    AckPolicy, Config, MAX_LINE, MAX_NAME, MAX_PENDING, MAX_RECORD, MAX_REPLICAS,
};
use maelstrom_counter::runtime::{Shutdown, serve};
use serde_json::{Value, json};
use tokio::io::AsyncWrite;

use crate::harness::{Harness, ms};

fn memory() -> Config {
    Config { ack: AckPolicy::Memory, ..Config::default() }
}

fn store() -> Config {
    Config { ack: AckPolicy::Store, ..Config::default() }
}

fn held(node: &Harness) -> usize {
    node.endpoint.node().state().map_or(0, |rows| rows.versions().counter().len())
}

/// Made-up replicas of `node`, one for each of these incarnations, with this count.
fn made_up(node: &str, incarnations: std::ops::Range<usize>, count: u64) -> Value {
    incarnations
        .map(|incarnation| (format!("{node}#{incarnation:08x}"), json!(count)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn gossip(msg_id: u64, counts: Value) -> Value {
    json!({"type": "gossip", "msg_id": msg_id, "epoch": "00000001", "counts": counts})
}

#[test]
fn a_name_that_no_node_can_have_is_refused() {
    let long = "n".repeat(MAX_NAME + 1);
    for name in ["", "seq-kv", "n0/barrier", "a\"b", "a\\b", "\0", "\n", &long] {
        for id in [name, "n0"] {
            let mut node = Harness::new(memory(), 1);
            let init = json!({"type": "init", "msg_id": 1, "node_id": id, "node_ids": ["n0", name]});
            assert_eq!(node.answers("c1", init)[0]["code"], 12, "{name:?}");
            assert!(node.endpoint.node().name().is_none());
        }
    }
    let longest = "ü#".repeat(MAX_NAME / 3);
    let mut node = Harness::new(memory(), 1);
    node.ask("c1", json!({"type": "init", "msg_id": 1, "node_id": longest, "node_ids": [longest]}));
    assert_eq!(node.answers("c1", json!({"type": "add", "msg_id": 2, "delta": 3}))[0]["type"], "add_ok");
}

#[test]
fn a_sender_with_an_impossible_name_is_neither_remembered_nor_answered() {
    let long = "c".repeat(MAX_NAME + 1);
    let mut node = Harness::member(store(), 1);
    for name in ["", &long] {
        assert!(node.answers(name, json!({"type": "frob", "msg_id": 1})).is_empty());
        node.ask(name, json!({"type": "add", "msg_id": 2, "delta": 3}));
    }
    assert_eq!(node.endpoint.node().value(), 0);
    let mut node = Harness::new(memory(), 1);
    let line = json!({"src": "c1", "dest": "n".repeat(1 << 20), "body": {"type": "read", "msg_id": 1}});
    node.line(line.to_string().as_bytes());
    assert_eq!(node.take()[0]["src"], "", "a name is repeated only if a node can have it");
}

#[test]
fn a_second_init_with_other_nodes_is_refused() {
    let mut node = Harness::member(memory(), 2);
    for (ids, kind) in [(json!(["n1", "n0"]), "init_ok"), (json!(["n0"]), "error")] {
        let init = json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ids});
        assert_eq!(node.answers("c1", init)[0]["type"], kind);
    }
}

#[test]
fn message_ids_may_be_any_that_fit_and_no_others() {
    let mut node = Harness::member(memory(), 2);
    for id in [i64::MIN, -1, 0, i64::MAX] {
        assert_eq!(node.answers("c1", json!({"type": "read", "msg_id": id}))[0]["in_reply_to"], id);
        let gossip = json!({"type": "gossip", "msg_id": id, "ack": id, "epoch": "00000001"});
        assert_eq!(node.answers("n1", gossip)[0]["in_reply_to"], id);
        node.ask("seq-kv", json!({"type": "cas_ok", "in_reply_to": id}));
        node.ask("n1", json!({"type": "gossip_ok", "in_reply_to": id, "epoch": "00000001"}));
    }
    for id in [json!(u64::MAX), json!(1.0), json!("1"), json!(null), json!([1])] {
        assert!(node.answers("c1", json!({"type": "read", "msg_id": id})).is_empty(), "{id}");
    }
}

/// Adds wait for the store. They are counted once the record is open, and wait for a commit. Before that they are not.
#[test]
fn the_number_of_pending_adds_is_bounded() {
    for is_opened in [true, false] {
        let mut node = Harness::member(store(), 1);
        node.ask("c9", json!({"type": "read", "msg_id": 1}));
        if is_opened {
            node.let_record_be_written();
        }
        for msg_id in 0..=MAX_PENDING {
            node.ask("c1", json!({"type": "add", "delta": 1, "msg_id": msg_id}));
        }
        let answers = node.take_to("c1");
        assert_eq!(answers.len(), 1, "{is_opened}");
        assert_eq!((&answers[0]["code"], &answers[0]["in_reply_to"]), (&json!(11), &json!(MAX_PENDING)));
    }
}

#[test]
fn the_largest_counts_add_up_exactly() {
    let mut node = Harness::member(memory(), 2);
    node.ask("n1", gossip(1, made_up("n2", 0..1000, u64::MAX)));
    let line = br#"{"src":"c1","dest":"n0","body":{"type":"read","msg_id":1}}"#;
    node.line(line);
    assert_eq!(node.take_to("c1")[0]["type"], "read_ok");
    assert_eq!(node.endpoint.node().value(), 1000 * i128::from(u64::MAX));
}

#[test]
fn a_record_with_more_than_this_process_has_counted_acknowledges_nothing_and_is_left_alone() {
    let mut node = Harness::member(store(), 2);
    node.let_record_be_written_after_first_read();
    node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": 1}));
    let cas = node.take_to("seq-kv").remove(0);
    let own = cas["to"].as_object().unwrap().keys().next().unwrap().clone();
    node.store_says(&cas, json!({"type": "error", "code": 22, "text": "somebody else wrote"}));
    let read = node.take_to("seq-kv").remove(0);
    node.store_says(&read, json!({"type": "read_ok", "value": {own.clone(): 1_000_000}}));
    node.ask("c2", json!({"type": "add", "delta": 4, "msg_id": 1}));
    for _ in 0..80 {
        for request in node.take_to("seq-kv") {
            assert_eq!(request["type"], "read", "a foreign record is not overwritten");
            node.store_says(&request, json!({"type": "read_ok", "value": {own.clone(): 1_000_000}}));
        }
        node.pass(ms(50));
    }
    assert_eq!(node.take_to("c1")[0]["code"], 0);
    assert_eq!(node.take_to("c2")[0]["code"], 11);
    assert_eq!(node.endpoint.node().counted().unwrap().number(), 3);
    assert_eq!(node.endpoint.node().value(), 0, "an unstored add is not shown");
}

/// The replicas that the node refuses as it confirms a peer's counts.
fn refused(node: &mut Harness, peer: &str, msg_id: u64, counts: &Value) -> usize {
    let answers = node.answers(peer, gossip(msg_id, counts.clone()));
    let confirms = |answer: &&Value| answer["type"] == "gossip_ok" && answer["in_reply_to"] == msg_id;
    let confirmation = answers.iter().find(confirms).expect("a confirmation");
    confirmation["refused"].as_array().map_or(0, Vec::len)
}

#[test]
fn replicas_past_the_bound_are_refused_by_name_while_the_known_ones_grow() {
    let mut node = Harness::member(memory(), 3);
    let too_many = made_up("n9", 0..MAX_REPLICAS + 1, 1);
    assert_eq!(refused(&mut node, "n1", 1, &too_many), 1);
    assert_eq!(held(&node), MAX_REPLICAS, "as many as there is room for");
    assert_eq!(refused(&mut node, "n1", 2, &made_up("n9", 0..MAX_REPLICAS, 1)), 0);
    let (more, known) = (made_up("n8", 0..1, 1), made_up("n9", 5..6, 10));
    let mut both = more.clone();
    both.as_object_mut().unwrap().extend(known.as_object().unwrap().clone());
    assert_eq!(refused(&mut node, "n2", 3, &both), 1, "n2 must not count it as known");
    assert_eq!(node.endpoint.node().value(), MAX_REPLICAS as i128 + 9, "the known one has grown");
    assert_eq!(refused(&mut node, "n2", 4, &known), 0);
    assert_eq!(node.answers("c1", json!({"type": "add", "delta": 3, "msg_id": 1}))[0]["type"], "add_ok");
    assert_eq!(held(&node), MAX_REPLICAS + 1, "there is always room for the own count");
    assert_eq!(refused(&mut node, "n2", 5, &known), 0, "also when the own row needs the last place");
    node.ask("n1", json!({"type": "gossip_ok", "in_reply_to": 7, "epoch": "00000001", "counts": more}));
    assert_eq!(held(&node), MAX_REPLICAS + 1);
}

#[test]
fn a_record_that_is_too_large_is_left_alone() {
    let long = format!(r#"{{"n0#00000001":1{}}}"#, " ".repeat(MAX_RECORD));
    let too_long: Value = serde_json::from_str(&long).unwrap();
    let records = [long, made_up("n0", 0..MAX_REPLICAS + 1, 1).to_string()];
    assert_eq!(too_long, json!({"n0#00000001": 1}), "a good record but for its length");
    for record in records {
        let mut node = Harness::member(store(), 1);
        node.ask("c1", json!({"type": "read", "msg_id": 1}));
        let read = node.take_to("seq-kv").remove(0);
        let id = &read["msg_id"];
        let answer = format!(
            r#"{{"src":"seq-kv","dest":"n0","body":{{"type":"read_ok","in_reply_to":{id},"value":{record}}}}}"#
        );
        node.line(answer.as_bytes());
        node.pass(ms(2000));
        assert!(node.take_to("seq-kv").iter().all(|request| request["type"] == "read"));
        assert_eq!(held(&node), 0);
    }
}

#[test]
fn the_largest_vector_and_the_largest_record_fit_in_a_line() {
    let name = "n".repeat(MAX_NAME);
    let mut node = Harness::new(memory(), 1);
    node.ask("c0", json!({"type": "init", "msg_id": 1, "node_id": name, "node_ids": [name, "n1"]}));
    let (counts, minus) =
        (made_up(&name, 0..MAX_REPLICAS, u64::MAX), made_up(&name, 0..MAX_REPLICAS, u64::MAX));
    let mut all = gossip(1, counts);
    all["minus"] = minus;
    node.ask("n1", all);
    assert_eq!(held(&node), MAX_REPLICAS);
    node.take();
    // A new incarnation of n1 must be told everything. The record is empty at first, and is written twice.
    node.ask("n1", json!({"type": "gossip", "msg_id": 2, "epoch": "00000002"}));
    let told = node.take_to("n1").remove(0).to_string().len();
    let mut longest_cas = 0;
    for round in 0..6 {
        node.ask("c1", json!({"type": "add", "delta": 3, "msg_id": round}));
        node.pass(ms(100));
        for request in node.take_to("seq-kv") {
            longest_cas = longest_cas.max(request.to_string().len());
            let answer = match request["type"].as_str() {
                Some("cas") => json!({"type": "cas_ok"}),
                _ => json!({"type": "error", "code": 20, "text": "no such key"}),
            };
            node.store_says(&request, answer);
        }
    }
    assert!(told > MAX_LINE / 2 && told < MAX_LINE, "{told}");
    assert!(longest_cas > MAX_LINE / 2 && longest_cas < MAX_LINE, "{longest_cas}");
}

/// Notes the longest write.
struct Widest(usize);

impl AsyncWrite for Widest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.0 = self.0.max(bytes.len());
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn short_lines_that_ask_for_long_answers_do_not_pile_up() {
    let nodes: Vec<_> = (0..500).map(|node| format!("n{node}")).collect();
    let init = json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": nodes});
    let mut lines = vec![("c1", init), ("n2", gossip(1, made_up("x9", 0..4000, 1)))];
    // Each is a node that knows nothing: it is told everything, some 80 KB.
    let greeting = json!({"type": "gossip", "msg_id": 1, "epoch": "00000001"});
    lines.extend(nodes.iter().skip(3).map(|node| (node.as_str(), greeting.clone())));
    let lines = lines.iter().map(|(src, body)| json!({"src": src, "dest": "n0", "body": body}).to_string());
    let input = lines.collect::<Vec<_>>().join("\n");
    let mut output = Widest(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shutdown = Shutdown::listen().unwrap();
        serve(memory(), input.as_bytes(), &mut output, shutdown).await.unwrap();
    });
    assert!(output.0 > 1 << 20 && output.0 < 2 << 20, "{} bytes in one write", output.0);
}

#[test]
fn bad_lines_do_not_fill_the_log() {
    let mut node = Command::new(env!("CARGO_BIN_EXE_maelstrom-counter"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = node.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all("garbage\n".repeat(10_000).as_bytes()));
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let lines = String::from_utf8_lossy(&output.stderr).lines().count();
    assert!((100..=110).contains(&lines), "{lines} lines in the log");
}
