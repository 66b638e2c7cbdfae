//! The command line.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Loaded, SETTINGS, Setting, Sources};

mod client;
mod cluster;
mod counting;
mod doctor;
#[cfg(feature = "nats")]
mod nats_config;
mod token;
mod top;
mod transfer;

pub use client::Failure;

/// Counters as a service: over HTTP and the Redis protocol, durable, exact after any crash.
///
/// Without a subcommand it serves. Each setting is a flag, an environment variable and a key of the TOML file that `--config` names:
/// `--max-body`, `COUNTERD_MAX_BODY` and `max-body` are the same. The flag wins over the variable, the variable over the file.
#[derive(Debug, Parser)]
#[command(name = "counterd", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the program can do besides serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the value of a counter. Of several: a line each, with the value, a tab and the name.
    Get(counting::Get),
    /// Adds to a counter, and prints its value.
    Add(counting::Add),
    /// Shows the counters that change most.
    Top(top::Top),
    /// Shows the nodes of the cluster, as one of them sees it.
    Cluster(cluster::Cluster),
    /// Writes all counts, as lines of JSON that can be imported anywhere.
    Export(transfer::Export),
    /// Merges counts that were exported. No count is lowered, and what is known changes nothing.
    Import(transfer::Import),
    /// Says what is wrong with the server and this machine, and what to do. Exit status: 0, or 1 if a check fails.
    Doctor(doctor::Doctor),
    /// Makes a token: prints its secret, and the line for the file of tokens.
    Token(token::Token),
    /// Prints a configuration for the NATS servers of a cluster: each node may do what it needs, and cannot speak in another one's name.
    #[cfg(feature = "nats")]
    NatsConfig(nats_config::NatsConfig),
    /// Prints the settings that are in force, and where each stands, as a file that can be used.
    Config,
    /// Prints a script that makes a shell complete this command line.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Prints the man page.
    Man,
}

/// What a command line says.
#[derive(Debug)]
pub struct Call {
    /// The subcommand. `None`: serve.
    pub command: Option<Command>,
    /// The settings. They are the defaults for a subcommand that has none.
    pub settings: Loaded,
}

impl Command {
    /// Does it, and returns what to print, and the exit status.
    ///
    /// # Errors
    ///
    /// [`Failure`]
    pub fn run(self, settings: &Loaded) -> Result<(Vec<u8>, ExitCode), Failure> {
        let done = |text: String| Ok((text.into_bytes(), ExitCode::SUCCESS));
        match self {
            Self::Get(get) => done(get.run()?),
            Self::Add(add) => done(add.run()?),
            Self::Top(top) => top.run().map(|()| (Vec::new(), ExitCode::SUCCESS)),
            Self::Cluster(cluster) => done(cluster.run()?),
            Self::Export(export) => done(export.run()?),
            Self::Import(import) => done(import.run()?),
            Self::Doctor(doctor) => {
                let (lines, has_failed) = doctor.run(&settings.config)?;
                let status = if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS };
                Ok((lines.into_bytes(), status))
            }
            Self::Token(token) => {
                let (secret, line) = token.run()?;
                // Without the secret the line would be of no use.
                let told = std::io::stderr().write_all(secret.as_bytes());
                told.map_err(|error| Failure::new(format!("can't print: {error}")))?;
                done(line)
            }
            #[cfg(feature = "nats")]
            Self::NatsConfig(config) => done(config.run()?),
            Self::Config => done(settings.to_string()),
            Self::Completions { shell } => Ok((completions(shell), ExitCode::SUCCESS)),
            Self::Man => Ok((man(), ExitCode::SUCCESS)),
        }
    }
}

/// Reads the command line, the environment, and the configuration file.
///
/// # Errors
///
/// A [`clap::Error`]: a wrong value, or a call for help.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Call, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let call = Cli::from_arg_matches(&matches)?;
    let with_settings = match matches.subcommand() {
        Some((_, of_subcommand)) if of_subcommand.try_contains_id("config").is_ok() => Some(of_subcommand),
        Some(_) => None,
        None => Some(&matches),
    };
    let sources = Sources {
        flags: with_settings.map(flags).unwrap_or_default(),
        file: with_settings.and_then(|matches| matches.get_one::<PathBuf>("config").cloned()),
        variables: with_settings.map(|_| std::env::vars_os().collect()).unwrap_or_default(),
    };
    let settings =
        sources.load().map_err(|problem| command.error(clap::error::ErrorKind::ValueValidation, problem))?;
    Ok(Call { command: call.command, settings })
}

/// The command line, with all settings.
pub fn command() -> clap::Command {
    let with_settings = |command: clap::Command| command.args(setting_args());
    let command = with_settings(Cli::command());
    command.mut_subcommand("config", with_settings).mut_subcommand("doctor", with_settings)
}

fn setting_args() -> Vec<Arg> {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("A TOML file of settings [env: COUNTERD_CONFIG]");
    std::iter::once(file).chain(SETTINGS.iter().map(arg)).collect()
}

fn arg(setting: &Setting) -> Arg {
    let default = setting.default().map(|default| format!(" [default: {default}]")).unwrap_or_default();
    let arg = Arg::new(setting.key).long(setting.key).help_heading(setting.heading);
    if setting.value_name.is_empty() {
        let values = PossibleValuesParser::new(["true", "false"]);
        let arg = arg.num_args(0..=1).require_equals(true).default_missing_value("true");
        return arg.value_parser(values).hide_possible_values(true).help(setting.help);
    }
    arg.value_name(setting.value_name).allow_negative_numbers(true).help(format!("{}{default}", setting.help))
}

/// The settings that are given as flags.
fn flags(matches: &ArgMatches) -> std::collections::BTreeMap<&'static str, String> {
    let text = |setting: &Setting| matches.get_one::<String>(setting.key).cloned();
    SETTINGS.iter().filter_map(|setting| Some((setting.key, text(setting)?))).collect()
}

/// The script that makes a shell complete this command line.
fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "counterd", &mut script);
    script
}

/// The man page.
fn man() -> Vec<u8> {
    let mut page = Vec::new();
    // Writing to memory can't fail.
    let _written = clap_mangen::Man::new(command()).render(&mut page);
    page
}
