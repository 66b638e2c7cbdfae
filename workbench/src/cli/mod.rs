//! The `test` command: flags in, a verdict out.

mod index;
mod options;
mod progress;
mod record;
mod shell;
mod simulate;
mod store;
mod terminal;
mod values;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

pub use self::options::{IdleOptions, NodeList, RefusedOptions, TestOptions, TransactionFlags};
use self::progress::ProgressLine;
pub use self::simulate::{SimulateOptions, run_simulations};
use self::store::RunDirectory;
pub use self::terminal::Terminal;
pub use self::values::{FaultList, StrictList};

use crate::error::BenchError;
use crate::host::process::{FloodPlan, NodeCommand, flood_process, run_processes};

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No rule was broken.
    Valid,
    /// At least one rule was broken.
    Invalid,
}

impl Verdict {
    fn of(valid: bool) -> Self {
        if valid { Self::Valid } else { Self::Invalid }
    }
}

/// The exit status of a command: 0 valid, 1 invalid, 2 if it could not run. Then the reason goes to standard error, after the
/// command's name.
pub fn exit_code(command: &str, outcome: Result<Verdict, BenchError>) -> ExitCode {
    match outcome {
        Ok(Verdict::Valid) => ExitCode::SUCCESS,
        Ok(Verdict::Invalid) => 1.into(),
        Err(error) => {
            // If standard error is closed there is no one to tell.
            let _ = writeln!(std::io::stderr(), "{command}: {error}");
            2.into()
        }
    }
}

/// What a user who names no program needs to know.
const NO_PROGRAM: &str = "name the program to test with --bin. The folder examples/nodes of maelstrom-workbench has demo nodes: \
                          try -w echo --bin echo.py";

/// Runs the test that the flags ask for, against child processes. The outcome goes to `out`, progress to standard error.
///
/// `own` is tested if there is no `--bin`.
///
/// # Errors
/// If the test could not be run, or its outcome could not be printed: see [`BenchError`]. It is no error if the outcome
/// can't be recorded (a note on standard error says so), or if the reader of `out` has closed it.
pub fn run_test(
    options: &TestOptions,
    own: Option<&Path>,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    options.check()?;
    let program = options.bin.as_deref().or(own).ok_or_else(|| BenchError::Usage(NO_PROGRAM.into()))?;
    for note in options.notes() {
        // If standard error is closed there is no one to tell.
        let _ = writeln!(std::io::stderr(), "note: {note}");
    }
    let program = located(program)?;
    let first = options.seed.unwrap_or_else(rand::random);
    for number in 0..options.test_count {
        let seed = first.wrapping_add(number.into());
        let once = TestOptions { seed: Some(seed), ..options.clone() };
        if run_once(&once, seed, &program, out)? == Verdict::Invalid {
            return Ok(Verdict::Invalid);
        }
    }
    Ok(Verdict::Valid)
}

