//! The tests.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Parser;
use rustix::process::{Pid, Signal};
use workbench::{
    BenchError, Check, Counter, Fault, FloodPlan, NodeCommand, Plan, Report, TestOptions, Verdict, exit_code,
    flood_process, run_processes, run_test,
};

use crate::node::FLAG;

pub(crate) const ALL: &[(&str, fn())] = &[
    ("a_good_node_is_valid", a_good_node_is_valid),
    ("kill_and_pause_leave_no_process_behind", kill_and_pause_leave_no_process_behind),
    ("a_node_that_reads_nothing_is_caught", a_node_that_reads_nothing_is_caught),
    ("a_node_that_ends_is_caught", a_node_that_ends_is_caught),
    ("a_missing_program_is_an_error", a_missing_program_is_an_error),
    ("garbage_before_init_is_an_error", garbage_before_init_is_an_error),
    (
        "messages_without_line_ends_are_an_error_that_says_so",
        messages_without_line_ends_are_an_error_that_says_so,
    ),
    ("death_before_init_is_an_error_with_the_log", death_before_init_is_an_error_with_the_log),
    ("a_flood_is_answered_exactly", a_flood_is_answered_exactly),
    ("a_flood_catches_wrong_answers", a_flood_catches_wrong_answers),
    ("the_command_records_and_prints", the_command_records_and_prints),
    ("an_interrupted_run_reports_and_leaves_no_process", an_interrupted_run_reports_and_leaves_no_process),
];

/// A directory that goes away with the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("workbench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn command(kind: &str, dir: &Scratch) -> NodeCommand {
    let program = std::env::current_exe().unwrap();
    NodeCommand { program, args: vec![FLAG.into(), kind.into()], directory: dir.0.clone() }
}

pub(crate) fn short(seed: u64) -> Plan {
    Plan {
        time_limit: Duration::from_millis(1500),
        final_wait: Duration::from_millis(600),
        nemesis_interval: Duration::from_millis(150),
        ..Plan::new(&Counter::G, seed)
    }
}

fn run(kind: &str, plan: &Plan) -> Result<Report, BenchError> {
    let dir = Scratch::new(&format!("{kind}-{}", plan.seed));
    let result = run_processes(plan, &command(kind, &dir), &mut |_| {});
    assert_no_process_is_left(&dir.0);
    result
}

/// Checks that no process of the run is left. Each process wrote its number into its log.
pub(crate) fn assert_no_process_is_left(dir: &Path) {
    let paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "log")) {
        let log = std::fs::read_to_string(path).unwrap();
        for pid in log.lines().filter_map(|line| line.strip_prefix("pid ")) {
            // A process that has ended is listed until its parent has asked for its status: for an orphan that is init.
            assert!(matches!(state(pid), None | Some('Z')), "process {pid} is left");
        }
    }
}

