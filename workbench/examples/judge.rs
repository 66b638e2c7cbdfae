//! The bench as a program of its own: judges any Maelstrom node.
//!
//! `cargo run --release -p maelstrom-workbench --example judge -- --bin path/to/node --nemesis partition,kill`

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};
use workbench::{TestOptions, run_test};

#[derive(Parser)]
#[command(about = "Judges a Maelstrom node")]
struct Cli {
    #[command(flatten)]
    options: TestOptions,
}

fn main() -> ExitCode {
    let options = options();
    match run_test(&options, Path::new("node"), &mut std::io::stdout().lock()) {
        Ok(verdict) => verdict.exit_code().into(),
        Err(error) => {
            // Nobody is left to be told if standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            2.into()
        }
    }
}

/// There is no node in this program: the flags must name one.
fn options() -> TestOptions {
    let command = Cli::command().mut_arg("bin", |arg| arg.required(true).help("The program to test"));
    Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit()).options
}
