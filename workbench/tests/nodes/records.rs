//! The files of a run have the fields that `docs/records.md` tells of.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::bench::{FLAG, Scratch};
use crate::program::said;

const DOCUMENT: &str = include_str!("../../docs/records.md");

/// The fields of a section's table.
fn documented(section: &str) -> Vec<&'static str> {
    let (_, section) = DOCUMENT.split_once(&format!("## `{section}`")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

/// The paths of all fields of a document.
fn add_paths(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                add_paths(value, &path, paths);
            }
        }
        Value::Array(items) => {
            paths.insert(path.to_owned());
            for item in items {
                add_paths(item, &format!("{path}[]"), paths);
            }
        }
        _ => {
            paths.insert(path.to_owned());
        }
    }
}

/// Whether a path of a file is the documented one. `figures` differ by the workload.
fn is(documented: &str, path: &str) -> bool {
    if documented == "figures.*" {
        return path.starts_with("figures.");
    }
    let (wanted, found): (Vec<&str>, Vec<&str>) =
        (documented.split('.').collect(), path.split('.').collect());
    wanted.len() == found.len()
        && wanted.iter().zip(&found).all(|(wanted, found)| *wanted == "*" || wanted == found)
}

/// Compares files with a section. A field may be missing from them if it has an item of a list or a name of any kind in its path, or
/// if the document says so.
fn compare(section: &str, paths: &BTreeSet<String>) {
    let documented = documented(section);
    for path in paths {
        assert!(documented.iter().any(|documented| is(documented, path)), "{section}: no row for {path}");
    }
    for wanted in documented {
        let may_be_missing =
            ["[]", "*", "final", "error", "omitted"].iter().any(|part| wanted.contains(part));
        let is_there = paths.iter().any(|path| is(wanted, path));
        assert!(may_be_missing || is_there, "{section}: no file has {wanted}");
    }
}

fn lines(file: &Path, paths: &mut BTreeSet<String>) {
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let Value::Object(members) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        paths.extend(members.keys().cloned());
    }
}

pub(crate) fn files_are_as_documented() {
    let scratch = Scratch::new("records");
    let (store, node) = (scratch.0.display(), std::env::current_exe().unwrap());
    let (mut results, mut history, mut messages) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (flags, kind) in [("-w g-counter --nemesis partition,kill", "g_counter"), ("-w unique-ids", "echo")] {
        let run = format!("--time-limit 2 --nemesis-interval 1 --final-wait 500ms --store {store}");
        let (text, status) = said(&format!("test {flags} {run} --bin {} -- {FLAG} {kind}", node.display()));
        assert!(status != Some(2), "{text}");
        let run = scratch.0.join("latest");
        let text = std::fs::read_to_string(run.join("results.json")).unwrap();
        add_paths(&serde_json::from_str(&text).unwrap(), "", &mut results);
        lines(&run.join("history.jsonl"), &mut history);
        lines(&run.join("messages.jsonl"), &mut messages);
    }
    compare("results.json", &results);
    compare("history.jsonl", &history);
    compare("messages.jsonl", &messages);
}
