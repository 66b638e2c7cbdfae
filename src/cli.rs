//! The command line.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, Resettable, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{AckPolicy, Config, CounterKind, MAX_NODES};
use crate::judge::{DocOptions, SimulateOptions, TestOptions};

/// A partition- and crash-proof counter that speaks the Maelstrom protocol.
///
/// Without a subcommand it is the node: JSON lines on stdin and stdout, logs on stderr.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do instead of running a node.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The node's settings.
    #[command(flatten)]
    pub node: NodeOptions,
}

/// What the binary can do besides running a node.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judges a node: real processes, a simulated network with faults, a verdict.
    ///
    /// Exit status: 0 valid, 1 invalid, 2 could not run.
    #[command(hide = !cfg!(feature = "bench"))]
    Test(Box<TestOptions>),
    /// Judges this node in simulation: random clusters under random faults, each from a seed, in virtual time.
    ///
    /// Exit status: 0 valid, 1 invalid, 2 could not run.
    #[command(hide = !cfg!(feature = "bench"))]
    Simulate(Box<SimulateOptions>),
    /// Prints the protocol of a workload or of a service: requests, answers, error codes.
    #[command(hide = !cfg!(feature = "bench"))]
    Doc(DocOptions),
    /// Prints a script that makes a shell complete this command line.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
}

/// The node's options.
#[derive(Debug, Clone, Args)]
pub struct NodeOptions {
    /// What is counted: a counter that only grows, or one that goes up and down.
    #[arg(long, env = "COUNTER_COUNTER", value_enum, default_value_t = CounterKind::G)]
    pub counter: CounterKind,
    /// When an add is acknowledged.
    #[arg(long, env = "COUNTER_ACK", default_value = "durable", value_parser = ack_policy())]
    pub ack: AckPolicy,
    /// Mean time between two gossip rounds, in milliseconds.
    #[arg(long, env = "COUNTER_GOSSIP_INTERVAL", value_name = "MS", default_value = "100", value_parser = milliseconds, allow_negative_numbers = true)]
    pub gossip_interval: Duration,
    /// How many peers a round gossips to, at most.
    #[arg(long, env = "COUNTER_FANOUT", value_name = "PEERS", default_value = "1", value_parser = fanout, allow_negative_numbers = true)]
    pub fanout: u16,
    /// How long the store may be silent before it counts as down, in milliseconds.
    #[arg(long, env = "COUNTER_STORE_TIMEOUT", value_name = "MS", default_value = "1000", value_parser = milliseconds, allow_negative_numbers = true)]
    pub store_timeout: Duration,
    /// How long a peer may take to confirm a message before it is sent anew, in milliseconds.
    #[arg(long, env = "COUNTER_PEER_TIMEOUT", value_name = "MS", default_value = "500", value_parser = milliseconds, allow_negative_numbers = true)]
    pub peer_timeout: Duration,
    /// What to log: off, error, warn, info, debug, trace (every message), or a tracing filter. [default: info;
    /// simulations: off]
    #[arg(long, env = "COUNTER_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// Reads the command line, and the environment for what it leaves open. An empty variable counts as unset.
///
/// # Errors
///
/// A [`clap::Error`]: a wrong flag, or a call for help. If the wrong value is from the environment, the error names the
/// variable.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let command = Cli::command().mut_args(|arg| match arg.get_env() {
        Some(name) if is_empty(name) => arg.env(Resettable::Reset),
        _ => arg,
    });
    let variable = |error: &clap::Error| {
        let flag = match error.get(ContextKind::InvalidArg)? {
            ContextValue::String(usage) => usage.split([' ', '=']).next()?.to_owned(),
            _ => return None,
        };
        let is_given = |argument: &OsString| argument.to_string_lossy().split('=').next() == Some(&*flag);
        let arg = command.get_arguments().find(|arg| arg.get_long() == flag.strip_prefix("--"))?;
        let name = arg.get_env().filter(|_| !arguments.iter().any(is_given))?;
        std::env::var_os(name).map(|_| name.to_string_lossy().into_owned())
    };
    command
        .clone()
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| match variable(&error) {
            Some(name) => {
                let text = error.to_string();
                let text = text.strip_prefix("error: ").unwrap_or(&text);
                command
                    .clone()
                    .error(error.kind(), format!("in the environment variable {name}: {}", text.trim_end()))
            }
            None => error,
        })
}

/// The script that makes a shell complete this command line.
pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "maelstrom-counter", &mut script);
    script
}

impl NodeOptions {
    /// The node's configuration.
    pub fn config(&self) -> Config {
        Config {
            counter: self.counter,
            ack: self.ack,
            gossip_interval: self.gossip_interval,
            fanout: self.fanout.into(),
            store_timeout: self.store_timeout,
            peer_timeout: self.peer_timeout,
        }
    }
}

/// The replica's acknowledgement policies, with their names and help texts on the command line.
const POLICIES: [(&str, AckPolicy, &str); 3] = [
    ("store", AckPolicy::Store, "Once the store has confirmed it: survives every node dying at once"),
    (
        "durable",
        AckPolicy::Durable,
        "As `store`; while the store does not answer, once a peer has confirmed it",
    ),
    ("memory", AckPolicy::Memory, "At once: a crash loses what had not yet left the node"),
];

pub(crate) fn ack_policy() -> impl TypedValueParser<Value = AckPolicy> {
    let values = POLICIES.map(|(name, _, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).map(|given| ack_policy_named(&given).unwrap_or(AckPolicy::Durable))
}

/// The policy of that name.
pub(crate) fn ack_policy_named(given: &str) -> Option<AckPolicy> {
    POLICIES.iter().find(|(name, ..)| *name == given).map(|(_, policy, _)| *policy)
}

/// The name of a policy on the command line.
#[cfg(feature = "bench")]
pub(crate) fn name_of_ack_policy(policy: AckPolicy) -> &'static str {
    match policy {
        AckPolicy::Store => "store",
        AckPolicy::Durable => "durable",
        AckPolicy::Memory => "memory",
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    const LONGEST: u64 = 3_600_000;
    match text.parse() {
        Ok(ms @ 1..=LONGEST) => Ok(Duration::from_millis(ms)),
        _ => Err(format!("expected a whole number of milliseconds from 1 to {LONGEST} (an hour)")),
    }
}

/// Reads how many peers a round gossips to. The largest cluster bounds it.
fn fanout(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(peers) if (1..=MAX_NODES).contains(&usize::from(peers)) => Ok(peers),
        _ => Err(format!("expected a whole number from 1 to {MAX_NODES}, the largest cluster")),
    }
}
