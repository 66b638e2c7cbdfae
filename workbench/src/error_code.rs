//! The error codes of the protocol, as Maelstrom has them.

/// An error that a node or a service may answer with.
#[derive(Debug)]
pub(crate) struct ErrorCode {
    pub(crate) code: i64,
    pub(crate) name: &'static str,
    /// Whether it says that the request did not and will not happen.
    pub(crate) is_definite: bool,
    /// When a node answers with it.
    pub(crate) about: &'static str,
}

pub(crate) const NOT_SUPPORTED: i64 = 10;
pub(crate) const MALFORMED: i64 = 12;
pub(crate) const KEY_DOES_NOT_EXIST: i64 = 20;
pub(crate) const PRECONDITION_FAILED: i64 = 22;

const fn definite(code: i64, name: &'static str, about: &'static str) -> ErrorCode {
    ErrorCode { code, name, is_definite: true, about }
}

const fn indefinite(code: i64, name: &'static str, about: &'static str) -> ErrorCode {
    ErrorCode { code, name, is_definite: false, about }
}

/// All that there are. A code that is not among them is indefinite.
pub(crate) const ALL: &[ErrorCode] = &[
    indefinite(0, "timeout", "The node asked somebody else, who did not answer in time."),
    definite(1, "node-not-found", "The node that the request is for does not exist."),
    definite(NOT_SUPPORTED, "not-supported", "The node knows no such request."),
    definite(11, "temporarily-unavailable", "The node can't do it now, perhaps later."),
    definite(MALFORMED, "malformed-request", "A field is missing, or has a wrong value."),
    indefinite(13, "crash", "Something went wrong, and nothing more is known."),
    definite(14, "abort", "Something went wrong, and the request will never happen."),
    definite(KEY_DOES_NOT_EXIST, "key-does-not-exist", "There is nothing under the key."),
    definite(21, "key-already-exists", "There is something under the key already."),
    definite(
        PRECONDITION_FAILED,
        "precondition-failed",
        "Something else is under the key than the request expected.",
    ),
    definite(30, "txn-conflict", "The transaction was aborted, because another one came between."),
];

/// Whether an error of that code says that the request did not and will not happen.
pub(crate) fn is_definite(code: i64) -> bool {
    ALL.iter().any(|error| error.code == code && error.is_definite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_nobody_knows_tells_nothing() {
        let definite: Vec<i64> = (-1..2000).filter(|code| is_definite(*code)).collect();
        assert_eq!(definite, [1, 10, 11, 12, 14, 20, 21, 22, 30]);
    }
}
