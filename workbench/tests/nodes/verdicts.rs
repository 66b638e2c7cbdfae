//! The verdicts that `docs/verdicts.md` tells of: those of Maelstrom, and this bench's on a node of the same kind.

use libtest_mimic::{Failed, Trial};

use crate::bench::{Judged, Node, judge};

/// What the bench says, with a text that must be in what it prints.
#[derive(Clone, Copy)]
enum Verdict {
    Valid(&'static str),
    /// Valid. A remark has that text, and the run is INVALID with `--strict`.
    Remarked(&'static str),
    Invalid(&'static str),
    /// The run does not begin.
    None(&'static str),
}

use Verdict::{Invalid, Remarked, Valid};

/// A kind of node under some flags.
struct Row {
    /// The name of the test, as in the document.
    name: &'static str,
    /// The arguments of `odd.py`.
    node: &'static [&'static str],
    flags: &'static str,
    verdict: Verdict,
}

const ROWS: [Row; 19] = [
    Row {
        name: "right_counter",
        node: &["counter"],
        flags: "-w g-counter --nemesis partition --nemesis-interval 1",
        verdict: Valid("on all nodes"),
    },
    Row {
        name: "memory_only",
        node: &["counter"],
        flags: "-w g-counter --node-count 1 --concurrency 10n --nemesis kill --nemesis-interval 0.7 --time-limit 6",
        verdict: Invalid("of what was acknowledged is missing"),
    },
    Row {
        name: "forgets_adds",
        node: &["counter", "forgets"],
        flags: "-w g-counter --rate 100",
        verdict: Invalid("of what was acknowledged is missing"),
    },
    Row {
        name: "forgets_adds_in_a_partition",
        node: &["counter", "forgets"],
        flags: "-w g-counter --rate 100 --nemesis partition --nemesis-interval 1",
        verdict: Invalid("of what was acknowledged is missing"),
    },
    Row {
        name: "answers_from_what_it_knew",
        node: &["counter", "lazy"],
        flags: "-w g-counter --rate 40",
        verdict: Invalid("of what was acknowledged is missing"),
    },
    Row {
        name: "repeats_an_increment",
        node: &["counter", "repeats"],
        flags: "-w g-counter --latency 100 --nemesis partition --nemesis-interval 1",
        verdict: Invalid("too much was counted"),
    },
    Row {
        name: "late_answer",
        node: &["counter", "late"],
        flags: "-w g-counter --time-limit 9",
        verdict: Remarked("so this is a late one"),
    },
    Row {
        name: "prints_a_stray_line",
        node: &["counter", "prints"],
        flags: "-w g-counter",
        verdict: Remarked("n1 is mute from now on: a line that is not JSON from byte 1 on"),
    },
    Row {
        name: "answers_init_twice",
        node: &["counter", "init-twice"],
        flags: "-w g-counter",
        verdict: Remarked(" answered init again"),
    },
    Row {
        name: "null_msg_id",
        node: &["counter", "null-id"],
        flags: "-w g-counter",
        verdict: Invalid("got a wrong answer: msg_id is null"),
    },
    Row {
        name: "dies",
        node: &["counter", "dies"],
        flags: "-w g-counter",
        verdict: Invalid("ended by itself: exit status: 1; the end of its log:\n            KeyError: 'n7'"),
    },
    Row {
        name: "refuses_and_counts",
        node: &["counter", "refuses"],
        flags: "-w g-counter",
        verdict: Remarked("unless an add counts that did not happen, such as add "),
    },
    Row {
        name: "refuses_decrements",
        node: &["counter", "grows-only"],
        flags: "-w pn-counter",
        verdict: Valid("were answered with error 12: a delta must not be negative"),
    },
    Row {
        name: "no_topology",
        node: &["broadcast", "no-topology"],
        flags: "-w broadcast",
        verdict: Verdict::None("answered topology with error 10"),
    },
    Row {
        name: "tells_once",
        node: &["broadcast"],
        flags: "-w broadcast --node-count 5 --rate 10",
        verdict: Valid("on all nodes"),
    },
    Row {
        name: "tells_once_in_a_partition",
        node: &["broadcast"],
        flags: "-w broadcast --node-count 5 --nemesis partition --nemesis-interval 1",
        verdict: Invalid("and is missing in what was read on n"),
    },
    Row { name: "ids_of_128_bits", node: &["unique-ids"], flags: "-w unique-ids", verdict: Valid("") },
    Row {
        name: "right_store",
        node: &["lin-kv"],
        flags: "-w lin-kv --nemesis partition --nemesis-interval 1",
        verdict: Valid(""),
    },
    Row {
        name: "store_that_answers_late",
        node: &["lin-kv", "late"],
        flags: "-w lin-kv --node-count 3 --time-limit 9 --concurrency 4n",
        verdict: Remarked("so this is a late one"),
    },
];

/// The rest of Maelstrom's verdicts are on right nodes of the other workloads. The demo nodes are such.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    let rows = ROWS.into_iter().map(|row| {
        let node = Node::of("tests/nodes/odd.py", row.node);
        let run = node.clone();
        node.trial(format!("verdict_{}", row.name), move || check(&row, &run))
    });
    rows.chain([Trial::test("each_verdict_is_in_the_document", documented)])
}

fn check(row: &Row, node: &Node) -> Result<(), Failed> {
    // The last flag of a name counts.
    let flags = format!("--rate 30 --time-limit 4 --final-wait 2 {}", row.flags);
    let judged = judge(row.name, node, &flags);
    let (text, is_right) = match row.verdict {
        // On a slow machine a right node may get a remark.
        Valid(text) => (text, judged.verdict().starts_with("valid")),
        Invalid(text) => (text, judged.verdict() == "INVALID"),
        Verdict::None(text) => (text, judged.verdict() == "none"),
        Remarked(text) => (text, judged.verdict().starts_with("valid") && is_loud(&judged)),
    };
    if !is_right || !judged.text.contains(text) {
        return Err(format!("{}: expected {text}\n{}", judged.verdict(), judged.text).into());
    }
    if matches!(row.verdict, Remarked(_)) {
        let strictly = judge(&format!("{}-strict", row.name), node, &format!("{flags} --strict"));
        if strictly.verdict() != "INVALID" {
            return Err(format!("with --strict: {}", strictly.text).into());
        }
    }
    Ok(())
}

/// Whether the terminal and the page both tell of it. The page and the list of findings have the same texts.
fn is_loud(judged: &Judged) -> bool {
    let is_mute = judged.text.contains("is mute from now on");
    judged.verdict().contains("by all checks (--strict) INVALID")
        && judged.verdict().contains("MUTE") == is_mute
        && judged.page.contains("is mute from now on") == is_mute
        && judged.text.contains("\nremark ")
}

fn documented() -> Result<(), Failed> {
    let document = include_str!("../../docs/verdicts.md");
    match ROWS.iter().find(|row| !document.contains(&format!("| `{}` |", row.name))) {
        Some(row) => Err(format!("no row of docs/verdicts.md is for {}", row.name).into()),
        None => Ok(()),
    }
}
