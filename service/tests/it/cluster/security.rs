//! Rights: what `counterd nats-config` gives is enough for a node, and not enough for a node that lies.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_nats::{Client, ConnectOptions, Event, ServerError};
use cluster::wire;
use futures_util::StreamExt;
use replica::{Claim, Frame, FrameId, ReplicaId, Rows, Tally};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::server::NatsServer;
use super::{BOUND, node, wait_until_agreed, wait_until_ready};
use crate::harness::{self, Counterd, Setup, wait_until};
use crate::redis::wire::Wire;

/// What `counterd nats-config` prints for the cluster `shop`.
pub(super) fn configuration(arguments: &[&str]) -> String {
    let output =
        harness::command().args(["nats-config", "--cluster", "shop"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A directory with the keys of three nodes, and the configuration for them.
fn three_nodes() -> (TempDir, String) {
    let keys = tempfile::tempdir().unwrap();
    let text = configuration(&["--nodes", "n1,n2,n3", "--keys", keys.path().to_str().unwrap()]);
    (keys, text)
}

fn key(keys: &Path, name: &str) -> String {
    keys.join(format!("{name}.nk")).to_str().unwrap().to_owned()
}

fn node_with_key(name: &str, server: &NatsServer, keys: &TempDir) -> Setup {
    node(name, &server.url).with(&["--nats-creds", &key(keys.path(), name)])
}

/// A client of NATS with the key of a node. It notes what the server refuses.
struct Insider {
    runtime: Runtime,
    client: Client,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Insider {
    fn with_key_of(name: &str, server: &NatsServer, keys: &TempDir) -> Self {
        let runtime = Runtime::new().unwrap();
        let seed = std::fs::read_to_string(key(keys.path(), name)).unwrap();
        let refused = Arc::new(Mutex::new(Vec::new()));
        let noted = refused.clone();
        let options = ConnectOptions::with_nkey(seed.trim().into()).event_callback(move |event| {
            if let Event::ServerError(ServerError::Other(text)) = event {
                noted.lock().unwrap().push(text);
            }
            async {}
        });
        let client = runtime.block_on(options.connect(&server.url)).unwrap();
        Self { runtime, client, refused }
    }

    fn publish(&self, subject: &str, message: Vec<u8>) {
        self.runtime.block_on(async {
            self.client.publish(subject.to_owned(), message.into()).await.unwrap();
            self.client.flush().await.unwrap();
        });
    }

    fn subscribe(&self, subject: &str) {
        self.runtime.block_on(async {
            let _subscriber = self.client.subscribe(subject.to_owned()).await.unwrap();
            self.client.flush().await.unwrap();
        });
    }

    /// Lets the stream send the first message on these subjects elsewhere, and waits until that is done. The second one is 0.
    async fn deliver(&self, subjects: &str, to: &str) {
        let inbox = "_INBOX_n2.next";
        let mut answers = self.client.subscribe("_INBOX_n2.>").await.unwrap();
        let request = serde_json::json!({ "stream_name": "COUNTERD_shop", "config": {
            "filter_subject": subjects, "ack_policy": "none", "deliver_policy": "all", "replay_policy": "instant" }});
        let create = "$JS.API.CONSUMER.CREATE.COUNTERD_shop";
        self.client.publish_with_reply(create, inbox, request.to_string().into()).await.unwrap();
        let made: serde_json::Value = serde_json::from_slice(&answers.next().await.unwrap().payload).unwrap();
        let next = format!("$JS.API.CONSUMER.MSG.NEXT.COUNTERD_shop.{}", made["name"].as_str().unwrap());
        for reply in [to, inbox] {
            self.client.publish_with_reply(next.clone(), reply.to_owned(), "1".into()).await.unwrap();
        }
        // The messages go out one after the other.
        assert_eq!(answers.next().await.unwrap().payload.as_ref(), [0]);
    }

    fn is_refused(&self, subject: &str) -> bool {
        self.refused.lock().unwrap().iter().any(|text| text.contains(&format!("\"{subject}\"")))
    }
}

fn add(counterd: &Counterd, amount: &str) {
    let reply = Wire::to(&counterd.redis).ask(&["INCRBY", "views", amount]);
    assert!(reply.starts_with(':'), "{reply}");
}

#[test]
fn the_document_has_each_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cluster.md");
    let document = std::fs::read_to_string(path).unwrap();
    for line in configuration(&["--nodes", "n1"]).lines() {
        let subject = line.rsplit_once(' ').unwrap().1;
        assert!(document.contains(&format!("`{subject}`")), "{line}");
    }
}

#[test]
fn nodes_count_with_the_rights_that_they_are_given() {
    let (keys, text) = three_nodes();
    let Some(server) = NatsServer::start_with("s0", &text, &[]) else { return };
    let setups = ["n1", "n2", "n3"].map(|name| node_with_key(name, &server, &keys));
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    for node in &nodes {
        add(node, "7");
    }
    wait_until_agreed(&nodes.each_ref(), (21, 21));
    // The next ones read what these have written.
    nodes.into_iter().for_each(Counterd::kill);
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    wait_until_agreed(&nodes.each_ref(), (21, 21));
    for setup in &setups {
        assert!(!setup.log().contains("refuses this node"), "{}", setup.log());
    }
}

#[test]
fn a_node_can_not_speak_in_the_name_of_another() {
    let (keys, text) = three_nodes();
    let Some(server) = NatsServer::start_with("s0", &text, &[]) else { return };
    let setup = node_with_key("n1", &server, &keys);
    let counterd = setup.start();
    wait_until_ready(&counterd);
    let insider = Insider::with_key_of("n2", &server, &keys);
    let forbidden = [
        "counterd.shop.to.n3.n1",
        "counterd.shop.hello.n1",
        "counterd.shop.store.n1.log.0.0",
        "counterd.shop.store.n1.fence",
        "$JS.API.STREAM.PURGE.COUNTERD_shop",
        "$JS.API.STREAM.DELETE.COUNTERD_shop",
        "$JS.API.STREAM.UPDATE.COUNTERD_shop",
        "$JS.API.STREAM.MSG.DELETE.COUNTERD_shop",
    ];
    let not_heard = ["counterd.shop.to.n1.*", "_INBOX_n1.>", ">"];
    for subject in forbidden {
        insider.publish(subject, vec![1]);
    }
    for subject in not_heard {
        insider.subscribe(subject);
    }
    for subject in forbidden.iter().chain(&not_heard) {
        wait_until(BOUND, subject, || insider.is_refused(subject));
    }
    add(&counterd, "7");
    assert_eq!(counterd.value("views"), 7);
}

/// The replica that a node counts under.
fn replica(counterd: &Counterd) -> ReplicaId {
    let url = format!("{}/v1/export", counterd.http);
    let export = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    let row = export.lines().find(|line| line.contains("complete_to")).unwrap();
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    row["replica"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_node_that_claims_too_much_of_another_is_named_by_it() {
    let (keys, text) = three_nodes();
    let Some(server) = NatsServer::start_with("s0", &text, &[]) else { return };
    let setup = node_with_key("n1", &server, &keys);
    let counterd = setup.start();
    wait_until_ready(&counterd);
    add(&counterd, "7");
    let insider = Insider::with_key_of("n2", &server, &keys);
    let row = Tally { up: 1_000_000, down: 0 }.row(replica(&counterd));
    let claim = Claim { rows: vec![row], ..Claim::default() };
    let frame = Frame { id: Some(FrameId(1)), ..Frame::new("0000002a".parse().unwrap(), claim) };
    for message in wire::messages(&frame, 1, 1 << 20).unwrap() {
        insider.publish("counterd.shop.to.n1.n2", message);
    }
    wait_until(BOUND, "the liar is named", || {
        setup
            .log()
            .lines()
            .any(|line| line.contains("claims more of this process") && line.contains("from=n2"))
    });
    assert_eq!(counterd.value("views"), 7);
}

/// Whoever reads the stream says where its messages are to go, and the server does not ask whether it may send there.
#[test]
fn a_message_of_the_stream_is_no_frame() {
    let (keys, text) = three_nodes();
    let Some(server) = NatsServer::start_with("s0", &text, &[]) else { return };
    let setup = node_with_key("n3", &server, &keys);
    let counterd = setup.start();
    wait_until_ready(&counterd);
    let insider = Insider::with_key_of("n2", &server, &keys);
    let message = |count| {
        let (mut rows, replica) = (Rows::default(), "n4#0000002a".parse().unwrap());
        rows.add(&replica, "views", count).unwrap();
        let claim = Claim { rows: rows.row_since(&replica, 0).into_iter().collect(), ..Claim::default() };
        let frame = Frame::new("0000002a".parse().unwrap(), claim);
        wire::messages(&frame, 1, 1 << 20).unwrap().remove(0)
    };
    insider.publish("counterd.shop.store.n2.n1", message(1_000_000));
    insider.publish("counterd.shop.store.n2.end", vec![0]);
    insider.runtime.block_on(insider.deliver("counterd.shop.store.n2.*", "counterd.shop.to.n3.n1"));
    insider.publish("counterd.shop.to.n3.n2", message(5));
    wait_until(BOUND, "a frame comes", || counterd.value("views") > 0);
    assert_eq!(counterd.value("views"), 5);
}

/// The configuration without the lines that have this text.
fn without(configuration: &str, right: &str) -> String {
    let lines: Vec<&str> = configuration.lines().filter(|line| !line.contains(right)).collect();
    assert!(lines.len() < configuration.lines().count(), "no line has {right}");
    lines.join("\n")
}

#[test]
fn a_right_that_is_missing_is_named() {
    let (keys, text) = three_nodes();
    for (right, problem) in [
        (
            "$JS.API.STREAM.INFO",
            "the right to publish to \"$JS.API.STREAM.INFO.COUNTERD_shop\": see docs/cluster.md",
        ),
        (
            "$JS.API.STREAM.CREATE",
            "the right to publish to \"$JS.API.STREAM.CREATE.COUNTERD_shop\": see docs/cluster.md",
        ),
        ("counterd.shop.to.n1.*", "the right to subscribe to \"counterd.shop.to.n1.*\": see docs/cluster.md"),
        ("_INBOX_n1", "the right to subscribe to \"_INBOX_n1."),
    ] {
        let Some(server) = NatsServer::start_with("s0", &without(&text, right), &[]) else { return };
        let refused = node_with_key("n1", &server, &keys).try_start().err().expect("it does not start");
        // The client of NATS may log after it.
        let told = refused.log.lines().find(|line| line.starts_with("counterd: ")).unwrap();
        assert!(told.contains(problem), "{}", refused.log);
    }
    let Some(server) = NatsServer::start_with("s0", &without(&text, "hello.n1"), &[]) else { return };
    let setup = node_with_key("n1", &server, &keys);
    let _counterd = setup.start();
    let problem = "NATS refuses this node the right to publish to \"counterd.shop.hello.n1\"";
    wait_until(BOUND, "the right is named", || setup.log().contains(problem));
}

#[test]
fn a_key_that_the_servers_do_not_know_is_refused() {
    let (keys, text) = three_nodes();
    let Some(server) = NatsServer::start_with("s0", &text, &[]) else { return };
    let other = tempfile::tempdir().unwrap();
    configuration(&["--nodes", "n1", "--keys", other.path().to_str().unwrap()]);
    for (file, problem) in [
        (key(other.path(), "n1"), "they do not let this node in"),
        ("/nowhere".to_owned(), "/nowhere can't be read"),
        (keys.path().to_str().unwrap().to_owned(), "can't be read"),
    ] {
        let setup = node("n1", &server.url).with(&["--nats-creds", &file]);
        let refused = setup.try_start().err().expect("it does not start");
        assert!(refused.log.contains(problem), "{}", refused.log);
    }
}

#[test]
fn a_password_opens_and_is_shown_nowhere() {
    let users = "authorization { users: [{ user: n1, password: \"pass,word\" }] }";
    let Some(server) = NatsServer::start_with("s0", users, &[]) else { return };
    let url = |password: &str| server.url.replace("nats://", &format!("nats://n1:{password}@"));
    let setup = node("n1", &url("pass%2Cword")).with(&["--log", "trace"]);
    let counterd = setup.start();
    wait_until_ready(&counterd);
    add(&counterd, "7");
    let log = setup.log();
    assert!(log.contains("nats://n1:*****@127.0.0.1") && log.contains(" DEBUG "), "{log}");
    let refused = node("n1", &url("another%2Cword")).with(&["--log", "trace"]).try_start().err().unwrap();
    assert!(refused.log.contains("they do not let this node in"), "{}", refused.log);
    let settings = ["config", "--cluster", "shop", "--node", "n1", "--nats", &url("pass%2Cword")];
    let printed = harness::command().args(settings).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("nats = \"nats://n1:*****@127.0.0.1"), "{printed}");
    for text in [log, refused.log, printed] {
        let shown = text.lines().find(|line| {
            line.contains("pass%2Cword") || line.contains("pass,word") || line.contains("another")
        });
        assert_eq!(shown, None);
    }
}
