//! The command line with which this program was called.

use std::ffi::OsString;

use clap::{Args, Command};

use super::super::shell::quoted;
use super::options::SimulateOptions;

/// The words of the command line. The first one is the program.
pub(super) struct Called {
    words: Vec<String>,
    known: Vec<Flag>,
}

/// A flag of this command line.
struct Flag {
    long: String,
    short: Option<char>,
    takes_value: bool,
}

/// How a word of the command line names a flag.
enum Named {
    /// The value, if there is one, is in the same word.
    WithItsValue,
    /// The next word is the value.
    BeforeItsValue,
}

impl Called {
    pub(super) fn new(words: impl Iterator<Item = OsString>) -> Self {
        let words = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let command = SimulateOptions::augment_args(Command::new("simulate"));
        let flag = |arg: &clap::Arg| {
            let (short, takes_value) = (arg.get_short(), arg.get_action().takes_values());
            arg.get_long().map(|long| Flag { long: long.to_owned(), short, takes_value })
        };
        Self { words, known: command.get_arguments().filter_map(flag).collect() }
    }

    /// The command with these flags in place of all flags of a campaign, but `--store`, and of those that bear the same
    /// names. Flags that only the program knows stay.
    pub(super) fn replay(&self, flags: &[String]) -> String {
        let own: Vec<Flag> = flags
            .iter()
            .filter_map(|flag| flag.strip_prefix("--"))
            .map(|name| Flag { long: name.to_owned(), short: None, takes_value: true })
            .collect();
        let known = self.known.iter().filter(|flag| flag.long != "store");
        self.with(&known.chain(&own).collect::<Vec<_>>(), flags)
    }

    /// The command with other seeds.
    pub(super) fn with_seeds(&self, seeds: &str) -> String {
        let known = self.known.iter().filter(|flag| flag.long == "seeds");
        self.with(&known.collect::<Vec<_>>(), &["--seeds".into(), seeds.into()])
    }

    fn with(&self, dropped: &[&Flag], flags: &[String]) -> String {
        let mut words = self.words.iter();
        let mut kept: Vec<String> = words.next().map(|program| quoted(program)).into_iter().collect();
        while let Some(word) = words.next() {
            match dropped.iter().find_map(|flag| flag.named(word)) {
                None => kept.push(quoted(word)),
                Some(Named::WithItsValue) => {}
                Some(Named::BeforeItsValue) => {
                    words.next();
                }
            }
        }
        kept.extend(flags.iter().map(|flag| quoted(flag)));
        kept.join(" ")
    }
}

impl Flag {
    fn named(&self, word: &str) -> Option<Named> {
        let alone = if self.takes_value { Named::BeforeItsValue } else { Named::WithItsValue };
        if let Some(rest) = word.strip_prefix("--").and_then(|word| word.strip_prefix(&*self.long)) {
            return match rest {
                "" => Some(alone),
                _ => rest.starts_with('=').then_some(Named::WithItsValue),
            };
        }
        let rest = self.short.and_then(|short| word.strip_prefix('-')?.strip_prefix(short))?;
        Some(if rest.is_empty() { alone } else { Named::WithItsValue })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(words: &str) -> Called {
        Called::new(words.split(' ').map(OsString::from))
    }

    #[test]
    fn a_replay_keeps_the_program_its_subcommand_and_the_flags_that_only_it_knows() {
        let flags = ["--seeds", "7", "--ack", "store"].map(str::to_owned);
        for words in [
            "bin/it simulate --plant",
            "bin/it simulate --seeds 0..9 --plant --json -w g-counter",
            "bin/it simulate --seeds=0..9 --rate=5 -wg-counter --plant --ack memory",
        ] {
            assert_eq!(
                called(words).replay(&flags),
                "bin/it simulate --plant --seeds 7 --ack store",
                "{words}"
            );
        }
    }

    #[test]
    fn the_command_that_goes_on_is_the_same_but_for_the_seeds() {
        let goes_on = called("it simulate --seeds 0..9 --rate 5 --keep-going").with_seeds("4..9");
        assert_eq!(goes_on, "it simulate --rate 5 --keep-going --seeds 4..9");
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        let called = Called::new(["/a b/it", "--name", "it's"].map(OsString::from).into_iter());
        assert_eq!(called.with_seeds("4"), r"'/a b/it' --name 'it'\''s' --seeds 4");
    }
}
