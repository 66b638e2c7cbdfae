//! The binary: parses the arguments, sets up the log, and hands over to the library.

use std::process::ExitCode;

use clap::Parser;
use maelstrom_counter::cli::{Cli, Command};
use maelstrom_counter::{judge, runtime};

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = runtime::log_to_stderr(&cli.node.log) {
        clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("--log: {error}\n")).exit();
    }
    if let Some(Command::Test(options)) = cli.command {
        return judge::test(*options);
    }
    match runtime::run(cli.node.config()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the node ends");
            ExitCode::FAILURE
        }
    }
}
