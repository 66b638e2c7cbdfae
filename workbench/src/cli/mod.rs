//! The `test` command: flags in, a verdict out.

mod options;
mod progress;
mod simulate;
mod store;
mod values;

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

pub use self::options::TestOptions;
use self::progress::ProgressLine;
pub use self::simulate::{SimulateOptions, run_simulations};
use self::store::RunDirectory;
pub use self::values::{FaultList, StrictList};

use crate::error::BenchError;
use crate::host::process::{FloodPlan, NodeCommand, flood_process, run_processes};

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No rule was broken.
    Valid,
    /// Some rule was.
    Invalid,
}

impl Verdict {
    /// The exit status: 0 or 1. (2 is for a [`BenchError`].)
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
        }
    }

    fn of(valid: bool) -> Self {
        if valid { Self::Valid } else { Self::Invalid }
    }
}

/// Runs the test that the flags ask for, against child processes. The outcome goes to `out`, progress to standard error.
///
/// `default_bin` is tested if `--bin` names nothing.
///
/// # Errors
/// If the test could not be run: see [`BenchError`].
pub fn run_test(
    options: &TestOptions,
    default_bin: &Path,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    options.check()?;
    let seed = options.seed.unwrap_or_else(rand::random);
    let directory = RunDirectory::create(&options.store, options.workload.name(), seed)?;
    let command = NodeCommand {
        program: program(options.bin.as_deref().unwrap_or(default_bin))?,
        args: options.node_args.clone(),
        log_dir: directory.path().to_owned(),
    };
    match options.flood {
        Some(requests) => run_flood(options, seed, requests, &command, &directory, out),
        None => run_cluster(options, seed, &command, &directory, out),
    }
}

fn run_cluster(
    options: &TestOptions,
    seed: u64,
    command: &NodeCommand,
    directory: &RunDirectory,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    let mut line = ProgressLine::new();
    let report = run_processes(&options.plan(seed), command, &mut |progress| line.show(progress))?;
    drop(line);
    directory.write_run(&report)?;
    print(options.json, &report, directory, out)?;
    if report.interrupted { Err(BenchError::Interrupted) } else { Ok(Verdict::of(report.valid)) }
}

fn run_flood(
    options: &TestOptions,
    seed: u64,
    requests: u32,
    command: &NodeCommand,
    directory: &RunDirectory,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    let (max_cpu_us, max_rss_mb) = (options.max_cpu_us, options.max_rss_mb);
    let plan = FloodPlan { requests, seed, workload: options.workload, max_cpu_us, max_rss_mb };
    let report = flood_process(&plan, command)?;
    directory.write_results(&report)?;
    print(options.json, &report, directory, out)?;
    Ok(Verdict::of(report.valid))
}

/// Prints a report, and where it is recorded.
fn print<R: Serialize + Display>(
    json: bool,
    report: &R,
    directory: &RunDirectory,
    out: &mut dyn Write,
) -> Result<(), BenchError> {
    let printed = if json {
        serde_json::to_writer_pretty(&mut *out, report).map_err(Into::into).and_then(|()| writeln!(out))
    } else {
        writeln!(out, "{report}\nrecorded    {}", directory.path().display())
    };
    printed.map_err(BenchError::io("cannot print the outcome"))
}

/// The program's full path, so that it means the same wherever a node runs.
fn program(path: &Path) -> Result<std::path::PathBuf, BenchError> {
    path.canonicalize().map_err(|source| BenchError::Spawn { path: path.to_owned(), source })
}
