//! The texts of the bench about mistakes that people make: in words, with the field, the node and the time.

use std::time::Duration;

use serde_json::{Value, json};
use workbench::{Broadcast, Check, Counter, Machine, Plan, Report, WORKLOADS, Workload, simulate};

/// Makes of a request and of the right answer the lines that are printed.
type Mistake = fn(&Value, Value) -> String;

/// Answers everything: counters are always 0.
struct Node {
    name: String,
    mistake: Mistake,
}

impl Machine for Node {
    fn receive(&mut self, _: Duration, line: &[u8], out: &mut Vec<u8>) {
        let message: Value = serde_json::from_slice(line).unwrap();
        let request = &message["body"];
        if let Some(name) = request["node_id"].as_str() {
            name.clone_into(&mut self.name);
        }
        let kind = request["type"].as_str().unwrap();
        let mut body = json!({"type": format!("{kind}_ok"), "in_reply_to": request["msg_id"]});
        if kind == "read" {
            body["value"] = json!(0);
        }
        let answer = json!({"src": self.name, "dest": message["src"], "body": body});
        out.extend((self.mistake)(request, answer).into_bytes());
        out.push(b'\n');
    }
}

fn run(workload: &'static dyn Workload, mistake: Mistake) -> Report {
    let plan = Plan {
        nemesis: [].into(),
        node_count: 1,
        time_limit: Duration::from_secs(20),
        ..Plan::new(workload, 1)
    };
    simulate(&plan, &mut |_, _, _| Box::new(Node { name: String::new(), mistake }) as Box<dyn Machine>)
}

/// The first finding of that check.
fn first(report: &Report, check: Check) -> &str {
    let mut found = report.violations.examples().iter();
    let found = found.find(|found| found.check == check);
    let found = found.unwrap_or_else(|| panic!("{}: {report}", check.name()));
    assert!(found.at.is_some(), "{}", found.text);
    &found.text
}

#[test]
fn the_wrong_field_of_a_reply_is_named() {
    let cases: [(Mistake, Check, &str); 6] = [
        (
            |_, mut answer| {
                answer["body"]["msg_id"] = Value::Null;
                answer.to_string()
            },
            Check::Schema,
            "n0 answered init wrongly: msg_id is null; leave it out or give an integer, in {",
        ),
        (
            |request, mut answer| {
                if request["type"] == "add" {
                    answer["body"]["delta"] = request["delta"].clone();
                }
                answer.to_string()
            },
            Check::Schema,
            "n0 answered add 1 wrongly: the field delta should not be there, in {",
        ),
        (
            |request, mut answer| {
                if request["type"] == "read" {
                    answer["body"]["value"] = json!(1.0);
                }
                answer.to_string()
            },
            Check::Schema,
            "n0 answered read wrongly: value is 1.0, a float; give an integer, in {",
        ),
        (
            |request, mut answer| {
                if request["type"] == "read" {
                    answer["body"]["value"] = json!("1");
                }
                answer.to_string()
            },
            Check::Schema,
            "n0 answered read wrongly: value is \"1\", a string; give an integer, in {",
        ),
        (
            |request, mut answer| {
                if request["type"] != "init" {
                    answer["body"]["in_reply_to"] = json!(request["msg_id"].to_string());
                }
                answer.to_string()
            },
            Check::Replies,
            "n0 sent a reply that nobody waits for: the client waits for the answer to read (in_reply_to is \"1\", a string; give the msg_id of the request, an \
             integer, as it came): {",
        ),
        (
            |request, mut answer| {
                if request["type"] != "init" {
                    answer["body"].as_object_mut().unwrap().remove("in_reply_to");
                }
                answer.to_string()
            },
            Check::Replies,
            "n0 sent a reply that nobody waits for: the client waits for the answer to read (in_reply_to is missing; give the msg_id of the request, an \
             integer, as it came): {",
        ),
    ];
    for (mistake, check, text) in cases {
        let report = run(&Counter::G, mistake);
        let found = first(&report, check);
        assert!(found.starts_with(text), "{found}");
    }
}

#[test]
fn output_that_is_not_one_message_a_line_is_explained() {
    let cases: [(Mistake, &str); 3] = [
        (
            |_, answer| serde_json::to_string_pretty(&answer).unwrap(),
            "n0 printed a line that is not JSON: the line ends before its JSON does; a message is one line: is it \
             printed over several?: {",
        ),
        (
            |_, answer| format!("{answer}{answer}"),
            "n0 printed a line that is not JSON: more follows on the line after its JSON; a message is one line: is the \
             line end missing between two?: {",
        ),
        (
            |_, answer| format!("answering {answer}"),
            "n0 printed a line that is not JSON from byte 1 on; standard output is for messages only, logs go to \
             standard error: answering {",
        ),
    ];
    for (mistake, text) in cases {
        let report = run(&Counter::G, mistake);
        let found = first(&report, Check::Init);
        assert!(found.starts_with(text), "{found}");
    }
}

#[test]
fn a_setup_that_fails_says_what_came_instead() {
    let report = run(&Counter::G, |_, mut answer| {
        answer["body"].as_object_mut().unwrap().remove("in_reply_to");
        answer.to_string()
    });
    let text = "n0 did not answer init within 10 s, but sent {\"type\":\"init_ok\"}: in_reply_to is missing; give the \
                msg_id of the request, an integer, as it came";
    assert_eq!(first(&report, Check::Init), text);

    let report = run(&Broadcast, |request, mut answer| {
        if request["type"] == "topology" {
            answer["body"]["type"] = json!("ok");
        }
        answer.to_string()
    });
    let text = "n0 did not answer topology: type is \"ok\", a string; topology_ok was expected, in {";
    let found = first(&report, Check::Init);
    assert!(found.starts_with(text), "{found}");

    let report = run(&Broadcast, |request, answer| {
        if request["type"] == "topology" {
            r#"{"src":"n0","dest":"seq-kv"}"#.to_owned()
        } else {
            answer.to_string()
        }
    });
    assert_eq!(first(&report, Check::Init), "n0 did not answer topology within 5 s");
}

/// Nothing that a report shows is Rust's way to print a value.
#[test]
fn no_report_shows_rusts_own_text() {
    let forget: Mistake = |request, mut answer| {
        match request["type"].as_str() {
            Some("read") => {
                answer["body"]["value"] = json!([1, 1, "x"]);
                answer["body"]["messages"] = json!([1]);
            }
            Some("echo") => answer["body"]["echo"] = json!("x"),
            Some("generate") => answer["body"]["id"] = json!(1),
            _ => {}
        }
        answer.to_string()
    };
    for workload in WORKLOADS {
        let report = run(*workload, forget);
        assert!(!report.valid, "{report}");
        let texts = format!("{report}{}", report.to_html());
        for word in ["Some(", "None", "Ok(", "Json(", "Element {", "Malformed(", "Timeout", "invalid type"] {
            assert!(!texts.contains(word), "{word} in {report}");
        }
    }
}