fn run_once(
    options: &TestOptions,
    seed: u64,
    program: &Path,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    let directory = RunDirectory::create(&options.store, options.workload().name(), seed)?;
    let (args, path) = (options.node_args.clone(), directory.path().to_owned());
    let command = NodeCommand { program: program.to_owned(), args, directory: path };
    match options.flood_plan(seed) {
        Some(plan) => run_flood(options.json, &plan, &command, &directory, out),
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
    let record = || directory.write_run(&report).map(Some);
    let replay = directory.circumstances().replay(seed);
    let for_people = || format!("{report}\nreplay      {replay}");
    let text = text(options.json, &directory.circumstances().record(&report), for_people);
    conclude(options.json, &text, record, out)?;
    if report.interrupted { Err(BenchError::Interrupted) } else { Ok(Verdict::of(report.valid)) }
}

fn run_flood(
    json: bool,
    plan: &FloodPlan,
    command: &NodeCommand,
    directory: &RunDirectory,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    let report = flood_process(plan, command)?;
    let record = || directory.write_results(&report).map(Some);
    let text = text(json, &directory.circumstances().record(&report), || report.to_string());
    conclude(json, &text, record, out)?;
    Ok(Verdict::of(report.valid))
}

/// A report as the flags want it.
fn text(json: bool, report: &impl Serialize, for_people: impl FnOnce() -> String) -> String {
    if json {
        serde_json::to_string_pretty(report).unwrap_or_else(|error| error.to_string())
    } else {
        for_people()
    }
}

/// Prints an outcome, and then records it, so that a full disk can't suppress the verdict. `record` returns the place, if
/// there is anything to record.
fn conclude(
    json: bool,
    text: &str,
    record: impl FnOnce() -> Result<Option<PathBuf>, BenchError>,
    out: &mut dyn Write,
) -> Result<(), BenchError> {
    let printed = writeln!(out, "{text}").and_then(|()| out.flush());
    let noted = match record() {
        Ok(Some(path)) if !json => tell_of_record(&path, out),
        Ok(_) => Ok(()),
        Err(error) => {
            // If standard error is closed there is no one to tell.
            let _ = writeln!(std::io::stderr(), "error: the record of this run is not complete: {error}");
            Ok(())
        }
    };
    match printed.and(noted) {
        // A reader that closes early (`| head`) has all that it wanted.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(BenchError::io("cannot print the outcome")),
    }
}

/// Terminals open a whole path.
fn tell_of_record(directory: &Path, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "recorded    {}", directory.display())?;
    let page = directory.join("report.html");
    match std::path::absolute(&page) {
        Ok(whole) if page.is_file() => writeln!(out, "report      {}", whole.display()),
        Ok(_) | Err(_) => Ok(()),
    }?;
    out.flush()
}

/// The program's full path, so that it means the same in the directory of each node. A name without a slash that is no file
/// here is looked up in `PATH`.
fn located(path: &Path) -> Result<PathBuf, BenchError> {
    let fail = |source, advice| BenchError::Spawn { path: path.to_owned(), source, advice };
    let is_name = path.components().count() == 1 && !path.to_string_lossy().contains('/');
    if is_name
        && !path.is_file()
        && let Ok(found) = which::which(path)
    {
        return Ok(found);
    }
    if !path.exists() {
        let advice = is_name.then(|| "there is no such file here, and no such program in PATH".into());
        return Err(fail(ErrorKind::NotFound.into(), advice));
    }
    std::path::absolute(path).map_err(|source| fail(source, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_a_file_here_or_a_name_in_path() {
        // Tests run in the crate's directory.
        assert_eq!(
            located(Path::new("Cargo.toml")).unwrap(),
            std::env::current_dir().unwrap().join("Cargo.toml")
        );
        assert_eq!(
            located(Path::new("src/lib.rs")).unwrap(),
            std::env::current_dir().unwrap().join("src/lib.rs")
        );
        let shell = located(Path::new("sh")).unwrap();
        assert!(shell.is_absolute() && shell.ends_with("sh"), "{}", shell.display());
        let error = located(Path::new("no-such-program")).unwrap_err().to_string();
        assert!(error.contains("no-such-program") && error.contains("PATH"), "{error}");
        for nowhere in ["./sh", "no/such/program", ""] {
            assert!(!located(Path::new(nowhere)).unwrap_err().to_string().contains("PATH"), "{nowhere}");
        }
    }

    /// An output that fails.
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_outcome_that_cannot_be_printed_is_recorded() {
        for (kind, is_fine) in [(ErrorKind::BrokenPipe, true), (ErrorKind::StorageFull, false)] {
            let mut is_recorded = false;
            let record = || {
                is_recorded = true;
                Ok(None)
            };
            assert_eq!(conclude(false, "valid", record, &mut Broken(kind)).is_ok(), is_fine);
            assert!(is_recorded);
        }
    }

    #[test]
    fn an_outcome_that_cannot_be_recorded_is_printed() {
        let mut out = Vec::new();
        let record = || Err(BenchError::io("cannot write x")(ErrorKind::StorageFull.into()));
        conclude(false, "valid", record, &mut out).unwrap();
        assert_eq!(out, b"valid\n");
    }
}
