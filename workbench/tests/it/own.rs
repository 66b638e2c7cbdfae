//! The example that simulates a node of one's own: it passes, and the fault that it plants is found and shrunk.

use clap::Parser;
use workbench::{CommandLine, Verdict};

#[path = "../../examples/simulate_own.rs"]
#[allow(dead_code, reason = "here nobody calls its main function")]
mod simulate_own;

/// Runs the example with that command line.
fn judge(line: &str) -> (Verdict, String) {
    let store = tempfile::tempdir().unwrap();
    let store_flag = format!("--store={}", store.path().display());
    let words = line.split(' ').chain([&*store_flag]);
    let mut cli = simulate_own::Cli::parse_from(words);
    cli.simulate.command_line = CommandLine::new(line.split(' ').map(str::to_owned));
    let mut out = Vec::new();
    let verdict = simulate_own::judge(&cli, &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

/// The lines that begin with that heading, without it.
fn told<'a>(said: &'a str, heading: &str) -> Vec<&'a str> {
    said.lines().filter_map(|line| line.strip_prefix(heading)).map(str::trim).collect()
}

#[test]
fn a_node_of_ones_own_is_valid() {
    let (verdict, said) = judge("simulate_own --seeds 0..40");
    assert_eq!(verdict, Verdict::Valid, "{said}");
}

#[test]
fn its_planted_fault_is_found_shrunk_and_replayed() {
    let (verdict, said) = judge("simulate_own --seeds 0..40 --plant");
    assert_eq!(verdict, Verdict::Invalid, "{said}");
    let replays = told(&said, "replay");
    assert_eq!(replays[0], "simulate_own --plant --seeds 1 --workload g-counter --no-shrink", "{said}");
    for flag in ["--node-count 2", "--time-limit 12", "--rate 4 ", "--nemesis partition", "--only-faults 2"] {
        assert!(replays[1].contains(flag), "{said}");
    }
    // The outcome ends where the search for a smaller cluster begins.
    let (first, shrunk) = said.split_once("\nshrunk").unwrap();
    for (replay, original) in [(replays[0], first), (replays[1], shrunk)] {
        let (verdict, again) = judge(replay);
        assert_eq!((verdict, told(&again, "replay")), (Verdict::Invalid, vec![replay]), "{again}");
        assert_eq!(told(&again, "faults"), told(original, "faults"), "{again}");
        assert!(again.contains("final-reads in 1: seeds 1"), "{again}");
    }
    assert_eq!(judge("simulate_own --seeds 0..40 --plant").1.lines().count(), said.lines().count());
}
