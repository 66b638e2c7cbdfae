//! The bench: this node, or any other, judged by `workbench`.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use workbench::{Machine, TestOptions, Workload, run_test};

use crate::config::Config;
use crate::endpoint::Endpoint;

/// This node as the bench's simulation drives it: a process's life without the process.
#[derive(Debug)]
pub struct SimulatedNode {
    endpoint: Endpoint,
    rng: StdRng,
}

impl SimulatedNode {
    /// A process that has just started.
    pub fn start(config: Config, seed: u64) -> Self {
        Self { endpoint: Endpoint::new(config), rng: StdRng::seed_from_u64(seed) }
    }
}

impl Machine for SimulatedNode {
    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>) {
        self.endpoint.receive(now, line, &mut self.rng, out);
        self.wake(now, out);
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        if !self.endpoint.is_done() {
            self.endpoint.wake(now, &mut self.rng, out);
        }
    }

    fn next_wake(&self) -> Option<Duration> {
        self.endpoint.next_wake()
    }

    fn terminate(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.endpoint.terminate(now, &mut self.rng, out);
        self.wake(now, out);
    }

    fn has_exited(&self) -> bool {
        self.endpoint.is_done()
    }
}

/// Runs the `test` subcommand and returns the exit status: 0 valid, 1 invalid, 2 could not run.
pub fn test(mut options: TestOptions) -> ExitCode {
    let this_node = match std::env::current_exe() {
        Ok(path) => path,
        Err(error) => return could_not_run(&format!("where this program is can't be told: {error}")),
    };
    if options.bin.is_none() {
        options.node_args = own_arguments(options.workload, options.node_args);
    }
    judge(&options, &this_node)
}

fn judge(options: &TestOptions, this_node: &Path) -> ExitCode {
    match run_test(options, this_node, &mut io::stdout()) {
        Ok(verdict) => verdict.exit_code().into(),
        Err(error) => could_not_run(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "the command line speaks to a human")]
fn could_not_run(problem: &str) -> ExitCode {
    eprintln!("maelstrom-counter test: {problem}");
    2.into()
}

/// What this node must be told to serve the workload, before what the user tells it.
fn own_arguments(workload: Workload, given: Vec<String>) -> Vec<String> {
    let counter = match workload {
        Workload::GCounter => "g",
        Workload::PnCounter => "pn",
    };
    let is_given = given.iter().any(|arg| arg == "--counter" || arg.starts_with("--counter="));
    let own = if is_given { Vec::new() } else { vec!["--counter".into(), counter.into()] };
    [own, given].concat()
}
