//! Flags of Maelstrom that this bench refuses, each with the reason.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::error::BenchError;

/// The flags and why they can't have their effect here.
const REFUSED: [(&str, &str); 8] = [
    (
        "leave-db-running",
        "no node outlives the bench. The directory of the run has what the nodes left behind",
    ),
    ("logging-json", "this bench keeps no log of its own. --json prints the outcome as JSON"),
    ("node", "--nodes n1,n2 names the nodes"),
    ("nodes-file", "--nodes n1,n2 names the nodes"),
    ("password", NO_SSH),
    ("ssh-private-key", NO_SSH),
    ("strict-host-key-checking", NO_SSH),
    ("username", NO_SSH),
];

const NO_SSH: &str = "nodes are processes of this machine, and nobody logs in";

/// Flags of Maelstrom that this bench refuses. The help does not list them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusedOptions {
    given: Option<(&'static str, &'static str)>,
}

impl RefusedOptions {
    /// # Errors
    /// If one of the flags was given. The text has the reason.
    pub(super) fn check(&self) -> Result<(), BenchError> {
        match self.given {
            None => Ok(()),
            Some((flag, why)) => Err(BenchError::Usage(format!("--{flag} is not supported, because {why}"))),
        }
    }
}

impl Args for RefusedOptions {
    fn augment_args(command: Command) -> Command {
        REFUSED.iter().fold(command, |command, (flag, _)| {
            let arg = Arg::new(*flag).long(*flag).num_args(0..=1).action(ArgAction::Append).hide(true);
            command.arg(if *flag == "node" { arg.short('n') } else { arg })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RefusedOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { given: REFUSED.into_iter().find(|(flag, _)| matches.contains_id(flag)) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
