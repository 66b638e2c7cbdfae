//! The protocol of a workload, as data: what is asked and answered.

use crate::answer::{Answer, check_fields};
use crate::body::Body;
use crate::json::Json;

/// A request with the name `x`. The answer to it has the type `x_ok`, or else it is an error.
#[derive(Debug, PartialEq)]
pub struct Rpc {
    /// The `type` of the request, and its name in the history.
    pub name: &'static str,
    /// What it asks for, in a sentence.
    pub about: &'static str,
    /// Whether it changes nothing.
    pub is_read: bool,
    /// Whether an error can tell the client that nothing happened: a definite one, or any that answers a read. If not, every error
    /// means "may have happened", and a new client takes over. Maelstrom's clients of counters, sets, echoes and ids are such.
    pub trusts_errors: bool,
    /// The fields of the request beside `type` and `msg_id`: the name of each, and what it is, in words.
    pub asks: &'static [(&'static str, &'static str)],
    /// The field of the answer beside `type`, `in_reply_to` and perhaps `msg_id`, if there is one.
    pub answers: Option<(&'static str, Shape)>,
}

/// The shape of a value in an answer.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// An integer. It becomes [`Answer::Integer`].
    Integer,
    /// A list of anything, whose order means nothing. It becomes [`Answer::Elements`].
    Elements,
    /// Any value. It becomes [`Answer::Json`].
    Any,
    /// A value that `fits` accepts. It becomes [`Answer::Json`].
    Of {
        /// The shape, in words: "an object of integers".
        words: &'static str,
        /// Whether a value has it.
        fits: fn(&Json) -> bool,
    },
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Shape {
    /// The shape, in words.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Elements => "a list",
            Self::Any => "any value",
            Self::Of { words, .. } => words,
        }
    }

    fn read(&self, body: &Body<'_>, field: &str) -> Result<Answer, String> {
        match self {
            Self::Integer => Answer::integer(body, field),
            Self::Elements => Answer::elements(body, field),
            Self::Any => Answer::json(body, field),
            Self::Of { words, fits } => match Answer::json(body, field)? {
                Answer::Json(json) if !fits(&json) => Err(format!("{}; give {words}", body.tell(field))),
                answer => Ok(answer),
            },
        }
    }
}

/// The request that begins each process of a node.
pub(crate) const INIT: Rpc = Rpc {
    name: "init",
    about: "Know your name, and the names of all nodes.",
    is_read: false,
    trusts_errors: true,
    asks: &[("node_id", "a string"), ("node_ids", "a list of strings")],
    answers: None,
};

impl Rpc {
    /// Whether that is the `type` of a good answer.
    pub(crate) fn is_answered_by(&self, kind: &str) -> bool {
        kind.strip_suffix("_ok") == Some(self.name)
    }

    /// Whether the answer holds nothing, or an integer in the field `value`. Such answers are read in one pass.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.answers, None | Some(("value", Shape::Integer)))
    }

    /// Reads the content of an answer of the right type. The error says how it breaks the schema.
    pub(crate) fn read_answer(&self, body: &Body<'_>) -> Result<Answer, String> {
        check_fields(body, self.answers.as_ref().map(|(field, _)| *field))?;
        self.answers.as_ref().map_or(Ok(Answer::Done), |(field, shape)| shape.read(body, field))
    }
}
