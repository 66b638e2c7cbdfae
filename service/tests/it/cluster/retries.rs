//! Retries that reach another node than the first request.

use counterd::access::{Scope, new_token};
use serde_json::{Value, json};

use super::cut::Link;
use super::members::{member, wait_until_seen};
use super::server::NatsServer;
use super::{BOUND, node, wait_until_agreed, wait_until_ready};
use crate::harness::{Counterd, Setup, wait_until};
use crate::web::{Answer, send};

/// A change with a key, sent to one node, that another one may have got first.
struct Keyed {
    method: &'static str,
    path: &'static str,
    body: Value,
    key: &'static str,
}

impl Keyed {
    fn add(key: &'static str) -> Self {
        Self { method: "POST", path: "/v1/counters/views/add", body: json!({"delta": 3}), key }
    }

    fn send(&self, to: &Counterd, counter_node: Option<&str>) -> Answer {
        let mut headers = vec![("content-type", "application/json"), ("idempotency-key", self.key)];
        headers.extend(counter_node.map(|node| ("counter-node", node)));
        send(self.method, &format!("{}{}", to.http, self.path), &headers, &self.body.to_string())
    }
}

/// The answer to a change that counts: whether an earlier request did it.
fn is_replayed(answer: &Answer) -> bool {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("idempotency-replayed") == "true", answer.json()["replayed"] == true);
    answer.json()["replayed"] == true
}

/// Three nodes, each of which has heard the others. The first one has this way to the server.
fn three(server: &NatsServer, way_of_first: &str) -> ([Setup; 3], [Counterd; 3]) {
    let setups = [node("n1", way_of_first), node("n2", &server.url), node("n3", &server.url)];
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    wait_until_seen(&[&nodes[1], &nodes[2]], "n1", "alive");
    wait_until_seen(&[&nodes[0]], "n2", "alive");
    (setups, nodes)
}

/// How long ago a node has heard another one.
fn heard_ms(counterd: &Counterd, name: &str) -> u64 {
    member(counterd, name).unwrap()["heard_ms"].as_u64().unwrap()
}

#[test]
fn a_retry_through_another_node_counts_once() {
    let Some(server) = NatsServer::start() else { return };
    let (_setups, nodes) = three(&server, &server.url);
    let [first, second, third] = nodes.each_ref();
    let add = Keyed::add("k1");
    assert!(!is_replayed(&add.send(first, None)));
    for other in [second, third] {
        let answer = add.send(other, Some("n1"));
        assert!(is_replayed(&answer), "n1 has made it");
        assert_eq!((answer.header("counter-node"), &answer.json()["value"]), ("n1", &json!(3)));
    }
    assert!(is_replayed(&add.send(first, Some("n1"))), "the node that is named may be the one that is asked");

    // The first request may come through another node, too.
    let changes = [
        Keyed::add("k2"),
        Keyed {
            method: "POST",
            path: "/v1/batch",
            body: json!({"adds": [{"name": "views", "delta": 4}]}),
            key: "k3",
        },
        Keyed {
            method: "PUT",
            path: "/v1/counters/sold/sources/till",
            body: json!({"total": 41}),
            key: "k4",
        },
        Keyed { method: "POST", path: "/v1/counters/sold/reset", body: json!({}), key: "k5" },
    ];
    for change in &changes {
        assert!(!is_replayed(&change.send(third, Some("n1"))));
        assert!(is_replayed(&change.send(first, None)));
        assert!(is_replayed(&change.send(second, Some("n1"))));
    }
    assert_eq!(changes[3].send(second, Some("n1")).json()["value"], 41, "how much the reset has subtracted");
    wait_until_agreed(&[first, second, third], (10, 10));
    assert_eq!(first.value("sold"), 0);

    let reused = Keyed { body: json!({"delta": 4}), ..Keyed::add("k1") };
    reused.send(second, Some("n1")).problem(422, "key-reused");
    add.send(second, Some("not a name")).problem(400, "malformed");
    add.send(second, Some("nobody")).problem(503, "unavailable");
    wait_until_agreed(&[first, second, third], (10, 10));
}

