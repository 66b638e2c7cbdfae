//! The surroundings of a node: its directory, its log, its program file, the record of the run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use clap::Parser;
use workbench::{Fault, NodeCommand, Plan, Verdict, run_processes, run_test};

use crate::cases::{Cli, Scratch, assert_no_process_is_left, command, short};
use crate::node::FLAG;

pub(crate) const ALL: &[(&str, fn())] = &[
    ("a_node_finds_its_files_again", a_node_finds_its_files_again),
    ("an_empty_directory_is_removed", an_empty_directory_is_removed),
    ("a_log_on_a_full_disk_ends_nothing", a_log_on_a_full_disk_ends_nothing),
    (
        "a_record_that_cannot_be_written_leaves_the_verdict",
        a_record_that_cannot_be_written_leaves_the_verdict,
    ),
    ("a_program_that_cannot_be_run_says_what_to_do", a_program_that_cannot_be_run_says_what_to_do),
];

fn a_node_finds_its_files_again() {
    let dir = Scratch::new("keeps");
    let plan = Plan { nemesis: [Fault::Kill].into(), ..short(31) };
    let report = run_processes(&plan, &command("keeps", &dir), &mut |_| {}).unwrap();
    assert_no_process_is_left(&dir.0);
    assert!(report.nodes.iter().any(|node| node.incarnations > 1), "{report}");
    for node in &report.nodes {
        let kept = fs::read_to_string(dir.0.join(&node.node).join("incarnations")).unwrap();
        // A process may be killed before it has come so far.
        let incarnations = u32::try_from(kept.lines().count()).unwrap();
        assert!(
            incarnations > 0
                && incarnations <= node.incarnations
                && (node.incarnations == 1 || incarnations > 1),
            "{kept}{report}"
        );
    }
}

fn an_empty_directory_is_removed() {
    let dir = Scratch::new("empty");
    run_processes(&short(32), &command("Nothing", &dir), &mut |_| {}).unwrap();
    assert!(dir.0.join("n0.log").exists() && !dir.0.join("n0").exists());
}

fn a_log_on_a_full_disk_ends_nothing() {
    let dir = Scratch::new("full-log");
    for node in 0..3 {
        symlink("/dev/full", dir.0.join(format!("n{node}.log"))).unwrap();
    }
    let report = run_processes(&short(33), &command("logs", &dir), &mut |_| {}).unwrap();
    assert!(report.valid, "{report}");
}

/// The node makes a directory where the bench wants to write the history.
fn a_record_that_cannot_be_written_leaves_the_verdict() {
    let dir = Scratch::new("in-the-way");
    let flags = "test --seed 34 --time-limit 1 --final-wait 0.5 --nemesis none";
    let args = format!("{flags} --store {} -- {FLAG} in-the-way", dir.0.display());
    let options = Cli::try_parse_from(args.split(' ')).unwrap().options;
    let mut out = Vec::new();
    let verdict = run_test(&options, Some(&std::env::current_exe().unwrap()), &mut out).unwrap();
    let printed = String::from_utf8(out).unwrap();
    assert_eq!(verdict, Verdict::Valid, "{printed}");
    assert!(printed.contains("verdict     valid") && !printed.contains("recorded"), "{printed}");
    let run = dir.0.join("latest");
    assert!(run.join("results.json").is_file() && run.join("report.html").is_file());
}

/// A compiled program for a processor that does not exist.
const ALIEN: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xfe\xfe\x01\0\0\0";

fn a_program_that_cannot_be_run_says_what_to_do() {
    let dir = Scratch::new("programs");
    let cases: [(&str, u32, &[u8], &str); 7] = [
        ("not-allowed", 0o644, b"#!/bin/sh\n", "chmod +x"),
        ("no-first-line", 0o755, b"import sys\n", "#!/usr/bin/env python3"),
        ("empty", 0o755, b"", "#!/usr/bin/env python3"),
        ("interpreter", 0o755, b"#!/no/such/python\n", "/no/such/python, which is not there"),
        ("env", 0o755, b"#!/usr/bin/env no-such-python\n", "no-such-python, which is not in PATH"),
        ("crlf", 0o755, b"#!/usr/bin/env python3\r\nimport sys\r\n", "CR LF"),
        ("alien", 0o755, ALIEN, "another kind of machine"),
    ];
    for (name, mode, content, advice) in cases {
        let path = dir.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_advice(&path, &dir, advice);
    }
    assert_advice(&dir.0, &dir, "it is a directory");
}

fn assert_advice(program: &Path, dir: &Scratch, advice: &str) {
    let command = NodeCommand { program: program.to_owned(), ..command("Nothing", dir) };
    let error = run_processes(&short(35), &command, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains(advice), "{}: {error}", program.display());
}
