//! What `/metrics` says.

use std::collections::BTreeMap;

use crate::harness::{Counterd, Setup};

/// The samples, by name and labels as they are written.
fn samples(counterd: &Counterd) -> BTreeMap<String, f64> {
    let text =
        ureq::get(format!("{}/metrics", counterd.http)).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.into(), value.parse().unwrap()))
        .collect()
}

fn add(counterd: &Counterd, body: &str, key: Option<&str>) -> u16 {
    let url = format!("{}/v1/counters/a%20secret%20name/add", counterd.http);
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut request = agent.post(&url).header("Content-Type", "application/json");
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    request.send(body).unwrap().status().as_u16()
}

#[test]
fn requests_are_counted_by_kind_and_result() {
    let setup = Setup::new();
    let counterd = setup.start();
    for _ in 0..3 {
        assert_eq!(add(&counterd, "{\"delta\": 2}", Some("k")), 200);
    }
    assert_eq!(counterd.value("a%20secret%20name"), 2);
    assert_eq!(add(&counterd, "{\"delta\": 3}", Some("k")), 422);
    assert_eq!(add(&counterd, "not json", None), 400);
    let samples = samples(&counterd);
    let sample = |name: &str| samples.get(name).copied();
    assert_eq!(sample("counterd_request_seconds_count{protocol=\"http\",kind=\"change\"}"), Some(5.0));
    assert_eq!(sample("counterd_request_seconds_count{protocol=\"http\",kind=\"read\"}"), Some(1.0));
    assert_eq!(sample("counterd_requests_total{result=\"replayed\"}"), Some(2.0));
    assert_eq!(sample("counterd_requests_total{result=\"refused\"}"), Some(1.0));
    assert_eq!(sample("counterd_refused_total{problem=\"key-reused\"}"), Some(1.0));
    assert_eq!(sample("counterd_refused_total{problem=\"malformed\"}"), Some(1.0));
    assert_eq!(sample("counterd_keys"), Some(1.0));
    assert_eq!(sample("counterd_counters"), Some(1.0));
    assert_eq!(sample("counterd_unstored_changes"), Some(0.0));
    assert_eq!(sample("counterd_ready"), Some(1.0));
    assert_eq!(sample("counterd_store_up"), Some(1.0));
    assert_eq!(sample("counterd_settings_info{ack=\"durable\"}"), Some(1.0));
    assert!(sample("counterd_stored_changes_total") >= Some(1.0));
    assert!(sample("counterd_recovery_seconds") > Some(0.0));
    // 0 on a disk whose last part is kept for root.
    assert!(sample("counterd_disk_free_bytes") >= Some(0.0));
    assert!(sample("counterd_commits_total") >= Some(1.0));
    assert!(sample("counterd_commit_seconds_count") >= Some(1.0));
    assert!(samples.keys().all(|name| !name.contains("secret")), "the names of counters are no labels");
}

/// The system is asked by the directory's name. A full disk is no such case: its room is 0.
#[test]
fn the_room_of_a_disk_that_cannot_be_asked_is_not_known() {
    let setup = Setup::new();
    let counterd = setup.start();
    let moved = setup.data().with_extension("moved");
    std::fs::rename(setup.data(), &moved).unwrap();
    assert!(samples(&counterd)["counterd_disk_free_bytes"].is_nan());
    assert!(setup.log().contains("how much room") && setup.log().contains("No such file"), "{}", setup.log());
    std::fs::rename(&moved, setup.data()).unwrap();
    assert!(samples(&counterd)["counterd_disk_free_bytes"] >= 0.0);
}

#[test]
fn the_redis_port_counts_its_commands_and_connections() {
    let setup = Setup::new();
    let counterd = setup.start();
    let client = redis::Client::open(format!("redis://{}", counterd.redis)).unwrap();
    let mut connection = client.get_connection().unwrap();
    let name = "counterd_request_seconds_count{protocol=\"redis\",kind=\"command\"}";
    let before = samples(&counterd)[name];
    let mut pipeline = redis::pipe();
    (0..10).for_each(|_| {
        pipeline.cmd("INCR").arg("views");
    });
    pipeline.exec(&mut connection).unwrap();
    let samples = samples(&counterd);
    assert_eq!(samples.get(name), Some(&(before + 10.0)));
    assert_eq!(samples.get("counterd_connections{protocol=\"redis\"}"), Some(&1.0));
}
