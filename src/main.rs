//! The binary: parses the arguments, sets up the log, and hands over to the library.

use std::io::Write;
use std::process::ExitCode;

use maelstrom_counter::cli::Command;
use maelstrom_counter::{cli, judge, log, runtime};

fn main() -> ExitCode {
    let cli = cli::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let default_log = if cli.command.is_some() { "off" } else { "info" };
    if let Err(error) = log::to_stderr(cli.node.log.as_deref().unwrap_or(default_log)) {
        clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("--log: {error}\n")).exit();
    }
    match cli.command {
        Some(Command::Test(options)) => return judge::test(*options),
        Some(Command::Simulate(options)) => return judge::simulate(&options),
        Some(Command::Doc(options)) => return judge::doc(&options),
        Some(Command::Completions { shell }) => {
            let printed = std::io::stdout().write_all(&cli::completions(shell));
            return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        None => {}
    }
    match runtime::run(cli.node.config()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the node ends");
            ExitCode::FAILURE
        }
    }
}
