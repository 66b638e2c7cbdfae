//! Nodes that are more than one process: a script that runs the node, and a node in a process group of its own.

use workbench::{Check, Counter, Fault, FloodPlan, NodeCommand, Plan, Report, flood_process, run_processes};

use crate::cases::{Scratch, assert_no_process_is_left, command, short, state, wait_for};

pub(crate) const ALL: &[(&str, fn())] = &[
    ("a_scripts_memory_is_that_of_the_node_it_runs", a_scripts_memory_is_that_of_the_node_it_runs),
    ("memory_counts_in_whatever_process_group", memory_counts_in_whatever_process_group),
    ("a_flood_counts_the_node_behind_a_script", a_flood_counts_the_node_behind_a_script),
    ("a_kill_reaches_the_node_behind_a_script", a_kill_reaches_the_node_behind_a_script),
    ("a_pause_reaches_the_node_in_whatever_process_group", a_pause_reaches_the_node),
    ("a_restart_reaches_the_node_behind_a_script", a_restart_reaches_the_node_behind_a_script),
];

/// A shell that runs the node and waits for it, as a script without `exec` does.
fn behind_a_shell(kind: &str, dir: &Scratch) -> NodeCommand {
    let node = command(kind, dir);
    let script = ["-c", "\"$@\"; exit $?", "script"].map(String::from).to_vec();
    let args = [script, vec![node.program.display().to_string()], node.args.clone()].concat();
    NodeCommand { program: "/bin/sh".into(), args, ..node }
}

fn run(command: &NodeCommand, plan: &Plan, dir: &Scratch) -> Report {
    let report = run_processes(plan, command, &mut |_| {}).unwrap();
    assert_no_process_is_left(&dir.0);
    report
}

fn a_scripts_memory_is_that_of_the_node_it_runs() {
    for (kind, is_too_big) in [("Nothing", false), ("big", true)] {
        let dir = Scratch::new(&format!("script-{kind}"));
        let plan = Plan { max_rss_mb: Some(90), ..short(21) };
        let report = run(&behind_a_shell(kind, &dir), &plan, &dir);
        assert_eq!(report.violations.counts().contains_key(&Check::Memory), is_too_big, "{report}");
        assert!(report.nodes.iter().all(|node| (node.max_rss_kb.unwrap() > 100 << 10) == is_too_big));
    }
}

fn memory_counts_in_whatever_process_group() {
    let dir = Scratch::new("apart");
    let report = run(&command("apart", &dir), &short(22), &dir);
    assert!(report.nodes.iter().all(|node| node.max_rss_kb.unwrap() > 100 << 10), "{report}");
}

fn a_flood_counts_the_node_behind_a_script() {
    let dir = Scratch::new("flood-script");
    let plan = FloodPlan {
        requests: 50_000,
        seed: 1,
        workload: &Counter::G,
        max_cpu_us: Some(0.1),
        max_rss_mb: Some(90),
    };
    let report = flood_process(&plan, &behind_a_shell("big", &dir)).unwrap();
    assert_no_process_is_left(&dir.0);
    let broken: Vec<Check> = report.violations.counts().keys().copied().collect();
    assert_eq!(broken, [Check::Memory, Check::Cpu], "{report}");
}

fn a_kill_reaches_the_node_behind_a_script() {
    for (kind, seed) in [("script", 23), ("apart", 24)] {
        let dir = Scratch::new(&format!("kill-{kind}"));
        let command = if kind == "apart" { command(kind, &dir) } else { behind_a_shell("Nothing", &dir) };
        let report = run(&command, &Plan { nemesis: [Fault::Kill].into(), ..short(seed) }, &dir);
        assert!(report.nodes.iter().any(|node| node.incarnations > 1), "{report}");
    }
}

fn a_restart_reaches_the_node_behind_a_script() {
    let dir = Scratch::new("restart-script");
    let plan = Plan { nemesis: [Fault::Restart].into(), ..short(25) };
    let report = run(&behind_a_shell("Nothing", &dir), &plan, &dir);
    // If only the shell were told, the node would go on.
    assert!(!report.to_string().contains("did not end within"), "{report}");
    assert!(report.nodes.iter().any(|node| node.incarnations > 1), "{report}");
}

/// Every process that has written its number is stopped during a pause. The node and its parent are in two groups.
fn a_pause_reaches_the_node() {
    let dir = Scratch::new("pause-apart");
    let mut pauses = 0;
    let plan = Plan { node_count: 1, nemesis: [Fault::Pause].into(), ..short(26) };
    run_processes(&plan, &command("apart", &dir), &mut |progress| {
        if progress.faults.contains("pause") {
            pauses += 1;
            let log = std::fs::read_to_string(dir.0.join("n0.log")).unwrap();
            let ids: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix("pid ")).collect();
            assert_eq!(ids.len(), 2, "{log}");
            // The system needs a moment to stop a process.
            wait_for(|| ids.iter().all(|id| state(id) == Some('T')).then_some(()));
        }
    })
    .unwrap();
    assert!(pauses > 0);
    assert_no_process_is_left(&dir.0);
}
