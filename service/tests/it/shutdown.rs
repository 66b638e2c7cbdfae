//! How the server ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::harness::{Counterd, Setup, wait_until};

/// What does not happen within this time never happens.
const PATIENCE: Duration = Duration::from_mins(1);

/// Adds one, and returns the answer's status. `None`: there was no answer.
fn add(http: &str) -> Option<u16> {
    let url = format!("{http}/v1/counters/views/add");
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let answer = agent.post(&url).header("Content-Type", "application/json").send("{\"delta\": 1}");
    answer.ok().map(|answer| answer.status().as_u16())
}

#[test]
fn either_signal_ends_it_cleanly() {
    for name in ["TERM", "INT"] {
        // Nobody but the end itself makes sure that the add is stored.
        let setup = Setup::new().with(&["--ack", "memory"]);
        let counterd = setup.start();
        assert_eq!(add(&counterd.http), Some(200));
        counterd.signal(name);
        assert!(counterd.wait().success(), "{name}");
        assert_eq!(setup.start().value("views"), 1);
    }
}

/// Adds until told to stop. Returns how many adds count, and of how many that is not known.
fn load(http: &str, stop: &AtomicBool) -> (i64, i64) {
    let (mut sure, mut unsure) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        match add(http) {
            Some(200) => sure += 1,
            // Refused, and not counted.
            Some(503) => {}
            Some(_) | None => unsure += 1,
        }
    }
    (sure, unsure)
}

#[test]
fn who_waits_is_answered_and_what_is_answered_counts() {
    let setup = Setup::new();
    let counterd = setup.start();
    let (http, stop) = (counterd.http.clone(), AtomicBool::new(false));
    let (status, results) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| load(&http, &stop))).collect();
        wait_until(PATIENCE, "an add", || add(&http) == Some(200));
        let status = counterd.terminate();
        stop.store(true, Ordering::Relaxed);
        (status, clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>())
    });
    assert!(status.success());
    let (sure, unsure) = results.iter().fold((1, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let value = setup.start().value("views");
    assert!((sure..=sure + unsure).contains(&value), "{value} is not from {sure} to {}", sure + unsure);
}

/// Sends a request but for its last bytes, and returns once the server has the connection.
fn begin_add(counterd: &Counterd) -> TcpStream {
    let mut stream = TcpStream::connect(counterd.http.strip_prefix("http://").unwrap()).unwrap();
    let half = "POST /v1/counters/views/add HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{";
    stream.write_all(half.as_bytes()).unwrap();
    wait_until(PATIENCE, "the connection", || {
        let metrics =
            ureq::get(format!("{}/metrics", counterd.http)).call().unwrap().body_mut().read_to_string();
        // The other one is that of this look.
        metrics.unwrap().contains("counterd_connections{protocol=\"http\"} 2.0")
    });
    stream
}

#[test]
fn a_request_that_has_begun_is_answered() {
    let setup = Setup::new();
    let counterd = setup.start();
    let mut stream = begin_add(&counterd);
    counterd.signal("TERM");
    wait_until(PATIENCE, "the signal", || setup.log().contains("shutting down"));
    stream.write_all(b"\"delta\": 5}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"value\":5"), "{answer}");
    assert!(counterd.wait().success());
    assert_eq!(setup.start().value("views"), 5);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let setup = Setup::new();
    let counterd = setup.start();
    let _never_ends = begin_add(&counterd);
    counterd.signal("TERM");
    wait_until(PATIENCE, "the first signal", || setup.log().contains("shutting down"));
    counterd.signal("TERM");
    assert_eq!(counterd.wait().code(), Some(1), "{}", setup.log());
    assert!(setup.log().contains("a second signal"), "{}", setup.log());
}

#[test]
fn the_service_manager_is_told() {
    let setup = Setup::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = setup.command();
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    let counterd = Counterd::of(command).unwrap();
    let wait_for = |wanted: &str| {
        let mut message = [0; 256];
        loop {
            let length = socket.recv(&mut message).unwrap();
            if message[..length].trim_ascii() == wanted.as_bytes() {
                break;
            }
        }
    };
    wait_for("READY=1");
    wait_for("WATCHDOG=1");
    counterd.signal("TERM");
    wait_for("STOPPING=1");
    assert!(counterd.wait().success());
}
