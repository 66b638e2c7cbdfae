//! The command line that runs a cluster once more.

use clap::{Arg, Args, Command};

use super::SimulateOptions;

/// How a program was called: its name, and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine(Vec<String>);

impl CommandLine {
    /// The command line of this process.
    pub fn of_this_process() -> Self {
        Self::new(std::env::args_os().map(|word| word.to_string_lossy().into_owned()))
    }

    /// A program and its arguments.
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        Self(words.into_iter().collect())
    }

    /// The line that does the same with these flags in place of all flags of [`SimulateOptions`]. The flags of the program
    /// itself stay.
    pub(super) fn with_all(&self, flags: &[String]) -> String {
        self.with(flags, |_| true)
    }

    /// The line that does the same with these flags in place of the one of that name.
    pub(super) fn with_one(&self, name: &str, flags: &[String]) -> String {
        self.with(flags, |known| known.get_long() == Some(name))
    }

    fn with(&self, flags: &[String], replaces: impl Fn(&Arg) -> bool) -> String {
        let command = SimulateOptions::augment_args(Command::new(""));
        let mut kept = Vec::new();
        let mut words = self.0.iter();
        while let Some(word) = words.next() {
            match command.get_arguments().find(|known| is(known, word)).filter(|known| replaces(known)) {
                None => kept.push(word),
                Some(known) if has_value_behind(known, word) => drop(words.next()),
                Some(_) => {}
            }
        }
        kept.into_iter().chain(flags).map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// Whether the word is that flag, with its value or without.
fn is(flag: &Arg, word: &str) -> bool {
    match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(long), _) => flag.get_long() == long.split('=').next(),
        (None, Some(short)) => flag.get_short().is_some() && flag.get_short() == short.chars().next(),
        (None, None) => false,
    }
}

/// Whether the flag's value is the next word.
fn has_value_behind(flag: &Arg, word: &str) -> bool {
    let is_complete = if word.starts_with("--") { word.contains('=') } else { word.chars().count() > 2 };
    flag.get_action().takes_values() && !is_complete
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_program_stay_and_those_of_the_campaign_are_replaced() {
        let words =
            "path/to/program simulate --seeds 0..9 -w echo --ack store --rate=5 --keep-going -wg-set it's";
        let line = CommandLine::new(words.split(' ').map(str::to_owned));
        let flags = ["--seeds".to_owned(), "7".to_owned()];
        assert_eq!(line.with_all(&flags), r"path/to/program simulate --ack store 'it'\''s' --seeds 7");
        let other_seeds = line.with_one("seeds", &flags);
        assert!(
            other_seeds.starts_with("path/to/program simulate -w echo --ack store --rate=5"),
            "{other_seeds}"
        );
        assert!(other_seeds.ends_with(" --seeds 7") && !other_seeds.contains("0..9"), "{other_seeds}");
    }
}
