//! Checks of the NATS servers of a cluster: whether an acknowledgement means what it seems to.

use std::time::Duration;

use cluster::nats::{Inspection, StreamState, inspect};
use humantime::{format_duration, parse_rfc3339};
use serde::Deserialize;
use ureq::Agent;

use super::{Report, Verdict};
use crate::clock;
use crate::config::Config;

/// How long to look for a server.
const WITHIN: Duration = Duration::from_secs(5);

/// Clocks that differ by more than this are wrong.
const APART: Duration = Duration::from_secs(2);

/// The oldest release of NATS that nodes are tested with.
const OLDEST: (u64, u64) = (2, 12);

/// How many bytes a server may tell of itself.
const MAX_ANSWER: u64 = 4 << 20;

pub(super) fn check(config: &Config, monitors: &[String], report: &mut Report) {
    match look(config) {
        Ok(inspection) => check_servers(&inspection, report),
        Err(problem) => report.add(Verdict::Fail, "NATS", &problem),
    }
    if monitors.is_empty() {
        let text = "not known: name the monitors of all servers with --nats-monitor. By default a server syncs every two minutes, and \
                    adds of that time are gone if all lose their power at once";
        report.add(Verdict::Warn, "NATS syncs", text);
    }
    for monitor in monitors {
        match ask(monitor) {
            Ok(server) => check_server(&server, report),
            Err(problem) => report.add(Verdict::Warn, "NATS monitor", &format!("{monitor}: {problem}")),
        }
    }
}

fn look(config: &Config) -> Result<Inspection, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("can't start: {error}"))?;
    let settings = cluster::Settings { join_within: Some(WITHIN), ..config.of_cluster() };
    let node = config.node.as_deref().unwrap_or_default();
    runtime.block_on(inspect(&settings, node)).map_err(|error| error.to_string())
}

fn check_servers(inspection: &Inspection, report: &mut Report) {
    report.add(Verdict::Ok, "NATS", "this node gets in");
    check_version("the server that answers", &inspection.version, report);
    match inspection.servers {
        servers @ 0..3 => {
            let text = format!(
                "{servers}: with fewer than three nothing can be stored once one is lost. Peers acknowledge then"
            );
            report.add(Verdict::Warn, "NATS servers", &text);
        }
        servers => report.add(Verdict::Ok, "NATS servers", &format!("there are {servers}")),
    }
    match &inspection.stream {
        Some(stream) => check_stream(stream, inspection.servers, report),
        None => report.add(Verdict::Ok, "stream", "there is none yet: the first node makes it"),
    }
}

fn check_stream(stream: &StreamState, servers: usize, report: &mut Report) {
    let StreamState { name, fault, copies, behind } = stream;
    if let Some(fault) = fault {
        report.add(Verdict::Fail, "stream", &format!("{name} {fault}"));
    }
    match copies {
        1 if servers > 1 => {
            let text = format!(
                "{name} has one, although there are {servers} servers. If that one is lost, so is all that it stored: raise it (nats stream \
                 edit {name} --replicas 3)"
            );
            report.add(Verdict::Warn, "copies", &text);
        }
        1 => {
            let text =
                format!("{name} has one. What is acknowledged does not survive the loss of its server");
            report.add(Verdict::Warn, "copies", &text);
        }
        copies => report.add(Verdict::Ok, "copies", &format!("{name} has {copies}")),
    }
    if !behind.is_empty() {
        let text = format!(
            "not up to date, or not there: {}. What is acknowledged has fewer copies until they are back",
            behind.join(", ")
        );
        report.add(Verdict::Warn, "copies behind", &text);
    }
}

/// What a server tells of itself.
#[derive(Debug, Deserialize)]
struct Server {
    #[serde(rename = "server_name")]
    name: String,
    version: String,
    now: String,
    jetstream: Option<JetStream>,
}

#[derive(Debug, Deserialize)]
struct JetStream {
    config: Option<JetStreamConfig>,
}

#[derive(Debug, Deserialize)]
struct JetStreamConfig {
    /// In nanoseconds.
    #[serde(default)]
    sync_interval: u64,
    #[serde(default)]
    sync_always: bool,
}

fn ask(monitor: &str) -> Result<Server, String> {
    let agent: Agent = Agent::config_builder().timeout_global(Some(WITHIN)).build().into();
    let answer = agent.get(format!("{}/varz", monitor.trim_end_matches('/'))).call();
    let mut answer = answer.map_err(|error| format!("no answer: {error}"))?;
    let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
    let text = text.map_err(|error| format!("no answer: {error}"))?;
    serde_json::from_str(&text).map_err(|_| "it is no monitor of a nats-server: start it with -m 8222".into())
}

