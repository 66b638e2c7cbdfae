//! The command `simulate` as a process: what it prints replays, and a signal ends it with a tally.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::pipes::BIN;

/// Flags under which nodes lose adds: they acknowledge from memory, and are killed.
const LOSSY: &str = "--seeds 0..200 --ack memory --nemesis kill --node-count 3 --rate 100";

/// A directory that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("counter-campaign-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Runs a line in a shell, with the record in this directory.
    fn shell(&self, line: &str, log: &str) -> Output {
        Command::new("sh").args(["-c", line]).current_dir(&self.0).env("COUNTER_LOG", log).output().unwrap()
    }

    fn simulate(&self, flags: &str) -> (Option<i32>, String) {
        let output = self.shell(&format!("{BIN} simulate {flags}"), "");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn line<'a>(printed: &'a str, heading: &str) -> &'a str {
    let found = printed.lines().find_map(|line| line.strip_prefix(heading));
    found.unwrap_or_else(|| panic!("no {heading} in\n{printed}")).trim()
}

/// The lines that tell what is wrong.
fn findings(printed: &str) -> Vec<&str> {
    let findings = printed.lines().skip_while(|line| !line.starts_with("broken"));
    findings.take_while(|line| line.starts_with("broken") || line.starts_with(' ')).collect()
}

#[test]
fn the_printed_lines_replay_a_failure_and_the_smaller_one() {
    let scratch = Scratch::new("replay");
    let (status, printed) = scratch.simulate(LOSSY);
    assert_eq!(status, Some(1), "{printed}");
    let (large, small) = printed.split_once("\nshrunk ").unwrap();
    for told in [large, small] {
        let replay = line(told, "replay ");
        assert!(replay.starts_with(BIN) && replay.contains(" --ack memory "), "{replay}");
        assert!(line(told, "program ").starts_with("maelstrom-counter 0."), "{told}");
        assert!(told.contains("ack memory, counter g"), "{told}");
        let output = scratch.shell(replay, "trace");
        let replayed = String::from_utf8(output.stdout).unwrap();
        assert_eq!((output.status.code(), findings(&replayed)), (Some(1), findings(told)), "{replay}");
        let log = String::from_utf8(output.stderr).unwrap();
        let starts = log.lines().filter(|line| line.contains(r#""type":"init","#)).count();
        assert!(log.lines().all(is_of_a_node), "{log:.3000}");
        assert!((1..20).contains(&starts), "each process is told once: {starts}");
    }
}

/// Whether a line of the log begins with the virtual time and a node: `0.250000 n1 `.
fn is_of_a_node(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_time = words.next().is_some_and(|time| time.parse::<f64>().is_ok());
    is_time && words.next().is_some_and(|name| ["n0", "n1", "n2"].contains(&name))
}

#[test]
fn a_campaign_that_keeps_going_counts_failures_by_check() {
    let scratch = Scratch::new("keep-going");
    let (status, printed) =
        scratch.simulate("--seeds 0..30 --ack memory --nemesis kill --keep-going --no-shrink");
    let tally = printed.lines().find(|line| line.contains(" failed, seeds ")).unwrap();
    assert!(status == Some(1) && tally.starts_with("30 clusters, "), "{printed}");
    assert!(printed.contains("\n            final-reads in "), "{printed}");
}

#[test]
fn a_campaign_without_time_ends_with_a_tally_and_the_line_that_goes_on() {
    let scratch = Scratch::new("budget");
    let (status, printed) = scratch.simulate("--seeds 5..9 --threads 1 --time-limit 1 --time-budget 0");
    assert!(status == Some(0) && printed.contains("all valid so far"), "{printed}");
    assert_eq!(line(&printed, "next "), "seed 6");
    let rest = scratch.shell(line(&printed, "go on ").replace("--time-budget 0", "").trim(), "");
    let rest = String::from_utf8(rest.stdout).unwrap();
    assert!(rest.starts_with("3 clusters, ") && rest.ends_with(": all valid\n"), "{rest}");
}

/// A process that is killed when the test ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_signal_ends_a_campaign_with_a_tally() {
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        let flags = ["simulate", "--seeds", "0..1000000", "--threads", "1", "--time-limit", "1"];
        let child =
            Command::new(BIN).args(flags).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut campaign = Killed(child);
        let pid = campaign.0.id().to_string();
        until(|| catches(&pid, number));
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
        let printed = std::io::read_to_string(campaign.0.stdout.take().unwrap()).unwrap();
        let next: u64 = line(&printed, "next ").strip_prefix("seed ").unwrap().parse().unwrap();
        assert!(printed.starts_with(&format!("{next} clusters, ")), "{printed}");
        assert!(line(&printed, "go on ").ends_with(&format!(" --seeds {next}..1000000")), "{printed}");
        assert_eq!(campaign.0.wait().unwrap().code(), Some(2), "not all that was asked for was run");
    }
}

/// Whether a process has a handler for that signal.
fn catches(pid: &str, number: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (number - 1) & 1 == 1
}

fn until(condition: impl Fn() -> bool) {
    #[expect(clippy::disallowed_types, reason = "a wait for a process is bounded by the clock")]
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::yield_now();
    }
}
