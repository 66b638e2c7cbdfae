//! Checks of what the server measures.

use std::collections::BTreeMap;

use super::{Report, Verdict};

/// A log that is not folded into rows should be shorter than this.
const LONG_LOG: f64 = 64.0 * 1024.0 * 1024.0;

pub(super) fn check(text: &str, report: &mut Report) {
    let samples = read(text);
    let value = |name: &str| samples.get(name).copied();
    check_version(text, report);
    if text.contains("counterd_settings_info{ack=\"memory\"}") {
        let text = "memory: a crash loses the last adds. Set ack to durable if they matter";
        report.add(Verdict::Warn, "ack", text);
    } else {
        report.add(Verdict::Ok, "ack", "an add is stored before it is acknowledged");
    }
    match value("counterd_store_up") {
        Some(1.0) => report.add(Verdict::Ok, "store", "the database takes commits"),
        Some(_) => {
            report.add(
                Verdict::Fail,
                "store",
                "the database takes no commits: look at the log of the server",
            );
        }
        None => {
            report.add(Verdict::Fail, "store", "the server does not tell: is it a counterd of this version?");
        }
    }
    let count = |name: &str| value(name).unwrap_or_default();
    match count("counterd_store_errors_total") {
        errors if errors > 0.0 => {
            let text =
                format!("{errors} requests were not done since the start: look at the log of the server");
            report.add(Verdict::Warn, "store errors", &text);
        }
        _ => report.add(Verdict::Ok, "store errors", "none since the start"),
    }
    match count("counterd_unfolded_bytes") {
        bytes if bytes > LONG_LOG => {
            let text = "more than 64 MiB are not folded into rows: the disk is too slow for this load, and a start takes longer";
            report.add(Verdict::Warn, "log of commits", text);
        }
        _ => report.add(Verdict::Ok, "log of commits", "it is short"),
    }
}

fn check_version(text: &str, report: &mut Report) {
    let ours = env!("CARGO_PKG_VERSION");
    let theirs = text.split_once("counterd_build_info{version=\"").and_then(|(_, rest)| rest.split_once('"'));
    match theirs.map(|(version, _)| version) {
        Some(version) if version == ours => report.add(Verdict::Ok, "version", ours),
        Some(version) => {
            let text = format!("the server is {}, and this program {ours}", version.escape_debug());
            report.add(Verdict::Warn, "version", &text);
        }
        None => report.add(Verdict::Warn, "version", "the server does not tell it"),
    }
}

/// The samples without labels.
fn read(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect()
}