/// The state of a process, in the system's letter: T if it is stopped, Z if it has ended. `None` if it is not listed.
pub(crate) fn state(pid: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn a_good_node_is_valid() {
    let report = run("Nothing", &Plan { nemesis: [Fault::Partition].into(), ..short(1) }).unwrap();
    assert!(report.valid, "{report}");
    assert!(report.operations.count > 100, "{report}");
    assert!(report.nodes.iter().all(|node| node.max_rss_kb.unwrap() > 100), "{report}");
    let overhead = report.overhead.unwrap();
    assert!(overhead.late.count > 100 && overhead.writing.count > 100, "{report}");
    assert!(overhead.reading.count > 100 && overhead.reading.max_ms > 0.0, "{report}");
}

fn kill_and_pause_leave_no_process_behind() {
    let report = run("Nothing", &Plan { nemesis: [Fault::Kill, Fault::Pause].into(), ..short(2) }).unwrap();
    assert!(report.nodes.iter().any(|node| node.incarnations > 1), "{report}");
    assert!(!report.violations.counts().contains_key(&Check::Init), "{report}");
    assert!(!report.violations.counts().contains_key(&Check::Exit), "{report}");
}

fn a_node_that_reads_nothing_is_caught() {
    let report = run("deaf", &Plan { node_count: 1, ..short(3) }).unwrap();
    assert!(report.violations.counts().contains_key(&Check::FinalReadsAnswered), "{report}");
    assert!(report.operations.timeouts >= 1, "{report}");
    assert!(report.rate.is_short && report.rate.all_clients_busy > 0.9, "{report}");
    assert!(report.to_string().contains("all were waiting"), "{report}");
}

fn a_node_that_ends_is_caught() {
    let report = run("Exits", &short(4)).unwrap();
    assert!(report.violations.counts().contains_key(&Check::Exit), "{report}");
}

fn a_missing_program_is_an_error() {
    let dir = Scratch::new("missing");
    let command = NodeCommand { program: "/no/such/program".into(), ..command("Nothing", &dir) };
    let error = run_processes(&short(5), &command, &mut |_| {}).unwrap_err();
    assert!(matches!(error, BenchError::Spawn { .. }), "{error}");
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}

fn garbage_before_init_is_an_error() {
    let error = run("garbage", &short(6)).unwrap_err();
    assert!(matches!(error, BenchError::Setup { .. }), "{error}");
    assert!(error.to_string().contains("Listening on port 8080"), "{error}");
}

fn messages_without_line_ends_are_an_error_that_says_so() {
    let error = run("endless", &Plan { node_count: 1, ..short(8) }).unwrap_err().to_string();
    let expected =
        "n0 did not answer init within 10 s; it wrote 66 bytes without a line end: a message is one line";
    assert!(error.starts_with(expected), "{error}");
}

fn death_before_init_is_an_error_with_the_log() {
    let error = run("dies", &short(7)).unwrap_err().to_string();
    assert!(error.contains("exit status: 3") && error.contains("no such table"), "{error}");
}

fn flood(kind: &str) -> workbench::FloodReport {
    let dir = Scratch::new(&format!("flood-{kind}"));
    let plan =
        FloodPlan { requests: 5000, seed: 1, workload: &Counter::G, max_cpu_us: None, max_rss_mb: Some(200) };
    let report = flood_process(&plan, &command(kind, &dir)).unwrap();
    assert_no_process_is_left(&dir.0);
    report
}

fn a_flood_is_answered_exactly() {
    let report = flood("Nothing");
    assert!(report.valid, "{report}");
    assert_eq!(report.answered, 5000);
    assert!(report.max_rss_kb.unwrap() > 100 && report.cpu_us.is_some(), "{report}");
}

fn a_flood_catches_wrong_answers() {
    assert!(flood("LosesAdds").violations.counts().contains_key(&Check::FinalReads));
}

#[derive(Parser)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: TestOptions,
}

fn the_command_records_and_prints() {
    let dir = Scratch::new("command");
    let store = dir.0.display().to_string();
    let args = format!(
        "test --seed 11 --time-limit 1 --final-wait 0.5 --nemesis none --json --store {store} -- {FLAG} Nothing"
    );
    let options = Cli::try_parse_from(args.split(' ')).unwrap().options;
    let mut out = Vec::new();
    let verdict = run_test(&options, Some(&std::env::current_exe().unwrap()), &mut out).unwrap();
    assert_eq!(verdict, Verdict::Valid);
    let printed: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((&printed["valid"], &printed["plan"]["seed"]), (&true.into(), &11.into()));
    let run = dir.0.join("latest");
    let stored: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("results.json")).unwrap()).unwrap();
    assert_eq!(stored, printed);
    assert!(std::fs::read_to_string(run.join("history.jsonl")).unwrap().lines().count() > 100);
    assert!(run.join("n2.log").exists());
}

/// The first argument of a test program that is to run a bench; the second says where to record it.
pub(crate) const BENCH_FLAG: &str = "--be-a-bench";

pub(crate) fn be_a_bench(store: &str) -> ExitCode {
    let flags = format!(
        "test -w g-counter --node-count 3 --time-limit 600 --nemesis pause --store {store} --bin sh -- -c"
    );
    // What a shell ignores, the program that it becomes ignores too.
    let node = format!(
        "trap '' HUP INT QUIT TERM; exec {} {FLAG} Nothing",
        std::env::current_exe().unwrap().display()
    );
    let options = Cli::try_parse_from(flags.split(' ').chain([&*node])).unwrap().options;
    exit_code("bench", run_test(&options, None, &mut std::io::sink()))
}

fn an_interrupted_run_reports_and_leaves_no_process() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        interrupt(signal);
    }
}

fn interrupt(signal: Signal) {
    let dir = Scratch::new(&format!("interrupt-{}", signal.as_raw()));
    let program = std::env::current_exe().unwrap();
    let mut bench = Command::new(program).arg(BENCH_FLAG).arg(&dir.0).spawn().unwrap();
    let run = wait_for(|| std::fs::canonicalize(dir.0.join("latest")).ok());
    let has_started =
        |node| std::fs::read_to_string(run.join(format!("n{node}.log"))).is_ok_and(|log| !log.is_empty());
    wait_for(|| (0..3).all(has_started).then_some(()));
    let pid = Pid::from_child(&bench);
    rustix::process::kill_process(pid, signal).unwrap();
    assert_eq!(bench.wait().unwrap().code(), Some(2));
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["interrupted"], true);
    assert!(run.join("history.jsonl").exists());
    assert_no_process_is_left(&run);
}

/// Asks again and again, for half a minute at most.
pub(crate) fn wait_for<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never happened");
}
