//! A client's request to a node.

use std::any::Any;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use super::Rpc;
use crate::answer::Answer;
use crate::history::Outcome;
use crate::json::Json;

/// What a workload asks for: a type of its own.
pub trait Ask: Any + Debug + Send + Sync {
    /// The kind of request.
    fn rpc(&self) -> &'static Rpc;

    /// The values of the fields that [`Rpc::asks`] names, in that order.
    fn values(&self) -> Vec<Json>;

    /// The request's argument, in the history: null if it has no field, the value of its only field, or a list of all values.
    fn argument(&self) -> Json {
        let values = self.values();
        match &values[..] {
            [] => Json::null(),
            [value] => value.clone(),
            _ => Json::list(&values),
        }
    }

    /// The same once it was answered well: what the answer holds, or else the argument.
    fn completed(&self, answer: &Answer) -> Json {
        answer.to_json().unwrap_or_else(|| self.argument())
    }
}

/// A client's request to a node: a value of the workload's own type. A clone costs nothing.
///
/// Two requests are the same if they have the same name and the same argument.
#[derive(Clone)]
pub struct Request(Arc<dyn Ask>);

impl Request {
    /// A request for that.
    pub fn new(ask: impl Ask) -> Self {
        Self(Arc::new(ask))
    }

    /// What it asks for, if it is of that type.
    pub fn get<T: Ask>(&self) -> Option<&T> {
        let ask: &dyn Any = &*self.0;
        ask.downcast_ref()
    }

    /// The kind of request.
    pub fn rpc(&self) -> &'static Rpc {
        self.0.rpc()
    }

    /// Its name in the history, and its `type`.
    pub fn name(&self) -> &'static str {
        self.rpc().name
    }

    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        self.rpc().is_read
    }

    /// Whether it may still happen, or may have happened, once it has ended so.
    pub(crate) fn is_left_open_by(&self, outcome: &Outcome) -> bool {
        let Rpc { is_read, trusts_errors, .. } = *self.rpc();
        match outcome {
            Outcome::Ok(_) => false,
            Outcome::Refused { definite: true, .. } if trusts_errors => false,
            Outcome::Refused { .. } | Outcome::Timeout | Outcome::Malformed(_) => !(trusts_errors && is_read),
        }
    }

    /// Its argument, in the history.
    pub fn argument(&self) -> Json {
        self.0.argument()
    }

    pub(crate) fn completed(&self, answer: &Answer) -> Json {
        self.0.completed(answer)
    }

    /// The request as a message body.
    pub(crate) fn body(&self, msg_id: u64) -> String {
        let rpc = self.rpc();
        // Most bodies fit.
        let mut body = String::with_capacity(64);
        body.extend([r#"{"type":""#, rpc.name, r#"","#]);
        for ((field, _), value) in rpc.asks.iter().zip(self.0.values()) {
            body.extend(["\"", field, "\":", value.as_str(), ","]);
        }
        body.extend([r#""msg_id":"#, itoa::Buffer::new().format(msg_id), "}"]);
        body
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.argument() == other.argument()
    }
}

impl Debug for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Doing, OfKey};

    /// A client of a counter trusts no error. One of a key-value store trusts those that are definite, and no read of its changes anything.
    #[test]
    fn what_an_error_leaves_open_depends_on_the_client() {
        let of_key = |does| Request::new(OfKey { key: 0, does });
        let refused = |definite| Outcome::Refused { code: 0, definite, text: String::new() };
        let left_open = |request: &Request| {
            [Outcome::Ok(Answer::Done), refused(true), refused(false), Outcome::Timeout]
                .map(|outcome| request.is_left_open_by(&outcome))
        };
        assert_eq!(left_open(&Request::read()), [false, true, true, true]);
        assert_eq!(left_open(&Request::add(1)), [false, true, true, true]);
        assert_eq!(left_open(&of_key(Doing::Write(1))), [false, false, true, true]);
        assert_eq!(left_open(&of_key(Doing::Read)), [false; 4]);
    }
}
