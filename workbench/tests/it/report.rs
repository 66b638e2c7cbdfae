//! `report.html`: what is in it, and how a browser shows it. `tests/browser/report.mjs` has the checks of the browser.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use workbench::{Counter, Echo, Fault, Latency, LatencyShape, Machine, Plan, Report, simulate};

use crate::toy::{Bug, Toy};

/// Markup that ends a script and would begin another one.
const MARKUP: &str = "</script><script>window.hacked = 1</script><img src=x onerror=window.hacked=1>";

/// Echoes, but every fifth time something else.
struct Parrot(String, u64);

impl Machine for Parrot {
    fn receive(&mut self, _: Duration, line: &[u8], out: &mut Vec<u8>) {
        let message: Value = serde_json::from_slice(line).unwrap();
        let body = &message["body"];
        self.1 += 1;
        let mut answer = match body["type"].as_str() {
            Some("init") => {
                self.0 = body["node_id"].as_str().unwrap().into();
                json!({"type": "init_ok"})
            }
            _ if self.1.is_multiple_of(5) => json!({"type": "echo_ok", "echo": MARKUP}),
            _ => json!({"type": "echo_ok", "echo": body["echo"]}),
        };
        answer["in_reply_to"] = body["msg_id"].clone();
        writeln!(out, "{}", json!({"src": self.0, "dest": message["src"], "body": answer})).unwrap();
    }
}

fn faulty(bug: Bug, rate: f64) -> Report {
    let plan = Plan {
        rate,
        trace: true,
        latency: Latency { mean_ms: 30, shape: LatencyShape::Exponential },
        nemesis: [Fault::Partition, Fault::Kill, Fault::Pause].into(),
        ..Plan::new(&Counter::G, 3)
    };
    simulate(&plan, &mut Toy::factory(bug))
}

fn parrot() -> Report {
    let plan = Plan { trace: true, time_limit: Duration::from_secs(5), ..Plan::new(&Echo, 1) };
    simulate(&plan, &mut |_: Duration, _: usize, _: u64| {
        Box::new(Parrot(String::new(), 0)) as Box<dyn Machine>
    })
}

/// What the page gives to its script.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn at(finding: &Value) -> u64 {
    finding["at"].as_u64().unwrap()
}

/// Each violation has its mark and its messages, in a small run and in one that has far too many for a page.
#[test]
fn a_page_is_small_and_has_the_messages_around_each_violation() {
    for rate in [20.0, 8000.0] {
        let report = faulty(Bug::GoesBack, rate);
        let page = report.to_html();
        assert!(page.len() < 5_000_000, "{} bytes", page.len());
        let data = data(&page);
        let messages = data["messages"]["messages"].as_array().unwrap();
        let timed = report.violations.examples().iter().chain(report.remarks.examples());
        let findings = data["findings"].as_array().unwrap();
        assert_eq!(findings.len(), timed.filter(|it| it.at.is_some()).count());
        assert!(findings.len() > 3, "{findings:?}");
        for finding in findings {
            let place = messages.partition_point(|message| message[3].as_u64().unwrap() <= at(finding));
            let around = &messages[place.saturating_sub(7)..messages.len().min(place + 2)];
            let ids: Vec<u64> = around.iter().map(|message| message[0].as_u64().unwrap()).collect();
            assert!(
                ids.len() >= 7 && ids.windows(2).all(|pair| pair[0] + 1 == pair[1]),
                "{ids:?} at {finding}"
            );
        }
    }
}

#[test]
fn only_counters_have_a_chart_of_values() {
    assert!(faulty(Bug::Nothing, 20.0).to_html().contains("What each node let read"));
    assert!(!parrot().to_html().contains("What each node let read"));
}

#[test]
fn what_a_node_sent_is_no_markup() {
    let page = parrot().to_html();
    assert_eq!(page.matches("</script>").count(), 2, "that of the data, and that of the script");
    assert!(!page.contains("<img"));
    assert!(data(&page).to_string().contains("window.hacked = 1"), "it is there, as text");
}

/// A program that drives a browser. It is killed when it is dropped, and its browser ends with it.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _is_dead_already = self.0.kill();
        let _is_dead_already = self.0.wait();
    }
}

/// Says so where it is seen, and where the gate counts it.
#[expect(clippy::print_stderr, reason = "who runs the tests must see it")]
fn skip(reason: &str) {
    let line = format!("SKIPPED: {reason}");
    eprintln!("{line}");
    if let Some(path) = std::env::var_os("COUNTERD_TEST_SKIPS") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

/// The browser, and the directory of the packages of npm that the driver needs.
fn tools() -> Option<(PathBuf, PathBuf)> {
    let on_path = |program: &str| {
        let path = std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|path| path.join(program))
            .find(|it| it.is_file());
        path.or_else(|| {
            skip(&format!("{program} is not installed"));
            None
        })
    };
    let _node = on_path("node")?;
    let chromium = on_path("chromium")?;
    let directory = std::env::var_os("COUNTERD_TEST_TOOLS").map(PathBuf::from);
    let has =
        |package: &str| directory.as_ref().is_some_and(|it| it.join("node_modules").join(package).is_dir());
    if let Some(package) = ["playwright-core", "axe-core"].into_iter().find(|package| !has(package)) {
        skip(&format!("{package} is not in COUNTERD_TEST_TOOLS: `.ci/tools` installs it"));
        return None;
    }
    Some((chromium, directory?))
}

/// A directory that goes away with the test.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _is_gone_already = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_report_works_in_a_browser() {
    let Some((chromium, tools)) = tools() else { return };
    let scratch = Scratch(std::env::temp_dir().join(format!("workbench-report-{}", std::process::id())));
    std::fs::create_dir_all(&scratch.0).unwrap();
    let pages = [
        ("counter", faulty(Bug::GoesBack, 20.0)),
        ("echo", parrot()),
        ("large", faulty(Bug::GoesBack, 2000.0)),
    ];
    let files = pages.map(|(name, report)| {
        let path = scratch.0.join(format!("{name}.html"));
        std::fs::write(&path, report.to_html()).unwrap();
        path
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/report.mjs");
    let driver = Command::new("node")
        .arg(script)
        .arg(chromium)
        .args(files)
        .env("COUNTERD_TEST_TOOLS", tools)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    // The driver has a bound of its own.
    assert!(Driver(driver).0.wait().unwrap().success(), "the checks in tests/browser/report.mjs");
}