/// Nobody listens for the node that was killed, and the server says so at once.
#[test]
fn a_retry_for_a_node_that_is_dead_is_refused_and_counts_once_later() {
    let Some(server) = NatsServer::start() else { return };
    let (setups, [first, second, third]) = three(&server, &server.url);
    let add = Keyed::add("k1");
    assert!(!is_replayed(&add.send(&first, None)));
    first.kill();
    // The server may not have noticed yet.
    wait_until(BOUND, "n1 is known to be dead", || add.send(&second, Some("n1")).status == 503);
    let problem = add.send(&second, Some("n1")).problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("only n1 knows"), "{problem}");
    let first = setups[0].start();
    wait_until(BOUND, "n1 is back", || add.send(&second, Some("n1")).status == 200);
    assert!(is_replayed(&add.send(&third, Some("n1"))), "n1 has found the key in the store");
    wait_until_agreed(&[&first, &second, &third], (3, 3));
}

/// Nobody can tell whether the node that is cut off gets the request.
#[test]
fn a_retry_for_a_node_that_is_cut_off_may_count_and_counts_once() {
    let Some(server) = NatsServer::start() else { return };
    let link = Link::to(server.url.trim_start_matches("nats://"));
    let (_setups, [first, second, third]) = three(&server, &format!("nats://{}", link.address));
    let add = Keyed::add("k1");
    link.cut();
    // Unless this test was held up for seconds, n1 was heard a moment ago.
    if heard_ms(&second, "n1") < 2_500 {
        add.send(&second, Some("n1")).problem(504, "indeterminate");
    }
    wait_until_seen(&[&second], "n1", "silent");
    add.send(&second, Some("n1")).problem(503, "unavailable");
    link.heal();
    wait_until(BOUND, "n1 is heard again", || add.send(&second, Some("n1")).status == 200);
    assert!(is_replayed(&add.send(&third, Some("n1"))));
    wait_until_agreed(&[&first, &second, &third], (3, 3));
}

#[test]
fn a_node_alone_knows_no_keys_of_others() {
    let counterd = Setup::new().with(&["--node", "n1"]).start();
    let add = Keyed::add("k1");
    assert!(!is_replayed(&add.send(&counterd, Some("n1"))));
    let problem = add.send(&counterd, Some("n2")).problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("n1, which is alone"), "{problem}");
    assert_eq!(counterd.value("views"), 3);
}

/// The node that has the key does not ask for a token: the one that passes the change on has.
#[test]
fn what_is_passed_on_needs_a_token_too() {
    let Some(server) = NatsServer::start() else { return };
    let tokens = [("shop", &[Scope::Add][..], "shop:"), ("reader", &[Scope::Read], "")];
    let tokens = tokens.map(|(name, scopes, prefix)| new_token(name, scopes, prefix).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens");
    std::fs::write(&file, tokens.each_ref().map(|token| token.line.clone()).join("\n")).unwrap();
    let setups = ["n1", "n2"].map(|name| node(name, &server.url).with(&["--tokens", file.to_str().unwrap()]));
    let [first, second] = setups.each_ref().map(Setup::start);
    [&first, &second].into_iter().for_each(wait_until_ready);
    let [shop, reader] = tokens.map(|token| format!("Bearer {}", token.secret));
    let ask = |method: &str, path: &str, bearer: Option<&str>| {
        let mut headers =
            vec![("content-type", "application/json"), ("idempotency-key", "k"), ("counter-node", "n1")];
        headers.extend(bearer.map(|bearer| ("authorization", bearer)));
        send(method, &format!("{}{path}", second.http), &headers, r#"{"delta": 3}"#)
    };
    let add = "/v1/counters/shop:views/add";
    wait_until(BOUND, "n2 hears n1", || ask("POST", add, Some(&shop)).status == 200);
    assert!(is_replayed(&ask("POST", add, Some(&shop))));
    ask("POST", add, None).problem(401, "token-missing");
    ask("POST", add, Some("Bearer a-guess")).problem(401, "token-missing");
    ask("POST", add, Some(&reader)).problem(403, "forbidden");
    ask("POST", "/v1/counters/views/add", Some(&shop)).problem(403, "forbidden");
    wait_until(BOUND, "n2 hears of it", || {
        ask("GET", "/v1/counters/shop:views", Some(&reader)).json()["value"] == 3
    });

    ask("GET", "/v1/cluster", None).problem(401, "token-missing");
    ask("GET", "/v1/cluster", Some(&shop)).problem(403, "forbidden");
    assert_eq!(ask("GET", "/v1/cluster", Some(&reader)).status, 200);
    let forget = "/v1/cluster/n1/forget";
    ask("POST", forget, None).problem(401, "token-missing");
    for bearer in [&shop, &reader] {
        ask("POST", forget, Some(bearer)).problem(403, "forbidden");
    }
}
