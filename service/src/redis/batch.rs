//! The commands between MULTI and EXEC.

use std::ops::Range;

use super::requests::Command;
use super::table::Spec;

/// The commands between MULTI and EXEC.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    arguments: Vec<Range<usize>>,
    commands: Vec<(&'static Spec, Range<usize>)>,
    is_spoilt: bool,
}

/// A batch may have so many bytes.
const MAX_BYTES: usize = 1 << 20;
/// And so many arguments, the names of its commands among them. So it has no more steps than a change may have.
const MAX_ARGUMENTS: usize = embedded::MAX_BATCH;

impl Batch {
    /// Takes in a command. False: there is no room for it, and the batch is spoilt.
    pub(super) fn push(&mut self, spec: &'static Spec, command: Command<'_>) -> bool {
        let length: usize = command.from(0).map(<[u8]>::len).sum();
        if self.bytes.len() + length > MAX_BYTES || self.arguments.len() + command.len() > MAX_ARGUMENTS {
            self.is_spoilt = true;
            return false;
        }
        let begin = self.arguments.len();
        for argument in command.from(0) {
            let from = self.bytes.len();
            self.bytes.extend_from_slice(argument);
            self.arguments.push(from..self.bytes.len());
        }
        self.commands.push((spec, begin..self.arguments.len()));
        true
    }

    /// A command was refused: the batch must not be done.
    pub(super) fn spoil(&mut self) {
        self.is_spoilt = true;
    }

    pub(super) fn is_spoilt(&self) -> bool {
        self.is_spoilt
    }

    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    pub(super) fn commands(&self) -> impl Iterator<Item = (&'static Spec, Command<'_>)> {
        self.commands.iter().map(|(spec, range)| {
            let arguments = self.arguments.get(range.clone()).unwrap_or_default();
            (*spec, Command::new(&self.bytes, arguments))
        })
    }
}
