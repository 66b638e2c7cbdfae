//! The demo nodes pass.

use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::bench::{Node, judge};

/// The demo nodes, each with a workload that it serves.
const DEMOS: [(&str, &str); 15] = [
    ("echo.py", "echo"),
    ("echo.js", "echo"),
    ("echo.rs", "echo"),
    ("unique_ids.py", "unique-ids"),
    ("broadcast.py", "broadcast"),
    ("g_set.py", "g-set"),
    ("g_counter.py", "g-counter"),
    ("g_counter.js", "g-counter"),
    ("g_counter.rs", "g-counter"),
    ("cas_counter.py", "g-counter"),
    ("pn_counter.py", "pn-counter"),
    ("lin_kv.py", "lin-kv"),
    ("kafka.py", "kafka"),
    ("txn.py", "txn-list-append"),
    ("txn.py", "txn-rw-register"),
];

/// What they share, and the one that fails.
const OTHERS: [&str; 5] = ["node.py", "node.js", "node.rs", "README.md", "delta_counter.py"];

pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    let runs = DEMOS.into_iter().map(|(file, workload)| {
        let node = Node::of(&format!("examples/nodes/{}", file.trim_end_matches(".rs")), &[]);
        let run = node.clone();
        node.trial(format!("demo_{file}_of_{workload}"), move || passes(&run, file, workload))
    });
    runs.chain([
        Trial::test("each_workload_has_a_demo_node_in_python", every_workload_has_one),
        Trial::test("each_file_of_the_demo_nodes_is_tested", every_file_is_tested),
    ])
}

/// Without a remark. Only a client of `lin-kv`, which waits for a second, may be left waiting by a slow machine.
fn passes(node: &Node, file: &str, workload: &str) -> Result<(), Failed> {
    // Transactions must meet.
    let load = if workload.starts_with("txn") { "--rate 100 --concurrency 4n" } else { "--rate 20" };
    let flags = "--time-limit 4 --final-wait 3 --nemesis partition --nemesis-interval 1";
    let judged = judge(&format!("{file}-{workload}"), node, &format!("-w {workload} {load} {flags}"));
    let verdict = judged.verdict();
    let is_fine = verdict == "valid" || (workload == "lin-kv" && verdict.starts_with("valid"));
    if is_fine { Ok(()) } else { Err(judged.text.into()) }
}

fn every_workload_has_one() -> Result<(), Failed> {
    let has_one = |name: &str| DEMOS.iter().any(|(file, workload)| file.contains(".py") && *workload == name);
    match workbench::WORKLOADS.iter().map(|workload| workload.name()).find(|name| !has_one(name)) {
        Some(name) => Err(format!("{name} has no demo node").into()),
        None => Ok(()),
    }
}

fn every_file_is_tested() -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nodes");
    let names = std::fs::read_dir(folder)?.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_known = |name: &String| OTHERS.contains(&&**name) || DEMOS.iter().any(|(file, _)| file == name);
    match names.filter(|name| !name.starts_with('_')).find(|name| !is_known(name)) {
        Some(name) => Err(format!("no test runs {name}").into()),
        None => Ok(()),
    }
}
