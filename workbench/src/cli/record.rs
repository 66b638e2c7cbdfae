//! What a record says of the run beside its outcome: who ran it, where, when, and how to run it again.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use super::shell::quoted;

/// The circumstances of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Circumstances {
    /// The program that ran the bench, as it was called.
    program: String,
    /// Its arguments.
    arguments: Vec<String>,
    /// The version of the bench.
    version: &'static str,
    /// The machine's name.
    host: String,
    /// When the run began, in UTC.
    date: String,
}

/// An outcome with its circumstances, as `results.json` has them.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a, T> {
    run: &'a Circumstances,
    #[serde(flatten)]
    outcome: &'a T,
}

impl Circumstances {
    /// Those of this process, for a run that began at that time of day.
    pub(super) fn of_this_process(date: String) -> Self {
        let text = |argument: OsString| argument.to_string_lossy().into_owned();
        let mut line = std::env::args_os().map(text);
        let program = line.next().unwrap_or_default();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { program, arguments: line.collect(), version: env!("CARGO_PKG_VERSION"), host, date }
    }

    pub(super) fn record<'a, T>(&'a self, outcome: &'a T) -> Record<'a, T> {
        Record { run: self, outcome }
    }

    /// The command line that runs this once more with that seed.
    pub(super) fn replay(&self, seed: u64) -> String {
        let end = self.arguments.iter().position(|argument| argument == "--").unwrap_or(self.arguments.len());
        let (flags, node_args) = self.arguments.split_at(end);
        let name = Path::new(&self.program)
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let program = if self.program.contains('/') { self.program.clone() } else { name };
        let seed = ["--seed".to_owned(), seed.to_string()];
        let words =
            std::iter::once(program).chain(once_each(flags)).chain(seed).chain(node_args.iter().cloned());
        words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
    }
}

/// The flags without those that choose the seed and the number of runs.
fn once_each(flags: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.split_once('=').map_or(&**flag, |(name, _)| name) {
            "--seed" | "--test-count" if !flag.contains('=') => drop(flags.next()),
            "--seed" | "--test-count" => {}
            _ => kept.push(flag.clone()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replay_has_the_seed_and_runs_once() {
        let replay = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            let mine = Circumstances::of_this_process(String::new());
            Circumstances { program: "bench".into(), arguments, ..mine }.replay(7)
        };
        assert_eq!(replay(&["test", "-w", "echo"]), "bench test -w echo --seed 7");
        let given =
            ["test", "--seed", "1", "--test-count=9", "--seed=3", "--bin", "my node", "--", "--seed", "it's"];
        assert_eq!(replay(&given), r"bench test --bin 'my node' --seed 7 -- --seed 'it'\''s'");
    }
}
