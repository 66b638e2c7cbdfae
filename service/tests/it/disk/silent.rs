//! A disk that hangs: who waits too long is told that the add may count. With its key it counts once, whatever comes next.

use super::tracer::Tracer;
use crate::harness::{Counterd, Setup, wait_until};
use crate::web::{Answer, PATIENCE, get, send};

fn add(counterd: &Counterd, counter: &str, key: Option<&str>) -> Answer {
    let url = format!("{}/v1/counters/{counter}/add", counterd.http);
    let headers =
        [("content-type", "application/json")].into_iter().chain(key.map(|key| ("idempotency-key", key)));
    send("POST", &url, &headers.collect::<Vec<_>>(), "{\"delta\": 3}")
}

/// A server whose disk hangs, with an add that is in doubt: its key is `k`.
fn with_an_add_in_doubt(setup: &Setup) -> Option<(Counterd, Tracer)> {
    let counterd = setup.start();
    assert_eq!(add(&counterd, "stored", None).status, 200);
    let tracer = Tracer::hang_syncs(&counterd)?;
    let problem = add(&counterd, "views", Some("k")).problem(504, "indeterminate");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("Idempotency-Key"), "it says what to do: {detail}");
    Some((counterd, tracer))
}

/// Sends the add again until it is acknowledged. By now its value is that of one add.
fn assert_counts_once(counterd: &Counterd) {
    let mut answer = None;
    wait_until(PATIENCE, "the add is acknowledged", || {
        let again = add(counterd, "views", Some("k"));
        let is_done = again.status == 200;
        answer = Some(again);
        is_done
    });
    assert_eq!(answer.unwrap().json()["value"], 3);
    assert_eq!(add(counterd, "views", Some("k")).json()["replayed"], true);
    assert_eq!((counterd.value("views"), counterd.value("stored")), (3, 3));
}

#[test]
fn an_add_in_doubt_counts_once_when_the_disk_goes_on() {
    let setup = Setup::new();
    let Some((counterd, tracer)) = with_an_add_in_doubt(&setup) else { return };
    // Meanwhile a new key can't be kept. An add without a key waits as long as it may, and is refused then.
    let refused = add(&counterd, "keyed", Some("new"));
    refused.problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    add(&counterd, "plain", None).problem(503, "unavailable");
    // The same key again is in doubt like the first: it must not be told "no".
    add(&counterd, "views", Some("k")).problem(504, "indeterminate");
    let ready = get(&format!("{}/readyz", counterd.http)).problem(503, "unavailable");
    assert!(ready["detail"].as_str().unwrap().contains("takes no commits"), "{ready}");
    assert_eq!(get(&format!("{}/livez", counterd.http)).status, 200);

    drop(tracer);
    assert_counts_once(&counterd);
    // What was answered with "no" does not count afterwards.
    assert_eq!((counterd.value("keyed"), counterd.value("plain")), (0, 0));
    assert_eq!(add(&counterd, "keyed", Some("new")).json()["replayed"], false);
    counterd.kill();
    assert_counts_once(&setup.start());
}

#[test]
fn an_add_in_doubt_counts_once_after_a_crash() {
    let setup = Setup::new();
    let Some((counterd, tracer)) = with_an_add_in_doubt(&setup) else { return };
    // The process is gone only once nobody traces it.
    counterd.signal("KILL");
    drop(tracer);
    counterd.wait();
    let counterd = setup.start();
    // It is there or it is not.
    assert!([0, 3].contains(&counterd.value("views")));
    assert_counts_once(&counterd);
}
