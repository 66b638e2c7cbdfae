//! The program: judges any Maelstrom node.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use workbench::{DocOptions, Terminal, TestOptions, Verdict, exit_code, print_doc, run_test};

/// Judges Maelstrom nodes: real processes, a simulated network with faults, a verdict, and a report.
#[derive(Debug, Parser)]
#[command(name = "maelstrom-workbench", version, arg_required_else_help = true, after_help = EXAMPLE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLE: &str = "\
Example:
  maelstrom-workbench doc echo
  maelstrom-workbench test -w echo --bin ./echo.py --node-count 1 --time-limit 10";

#[derive(Debug, Subcommand)]
enum Command {
    /// Judges a node.
    ///
    /// The flags and their defaults are Maelstrom's, and there are more. Exit status: 0 valid, 1 invalid, 2 could not run.
    Test(Box<TestOptions>),
    /// Prints the protocol of a workload or of a service: requests, answers, error codes.
    Doc(DocOptions),
    /// Prints a script that makes a shell complete this command line.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Test(options) => {
            exit_code("maelstrom-workbench test", run_test(&options, None, &mut Terminal::stdout()))
        }
        Command::Doc(options) => {
            let printed = print_doc(&options, &mut io::stdout());
            exit_code("maelstrom-workbench doc", printed.map(|()| Verdict::Valid))
        }
        Command::Completions { shell } => print_completions(shell),
    }
}

fn print_completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "maelstrom-workbench", &mut script);
    if io::stdout().write_all(&script).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
