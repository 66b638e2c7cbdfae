//! Pipelines over a SIGKILL: what was acknowledged is there after the restart.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::wire::{Wire, command};
use crate::harness::{Setup, wait_until};

const CLIENTS: usize = 4;
const PIPELINE: usize = 16;

#[test]
fn acknowledged_pipelines_survive_a_kill() {
    let setup = Setup::new();
    let mut done = [(0, 0); CLIENTS];
    for _ in 0..3 {
        let counterd = setup.start();
        check(&counterd.redis, done);
        let acknowledged = AtomicUsize::new(0);
        thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let acknowledged = &acknowledged;
                    let address = counterd.redis.clone();
                    scope.spawn(move || count(&address, &format!("own:{client}"), acknowledged))
                })
                .collect();
            let is_busy = || acknowledged.load(Ordering::Relaxed) >= 40 * PIPELINE;
            wait_until(Duration::from_mins(1), "it acknowledges", is_busy);
            counterd.kill();
            for (client, (least, most)) in clients.into_iter().zip(&mut done) {
                let (acknowledged, sent) = client.join().unwrap();
                *least += acknowledged;
                *most += sent;
            }
        });
    }
    check(&setup.start().redis, done);
}

/// Counts by pipelines until the server is gone. Returns how many adds were acknowledged, and how many were sent.
fn count(address: &str, name: &str, total: &AtomicUsize) -> (usize, usize) {
    let mut wire = Wire::to(address);
    let pipeline = [command(&["INCR", name]), command(&["INCR", "all"])].concat().repeat(PIPELINE / 2);
    let (mut acknowledged, mut sent) = (0, 0);
    loop {
        wire.send(&pipeline);
        sent += PIPELINE / 2;
        for number in 0..PIPELINE {
            let Some(reply) = wire.reply() else { return (acknowledged, sent) };
            assert!(reply.starts_with(':'), "{reply}");
            acknowledged += usize::from(number % 2 == 0);
            total.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn check(address: &str, done: [(usize, usize); CLIENTS]) {
    let mut wire = Wire::to(address);
    let mut value = |name: &str| {
        let reply = wire.ask(&["INCRBY", name, "0"]);
        reply.trim().strip_prefix(':').unwrap().parse::<usize>().unwrap()
    };
    for (client, (least, most)) in done.into_iter().enumerate() {
        let value = value(&format!("own:{client}"));
        assert!((least..=most).contains(&value), "{value} is not between {least} and {most}");
    }
    let (least, most) = done.iter().fold((0, 0), |sum, done| (sum.0 + done.0, sum.1 + done.1));
    let all = value("all");
    // The last pipeline of each client may be acknowledged up to the first of a pair.
    assert!((least - least.min(CLIENTS)..=most).contains(&all), "{all} is not between {least} and {most}");
}

#[test]
fn a_clean_end_answers_and_closes() {
    let setup = Setup::new();
    let counterd = setup.start();
    let address = counterd.redis.clone();
    let mut wire = Wire::to(&address);
    assert_eq!(wire.ask(&["INCR", "a"]), ":1\r\n");
    assert!(counterd.terminate().success());
    assert_eq!(wire.reply(), None);
    assert_eq!(TcpStream::connect(&address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
