//! What a workload measures in a run.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

/// A figure of the workload's own, with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The name, at most eleven characters.
    pub name: &'static str,
    /// For people: one line.
    pub text: String,
    /// For programs.
    pub value: Value,
}

impl Figure {
    /// A figure, for people and for programs.
    pub fn new(name: &'static str, text: String, value: Value) -> Self {
        Self { name, text, value }
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:<11} {}", self.name, self.text)
    }
}
