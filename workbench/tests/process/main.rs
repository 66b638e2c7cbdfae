//! The bench against real processes. This program is its own node: see `node.rs`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod cases;
mod node;
mod surroundings;
#[path = "../it/toy.rs"]
mod toy;
mod trees;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|first| first == node::FLAG) {
        return node::run(&args[2]);
    }
    if args.get(1).is_some_and(|first| first == cases::BENCH_FLAG) {
        return cases::be_a_bench(&args[2]);
    }
    let trial = |(name, case): &(&'static str, fn())| {
        let case = *case;
        Trial::test(*name, move || {
            case();
            Ok(())
        })
    };
    libtest_mimic::run(
        &Arguments::from_args(),
        cases::ALL.iter().chain(trees::ALL).chain(surroundings::ALL).map(trial).collect(),
    )
    .exit_code()
}
