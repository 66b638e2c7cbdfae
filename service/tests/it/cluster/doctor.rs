//! `counterd doctor` looks at NATS.

use async_nats::jetstream::{self, stream};
use tokio::runtime::Runtime;

use super::security::configuration;
use super::server::NatsServer;
use super::{node, wait_until_ready};
use crate::harness::{self, Setup};

/// What the doctor says of a node, and whether it fails.
fn report(url: &str, nats: &str, arguments: &[&str]) -> (String, bool) {
    let mut command = harness::command();
    command
        .args(["doctor", "--url", url, "--nats", nats, "--node", "n1", "--cluster", "shop"])
        .args(arguments);
    let output = command.output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), !output.status.success())
}

fn has(report: &str, line: &str) -> bool {
    report.lines().any(|found| found.starts_with(line))
}

#[test]
fn the_doctor_says_what_an_acknowledgement_means() {
    let Some(server) = NatsServer::start() else { return };
    let counterd = node("n1", &server.url).start();
    wait_until_ready(&counterd);
    let (text, has_failed) = report(&counterd.http, &server.url, &[]);
    assert!(!has_failed, "{text}");
    for line in [
        "ok    NATS: this node gets in",
        "ok    NATS version: the server that answers is 2.",
        "warn  NATS servers: 1: with fewer than three",
        "warn  copies: COUNTERD_shop has one. What is acknowledged does not survive the loss of its server",
        "warn  NATS syncs: not known: name the monitors",
    ] {
        assert!(has(&text, line), "{line}: {text}");
    }
    assert!(!text.contains("data: "), "the directory is not used: {text}");
    let (text, _) = report(&counterd.http, &server.url, &["--nats-monitor", &server.monitor]);
    assert!(has(&text, "warn  NATS syncs: s0 syncs every 2m"), "{text}");
    assert!(has(&text, "ok    clocks: that of s0 is like the one here"), "{text}");
    let (text, _) = report(&counterd.http, &server.url, &["--nats-monitor", &counterd.http]);
    assert!(has(&text, "warn  NATS monitor: "), "{text}");
}

#[test]
fn the_doctor_is_content_with_what_nats_config_prints() {
    let keys = tempfile::tempdir().unwrap();
    let text = configuration(&["--nodes", "n1", "--keys", keys.path().to_str().unwrap()]);
    let Some(server) = NatsServer::start_with("s0", &text, &[]) else { return };
    let key = keys.path().join("n1.nk");
    let key = ["--nats-creds", key.to_str().unwrap(), "--nats-monitor", &server.monitor];
    let (text, _) = report("http://127.0.0.1:1", &server.url, &key);
    assert!(has(&text, "ok    NATS syncs: s0 syncs what it acknowledges"), "{text}");
    assert!(has(&text, "ok    stream: there is none yet"), "{text}");
    let (text, has_failed) = report("http://127.0.0.1:1", &server.url, &[]);
    assert!(
        has_failed && has(&text, "FAIL  NATS: can't connect to NATS: they do not let this node in"),
        "{text}"
    );
}

#[test]
fn the_doctor_knows_a_stream_with_one_copy_on_three_servers() {
    let Some(servers) = NatsServer::start_cluster(3) else { return };
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(&servers[0].url).await.unwrap();
        let config = stream::Config {
            name: "COUNTERD_shop".into(),
            subjects: vec!["counterd.shop.store.>".into()],
            allow_direct: true,
            ..stream::Config::default()
        };
        let context = jetstream::new(client);
        // Until the servers have found each other, they make none.
        while context.create_stream(config.clone()).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    let (text, has_failed) = report("http://127.0.0.1:1", &servers[0].url, &[]);
    assert!(has_failed, "{text}");
    for line in [
        "ok    NATS servers: there are 3",
        "FAIL  stream: COUNTERD_shop has allow_direct: a server that has fallen behind could answer",
        "warn  copies: COUNTERD_shop has one, although there are 3 servers",
    ] {
        assert!(has(&text, line), "{line}: {text}");
    }
    let setup: Setup = node("n1", &servers[0].url);
    let refused = setup.try_start().err().expect("a node refuses it too");
    assert!(refused.log.contains("has allow_direct"), "{}", refused.log);
}
