//! Nodes in other languages as the bench judges them: the demo nodes, and nodes with one fault each.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod bench;
mod demos;
#[path = "../../examples/nodes/echo.rs"]
mod echo;
mod findings;
#[path = "../../examples/nodes/g_counter.rs"]
#[allow(clippy::duplicate_mod, reason = "each example is a program of its own, with its own copy")]
mod g_counter;
mod program;
mod records;
mod verdicts;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::bench::FLAG;

/// How many tests run at once: they mostly wait.
const AT_ONCE: usize = 4;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|first| first == FLAG) {
        let ended = if args[2] == "echo" { echo::main() } else { g_counter::main() };
        ended.unwrap();
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(AT_ONCE));
    libtest_mimic::run(
        &arguments,
        demos::trials()
            .chain(program::trials())
            .chain(verdicts::trials())
            .chain(findings::trials())
            .collect(),
    )
    .exit_code()
}
