//! What is in `packaging/`, checked by the programs that will read it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{self, Setup};

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(packaging().join(name)).unwrap()
}

/// The expressions in the dashboard.
fn of_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("counterd_")).map(ToOwned::to_owned).collect()
}

/// Runs a checker, which must be content and say nothing of a warning.
fn check(command: &mut Command) {
    let output = command.output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn every_metric_in_the_dashboard_and_the_alerts_is_one_that_is_exported() {
    let setup = Setup::new();
    let counterd = setup.start();
    let page =
        ureq::get(format!("{}/metrics", counterd.http)).call().unwrap().body_mut().read_to_string().unwrap();
    // Until a request had a problem, there is no sample of it.
    let exported = names(&page.replace("# TYPE counterd_refused counter", "counterd_refused_total"));
    let wanted = names(&(of_dashboard().join("\n") + &read("alerts.yml")));
    let unknown: Vec<_> = wanted.difference(&exported).collect();
    assert!(wanted.len() > 10 && unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_alerts_are_good_for_prometheus() {
    if harness::is_missing("promtool") {
        return;
    }
    check(Command::new("promtool").args(["check", "rules"]).arg(packaging().join("alerts.yml")));
    check(Command::new("promtool").args(["test", "rules"]).arg(packaging().join("alerts.test.yml")));
}

#[test]
fn the_runbook_has_each_alert() {
    let alerts = read("alerts.yml");
    let runbook = read("../docs/operations.md");
    let names: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let unknown: Vec<_> = names.iter().filter(|name| !runbook.contains(&format!("`{name}`"))).collect();
    assert!(names.len() > 10 && unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_expressions_of_the_dashboard_are_good_for_prometheus() {
    if harness::is_missing("promtool") {
        return;
    }
    let rules: Vec<Value> = (0..)
        .zip(of_dashboard())
        .map(|(number, expression)| {
            let expression = expression.replace("$__rate_interval", "5m");
            serde_json::json!({ "record": format!("r{number}"), "expr": expression })
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    // JSON is YAML.
    let groups = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    std::fs::write(file.path(), groups.to_string()).unwrap();
    check(Command::new("promtool").args(["check", "rules"]).arg(file.path()));
}

#[test]
fn each_panel_has_a_place_and_says_what_it_shows() {
    let dashboard: Value = serde_json::from_str(&read("grafana.json")).unwrap();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(
            !panel["title"].as_str().unwrap().is_empty()
                && !panel["description"].as_str().unwrap().is_empty()
        );
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{panel}");
    }
}

#[test]
fn the_unit_is_good_for_systemd() {
    if harness::is_missing("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("counterd.service");
    let text = read("counterd.service").replace("/usr/local/bin/counterd", env!("CARGO_BIN_EXE_counterd"));
    std::fs::write(&unit, text).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&unit).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    // The scale ends at 100, which is a service without any protection.
    check(Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=20"]).arg(&unit));
}

#[test]
fn the_dockerfile_is_good_for_hadolint() {
    if harness::is_missing("hadolint") {
        return;
    }
    check(Command::new("hadolint").arg(packaging().join("Dockerfile")));
}

#[test]
fn the_compose_file_is_good_for_its_schema() {
    if harness::is_missing("check-jsonschema") {
        return;
    }
    let arguments = ["--builtin-schema", "vendor.compose-spec"];
    check(Command::new("check-jsonschema").args(arguments).arg(packaging().join("compose.yaml")));
}

#[test]
fn the_manifests_are_good_for_kubernetes() {
    if harness::is_missing("kubernetes-validate") {
        return;
    }
    check(Command::new("kubernetes-validate").arg("--strict").arg(packaging().join("kubernetes.yaml")));
}

/// A setting with a typing error would be left out without a word.
#[test]
fn each_variable_in_the_packaging_is_a_setting() {
    let settings: BTreeSet<String> =
        counterd::config::SETTINGS.iter().map(counterd::config::Setting::variable).collect();
    // Of compose itself.
    let others = ["COUNTERD_UID"];
    for file in ["compose.yaml", "kubernetes.yaml", "Dockerfile", "counterd.service"] {
        let text = read(file);
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let named: BTreeSet<&str> =
            words.filter(|word| word.starts_with("COUNTERD_") && !word.ends_with('_')).collect();
        let unknown: Vec<_> =
            named.iter().filter(|name| !settings.contains(**name) && !others.contains(*name)).collect();
        assert!(!named.is_empty() && unknown.is_empty(), "{file}: {unknown:?}");
    }
}
