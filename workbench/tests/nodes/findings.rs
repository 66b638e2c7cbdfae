//! The findings about nodes with one fault each tell that fault in words: who has not read the node knows what to mend.

use libtest_mimic::{Failed, Trial};

use crate::bench::{Node, judge};

/// A fault, and the words that tell it.
struct Row {
    /// The arguments of `odd.py`.
    node: &'static [&'static str],
    flags: &'static str,
    words: &'static [&'static str],
}

const COUNTER: &str = "-w g-counter --rate 60";
const SHORT: &str = "-w g-counter --rate 20 --time-limit 1 --final-wait 0";

const ROWS: [Row; 23] = [
    Row {
        node: &["counter", "forgets"],
        flags: "-w g-counter --rate 200",
        words: &[
            "is the least that is right: at ",
            " it had read ",
            ", and since then it has acknowledged add ",
            "of what was acknowledged is missing; the last read that lacked nothing was of ",
        ],
    },
    Row {
        node: &["counter", "goes-back"],
        flags: COUNTER,
        words: &["monotonic-reads", " read ", ", and at ", " it had read "],
    },
    Row {
        node: &["counter", "keeps-to-itself"],
        flags: COUNTER,
        words: &["; that is just what n", " acknowledged, so no add of the other nodes is counted there"],
    },
    Row {
        node: &["counter"],
        flags: "-w g-counter --node-count 1 --concurrency 10n --nemesis kill --nemesis-interval 0.7 --time-limit 6 --rate 30",
        words: &[
            "of what was acknowledged is missing; ",
            " was acknowledged by processes that ended later: ",
            " by n0, ended at ",
        ],
    },
    Row {
        node: &["counter", "lazy"],
        flags: "-w g-counter --rate 40",
        words: &["at the end; possible are ", "of what was acknowledged is missing"],
    },
    Row {
        node: &["counter", "refuses"],
        flags: COUNTER,
        words: &["unless an add counts that did not happen, such as add ", " with error 11: busy"],
    },
    Row {
        node: &["counter", "late"],
        flags: "-w g-counter --time-limit 9 --rate 30",
        words: &["n1 is mute from now on: a message to c", "who has left; its ", "so this is a late one: {"],
    },
    Row {
        node: &["counter", "answers-twice"],
        flags: COUNTER,
        words: &["n1 sent a reply that nobody waits for: the client has its answer to "],
    },
    Row {
        node: &["counter", "prints"],
        flags: COUNTER,
        words: &[
            "standard output is for messages only, logs go to standard error: DEBUG: the value has changed",
        ],
    },
    Row {
        node: &["counter", "runs-on"],
        flags: COUNTER,
        words: &["n1 is mute from now on: a line that is not JSON: more follows on the line after its JSON"],
    },
    Row {
        node: &["counter", "dies"],
        flags: COUNTER,
        words: &["the process of n1 ended by itself: exit status: 1; the end of its log:", "KeyError: 'n7'"],
    },
    Row {
        node: &["counter", "deaf-to-sigterm"],
        flags: "-w g-counter --nemesis restart --nemesis-interval 0.5 --rate 30 --time-limit 2",
        words: &[" did not end within 5 s of SIGTERM"],
    },
    Row {
        node: &["counter", "null-id"],
        flags: SHORT,
        words: &[
            "answered add ",
            " wrongly: msg_id is null; leave it out or give an integer, in {",
            "not one read of ",
        ],
    },
    Row {
        node: &["counter", "request-left-in"],
        flags: SHORT,
        words: &["answered add ", " wrongly: the field delta should not be there, in {"],
    },
    Row {
        node: &["counter", "float"],
        flags: SHORT,
        words: &["answered read wrongly: value is ", ".0, a float; give an integer, in {"],
    },
    Row {
        node: &["counter", "text"],
        flags: SHORT,
        words: &["answered read wrongly: value is \"", "\", a string; give an integer, in {"],
    },
    Row {
        node: &["counter", "other-type"],
        flags: SHORT,
        words: &["answered read wrongly: type is \"ok\", a string; read_ok was expected, in {"],
    },
    Row {
        node: &["counter", "error-as-text"],
        flags: SHORT,
        words: &[" wrongly: an error, but code is \"11\", a string; give an integer of 64 bits, in {"],
    },
    Row {
        node: &["counter", "error-without-code"],
        flags: SHORT,
        words: &[" wrongly: an error, but code is missing; give an integer of 64 bits, in {"],
    },
    Row {
        node: &["counter", "reply-to-text"],
        flags: SHORT,
        words: &[
            "the client waits for the answer to ",
            "(in_reply_to is \"1\", a string; give the msg_id of the request, an integer, as it came): {",
        ],
    },
    Row {
        node: &["counter", "reply-to-nothing"],
        flags: SHORT,
        words: &["(in_reply_to is missing; give the msg_id of the request, an integer, as it came): {"],
    },
    Row {
        node: &["unique-ids", "repeats"],
        flags: "-w unique-ids --rate 30 --time-limit 1",
        words: &[" gave out the id 1, which n", " had given out before", " like this, the last at "],
    },
    Row { node: &["echo"], flags: "-w echo --rate 60", words: &["answered \"Please echo ", "\" with \"x\""] },
];

/// The same of the workloads with a state that is no number.
const STATES: [Row; 4] = [
    Row {
        node: &["g-set"],
        flags: "-w g-set --rate 60",
        words: &[
            "element ",
            " was acknowledged by n",
            " and is missing in what was read on n",
            "; no read ever showed it",
        ],
    },
    Row {
        node: &["g-set", "invents"],
        flags: "-w g-set --rate 60",
        words: &[" showed -1, an element that no client had asked to add"],
    },
    Row {
        node: &["broadcast"],
        flags: "-w broadcast --nemesis partition --nemesis-interval 0.5 --rate 60",
        words: &[
            ", during partition ",
            " and is missing in what was read on n",
            "; the last read that showed it was on n",
        ],
    },
    Row {
        node: &["lin-kv", "stale"],
        flags: "-w lin-kv --rate 60",
        words: &[
            "linearizable",
            "these operations fit no order:",
            "  client ",
            " on n",
            ": write ",
            ": read with ",
        ],
    },
];

pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    ROWS.into_iter().chain(STATES).map(|row| {
        let node = Node::of("tests/nodes/odd.py", row.node);
        let run = node.clone();
        let name = format!("finding_{}", row.node.join("_").replace('-', "_"));
        node.trial(name.clone(), move || check(&name, &row, &run))
    })
}

fn check(name: &str, row: &Row, node: &Node) -> Result<(), Failed> {
    let judged = judge(name, node, &format!("--time-limit 3 --final-wait 1 {} --strict", row.flags));
    if judged.verdict() != "INVALID" {
        return Err(format!("{name} is {}\n{}", judged.verdict(), judged.text).into());
    }
    match row.words.iter().find(|words| !judged.text.contains(**words)) {
        Some(words) => Err(format!("{name}: {words} is missing in\n{}", judged.text).into()),
        None => speaks_no_rust(name, &judged.text),
    }
}

/// No text shows a value as Rust's programmers print it.
fn speaks_no_rust(name: &str, text: &str) -> Result<(), Failed> {
    const RUST: [&str; 9] =
        ["Some(", "None", "Ok(", "Err(", "\\\"", "Json(", "Timeout", "Malformed(", "Integer("];
    match RUST.iter().find(|word| text.contains(**word)) {
        Some(word) => Err(format!("{name}: {word} in\n{text}").into()),
        None => Ok(()),
    }
}
