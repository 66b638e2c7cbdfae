//! The dashboard, as a browser shows it. `tests/browser/dashboard.mjs` has the checks; this file runs it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use counterd::access::{Scope, new_token};
use serde_json::{Value, json};

use crate::cluster;
use crate::cluster::server::NatsServer;
use crate::harness::{Counterd, Setup, is_missing, skip};

/// A browser's driver. It is killed when it is dropped, and its browser ends with it.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _is_dead_already = self.0.kill();
        let _is_dead_already = self.0.wait();
    }
}

/// The directory of the packages of npm that the driver needs, or none.
fn tools() -> Option<PathBuf> {
    let directory = std::env::var_os("COUNTERD_TEST_TOOLS").map(PathBuf::from);
    let has = |package: &str| {
        directory.as_ref().is_some_and(|path| path.join("node_modules").join(package).is_dir())
    };
    let missing = ["playwright-core", "axe-core"].into_iter().find(|package| !has(package));
    match missing {
        Some(package) => {
            skip(&format!("{package} is not in COUNTERD_TEST_TOOLS: `.ci/tools` installs it"));
            None
        }
        None => directory,
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|path| path.join(program)).find(|path| path.is_file())
}

/// The nodes n1, n2 and two processes n4, which know n3. That was killed, and lacks a change of n1.
struct Cluster {
    nodes: [Counterd; 4],
    _setups: Vec<Setup>,
    _server: NatsServer,
}

impl Cluster {
    /// `None` without NATS.
    fn start() -> Option<Self> {
        let server = NatsServer::start()?;
        let setups: Vec<_> =
            ["n1", "n2", "n4", "n4", "n3"].map(|name| cluster::node(name, &server.url)).into();
        let third = setups[4].start();
        let nodes = [0, 1, 2, 3].map(|place| setups[place].start());
        nodes.iter().chain([&third]).for_each(cluster::wait_until_ready);
        cluster::members::wait_until_seen(&[&nodes[0]], "n3", "alive");
        third.kill();
        cluster::members::wait_until_seen(&[&nodes[0]], "n3", "silent");
        let url = format!("{}/v1/counters/views/add", nodes[0].http);
        ureq::post(url).send_json(json!({"delta": 5})).unwrap();
        Some(Self { nodes, _setups: setups, _server: server })
    }
}

#[test]
fn the_dashboard_works_in_a_browser() {
    if ["node", "chromium"].into_iter().any(is_missing) {
        return;
    }
    let Some(tools) = tools() else { return };
    let directory = tempfile::tempdir().unwrap();
    let token = new_token("browser", &[Scope::Add, Scope::Read], "").unwrap();
    let file = directory.path().join("tokens");
    std::fs::write(&file, &token.line).unwrap();
    let plain = Setup::new().start();
    let guarded = Setup::new().with(&["--tokens", file.to_str().unwrap()]).start();
    let risky = Setup::new().with(&["--ack", "memory"]).start();
    let cluster = Cluster::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/dashboard.mjs");
    let driver = Command::new("node")
        .arg(script)
        .arg(on_path("chromium").unwrap())
        .args([&plain.http, &guarded.http, &token.secret, &risky.http])
        .args(cluster.iter().flat_map(|cluster| [&cluster.nodes[0].http, &cluster.nodes[2].http]))
        .env("COUNTERD_TEST_TOOLS", tools)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    // The driver has a bound of its own.
    assert!(Driver(driver).0.wait().unwrap().success(), "the checks in {}", "tests/browser/dashboard.mjs");
}

#[test]
fn the_page_comes_with_a_policy() {
    let counterd = Setup::new().start();
    let mut page = ureq::get(&counterd.http).call().unwrap();
    let header = |name| page.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(page.body_mut().read_to_string().unwrap().contains("<title>counterd</title>"));
}

fn status(http: &str) -> Value {
    ureq::get(format!("{http}/v1/status")).call().unwrap().body_mut().read_json().unwrap()
}

#[test]
fn the_status_tells_how_the_node_is_doing() {
    let counterd = Setup::new().with(&["--node", "n7"]).start();
    for _ in 0..3 {
        ureq::post(format!("{}/v1/counters/views/add", counterd.http))
            .send_json(json!({"delta": 5}))
            .unwrap();
    }
    let status = status(&counterd.http);
    assert_eq!((&status["node"], &status["ack"]), (&json!("n7"), &json!("durable")));
    assert_eq!((&status["ready"], &status["reason"]), (&json!(true), &Value::Null));
    assert_eq!(status["durability"], "stored");
    assert_eq!((&status["counters"], &status["unstored"]), (&json!(1), &json!(0)));
    assert_eq!(status["commits"]["changes"], 3);
    assert_eq!(status["requests"]["done"], 3);
    assert!(status["commits"]["count"].as_u64() >= Some(1), "{status}");
    assert!(status["commits"]["seconds"].as_f64() > Some(0.0), "{status}");
    assert!(status["database_bytes"].as_u64() > Some(0), "{status}");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
}
