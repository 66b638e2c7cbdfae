//! The command `simulate`, as a process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_maelstrom-counter");

/// A process that ends with the test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_printed_line_replays_the_failure() {
    let store = tempfile::tempdir().unwrap();
    let line = format!(
        "{PROGRAM} simulate --seeds 0..200 --ack memory --nemesis kill --time-limit 10s --store {} --no-shrink",
        store.path().display()
    );
    let run = |line: &str| {
        let output = Command::new("sh").args(["-c", line]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, said) = run(&line);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("settings    ack memory, counter g"), "{said}");
    assert!(said.contains(concat!("program     maelstrom-counter ", env!("CARGO_PKG_VERSION"))), "{said}");
    let replay = said.lines().find_map(|line| line.strip_prefix("replay      ")).unwrap();
    assert!(replay.starts_with(&format!("{PROGRAM} simulate --ack memory --seeds ")), "{said}");
    let (status, again) = run(&format!("{replay} --store {}", store.path().display()));
    assert_eq!(status, Some(1), "{again}");
    let report = |said: &str| said.split_once("verdict").unwrap().0.to_owned();
    assert_eq!(report(&again), report(&said));
}

#[test]
fn a_signal_ends_a_campaign_with_a_tally_and_logs_tell_the_virtual_time() {
    let mut command = Command::new(PROGRAM);
    command.args(["simulate", "--seeds", "7..1000000", "--time-limit", "1s"]).env("COUNTER_LOG", "trace");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut child = Guard(child);
    let mut log = BufReader::new(child.0.stderr.take().unwrap());
    let mut first = String::new();
    log.read_line(&mut first).unwrap();
    assert!(first.contains("0.000000s n") && first.contains("TRACE"), "{first}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child.0), rustix::process::Signal::TERM)
        .unwrap();
    std::io::copy(&mut log, &mut std::io::sink()).unwrap();
    let mut said = String::new();
    child.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(2), "{said}");
    let next = said.rsplit_once("--seeds ").unwrap().1.trim();
    assert!(said.contains(": all valid\nstopped     by a signal; go on with\n"), "{said}");
    assert!(next.ends_with("..1000000") && !next.starts_with("7.."), "{said}");
}