fn check_server(server: &Server, report: &mut Report) {
    let Server { name, version, now, jetstream } = server;
    check_version(name, version, report);
    let name = name.escape_debug();
    match jetstream.as_ref().and_then(|jetstream| jetstream.config.as_ref()) {
        Some(JetStreamConfig { sync_always: true, .. }) => {
            report.add(Verdict::Ok, "NATS syncs", &format!("{name} syncs what it acknowledges"));
        }
        Some(JetStreamConfig { sync_interval, .. }) => {
            let text = format!(
                "{name} syncs every {}: adds of that time are gone if all servers lose their power at once. Set sync_interval: always \
                 in the block jetstream",
                format_duration(Duration::from_nanos(*sync_interval))
            );
            report.add(Verdict::Warn, "NATS syncs", &text);
        }
        None => {
            report.add(Verdict::Warn, "NATS syncs", &format!("{name} has no JetStream: it stores nothing"));
        }
    }
    match apart(now) {
        Some(apart) if apart > APART => {
            let text = format!(
                "that of {name} differs from the one here by {}: set both (NTP)",
                format_duration(apart)
            );
            report.add(Verdict::Warn, "clocks", &text);
        }
        Some(_) => report.add(Verdict::Ok, "clocks", &format!("that of {name} is like the one here")),
        None => report.add(Verdict::Warn, "clocks", &format!("{name} does not tell its time")),
    }
}

/// How far a time is from now, in whole milliseconds.
fn apart(time: &str) -> Option<Duration> {
    let there = parse_rfc3339(time).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let apart = clock::unix_time().abs_diff(there);
    Some(Duration::from_millis(u64::try_from(apart.as_millis()).ok()?))
}

fn check_version(whose: &str, version: &str, report: &mut Report) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0_u64));
    let release = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (whose, version) = (whose.escape_debug(), version.escape_debug());
    if release < OLDEST {
        let text = format!("{whose} is {version}: use 2.12 or later");
        report.add(Verdict::Warn, "NATS version", &text);
    } else {
        report.add(Verdict::Ok, "NATS version", &format!("{whose} is {version}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(check: impl FnOnce(&mut Report)) -> String {
        let mut report = Report::default();
        check(&mut report);
        report.lines
    }

    fn stream(copies: usize, behind: &[&str]) -> StreamState {
        let behind = behind.iter().map(ToString::to_string).collect();
        StreamState { name: "COUNTERD_shop".into(), fault: None, copies, behind }
    }

    /// A server as it tells of itself.
    fn server(version: &str, now: &str, jetstream: &str) -> Server {
        let text = format!(
            r#"{{"server_name": "s1", "version": "{version}", "now": "{now}", "jetstream": {jetstream}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn copies_are_counted_and_compared() {
        let three = lines(|report| check_stream(&stream(3, &[]), 3, report));
        assert_eq!(three, "ok    copies: COUNTERD_shop has 3\n");
        let one = lines(|report| check_stream(&stream(1, &[]), 3, report));
        assert!(
            one.starts_with("warn  copies: COUNTERD_shop has one, although there are 3 servers"),
            "{one}"
        );
        let behind = lines(|report| check_stream(&stream(3, &["s2", "s3"]), 3, report));
        assert!(behind.contains("\nwarn  copies behind: not up to date, or not there: s2, s3. "), "{behind}");
    }

    #[test]
    fn a_fault_of_the_stream_fails() {
        let mut report = Report::default();
        let stream = StreamState { fault: Some("has no_ack".into()), ..stream(3, &[]) };
        check_stream(&stream, 3, &mut report);
        assert!(report.has_failed && report.lines.starts_with("FAIL  stream: COUNTERD_shop has no_ack\n"));
    }

    #[test]
    fn each_server_is_checked() {
        let now = humantime::format_rfc3339(std::time::UNIX_EPOCH + clock::unix_time()).to_string();
        let synced = r#"{"config": {"sync_always": true}}"#;
        for (server, line) in [
            (server("2.12.1", &now, synced), "ok    NATS version: s1 is 2.12.1\n"),
            (server("2.11.9", &now, synced), "warn  NATS version: s1 is 2.11.9: use 2.12 or later\n"),
            (server("odd", &now, synced), "warn  NATS version: s1 is odd: "),
            (server("2.12.1", &now, synced), "ok    NATS syncs: s1 syncs what it acknowledges\n"),
            (
                server("2.12.1", &now, r#"{"config": {"sync_interval": 120000000000}}"#),
                "warn  NATS syncs: s1 syncs every 2m: ",
            ),
            (server("2.12.1", &now, "{}"), "warn  NATS syncs: s1 has no JetStream"),
            (server("2.12.1", &now, "null"), "warn  NATS syncs: s1 has no JetStream"),
            (server("2.12.1", &now, synced), "ok    clocks: that of s1 is like the one here\n"),
            (server("2.12.1", "2001-01-01T00:00:00Z", synced), "warn  clocks: that of s1 differs"),
            (server("2.12.1", "noon", synced), "warn  clocks: s1 does not tell its time\n"),
        ] {
            let text = lines(|report| check_server(&server, report));
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
