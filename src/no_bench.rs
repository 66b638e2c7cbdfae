//! Stands in for `judge` in a build without the feature `bench`: the same names, and one sentence for the user.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

const NO_BENCH: &str = "this build has no test bench; `cargo build --release` without `--no-default-features` makes one \
                        that has";

/// The arguments of a subcommand that is not in this build. They are not read, so anything is allowed.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, after_help = NO_BENCH)]
pub struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

pub use Options as DocOptions;
pub use Options as SimulateOptions;
pub use Options as TestOptions;

/// A moment in a simulation, of which this build has none.
#[derive(Debug)]
pub struct Moment {
    /// The time since the start of the run.
    pub at: Duration,
    /// The index of the node.
    pub node: usize,
}

/// No simulation runs.
pub fn simulated_moment() -> Option<Moment> {
    None
}

/// Says that this build can't run the `test` subcommand. The exit status is 2: could not run.
pub fn test(_: Options) -> ExitCode {
    say_that_there_is_no_bench("test")
}

/// Says that this build can't run the `simulate` subcommand. The exit status is 2: could not run.
pub fn simulate(_: &Options) -> ExitCode {
    say_that_there_is_no_bench("simulate")
}

/// Says that this build can't run the `doc` subcommand. The exit status is 2: could not run.
pub fn doc(_: &Options) -> ExitCode {
    say_that_there_is_no_bench("doc")
}

#[expect(clippy::print_stderr, reason = "the command line speaks to a human")]
fn say_that_there_is_no_bench(command: &str) -> ExitCode {
    eprintln!("maelstrom-counter {command}: {NO_BENCH}");
    2.into()
}
