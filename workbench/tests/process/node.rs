//! A toy as a process.
#![allow(clippy::disallowed_types, reason = "a process has a clock")]

use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use workbench::Machine;

use crate::toy::{Bug, Toy};

/// The first argument of a test program that is to be a node; the second says which.
pub(crate) const FLAG: &str = "--be-a-node";

pub(crate) fn run(kind: &str) -> ExitCode {
    // The log tells the tests which processes there were.
    // In one piece, so that a process that is killed meanwhile has written all of it or nothing.
    let _ = std::io::stderr().write_all(format!("pid {}\n", std::process::id()).as_bytes());
    match kind {
        "garbage" => {
            let _ = writeln!(std::io::stdout(), "Listening on port 8080");
            std::thread::park();
        }
        "endless" => {
            let answer = r#"{"src":"n0","dest":"c0","body":{"type":"init_ok","in_reply_to":1}}"#;
            let _ = std::io::stdout().write_all(answer.as_bytes());
            let _ = std::io::stdout().flush();
            std::thread::park();
        }
        "dies" => {
            let _ = writeln!(std::io::stderr(), "no such table");
            return ExitCode::from(3);
        }
        "big" => {
            let held = vec![1_u8; 100 << 20];
            serve(Box::new(Toy::new(Bug::Nothing)));
            drop(std::hint::black_box(held));
        }
        "apart" => return run_apart(),
        "keeps" => {
            let mut kept = OpenOptions::new().create(true).append(true).open("incarnations").unwrap();
            kept.write_all(b"one more\n").unwrap();
            serve(Box::new(Toy::new(Bug::Nothing)));
        }
        "logs" => {
            // More than a pipe holds. It ends if it can't.
            std::io::stderr().write_all(&vec![b'x'; 256 << 10]).unwrap();
            serve(Box::new(Toy::new(Bug::Nothing)));
        }
        "in-the-way" => {
            let _ = std::fs::create_dir("../history.jsonl");
            serve(Box::new(Toy::new(Bug::Nothing)));
        }
        "deaf" => serve(Box::new(Deaf(Toy::new(Bug::Nothing)))),
        bug => serve(Box::new(Toy::new(Bug::parse(bug)))),
    }
    ExitCode::SUCCESS
}

/// Runs a big node in a process group of its own, as `timeout` does.
fn run_apart() -> ExitCode {
    let mut node = Command::new(std::env::current_exe().unwrap());
    let status = node.args([FLAG, "big"]).process_group(0).status().unwrap();
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Answers `init` and 10 requests, and then reads nothing more.
struct Deaf(Toy);

impl Machine for Deaf {
    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>) {
        self.0.receive(now, line, out);
        if self.0.requests() > 10 {
            std::thread::park();
        }
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.0.wake(now, out);
    }

    fn next_wake(&self) -> Option<Duration> {
        self.0.next_wake()
    }
}

fn serve(mut machine: Box<dyn Machine>) {
    let lines = read_lines();
    let start = Instant::now();
    let mut out = Vec::new();
    while !machine.has_exited() {
        let sleep = machine.next_wake().unwrap_or(Duration::MAX).saturating_sub(start.elapsed());
        match lines.recv_timeout(sleep) {
            Ok(line) => machine.receive(start.elapsed(), &line, &mut out),
            Err(RecvTimeoutError::Timeout) => machine.wake(start.elapsed(), &mut out),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        std::io::stdout().write_all(&out).unwrap();
        std::io::stdout().flush().unwrap();
        out.clear();
    }
}

fn read_lines() -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n') {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}
