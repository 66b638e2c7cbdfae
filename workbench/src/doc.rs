//! The protocols of workloads and services, as text. The tables that it prints are those that answers are checked against.

use std::fmt::Write;

use crate::error::BenchError;
use crate::error_code::{self, ErrorCode};
use crate::service::ServiceName;
use crate::workload::{self, INIT, Rpc};

/// The argument of `doc`. Flatten it into a command of your own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DocOptions {
    /// A workload or a service [default: a list of them]
    #[cfg_attr(
        feature = "cli",
        arg(
            value_name = "WORKLOAD|SERVICE",
            value_parser = clap::builder::PossibleValuesParser::new(names()),
            hide_possible_values = true
        )
    )]
    pub name: Option<String>,
}

/// Prints the protocol of a workload or of a service: the requests, their answers, and the error codes. Without a name it prints a
/// list of both. `lin-kv` is the name of a workload and of a service, so both are printed.
///
/// ```
/// use workbench::{DocOptions, print_doc};
///
/// let mut out = Vec::new();
/// print_doc(&DocOptions { name: Some("echo".into()) }, &mut out).unwrap();
/// assert!(String::from_utf8(out).unwrap().contains(r#"{"type": "echo_ok", "in_reply_to": N, "echo": ECHO}"#));
/// ```
///
/// # Errors
/// If nothing is called so, or the text can't be printed.
pub fn print_doc(options: &DocOptions, out: &mut dyn std::io::Write) -> Result<(), BenchError> {
    let text = match &options.name {
        None => list(),
        Some(name) => about(name).ok_or_else(|| {
            BenchError::Usage(format!("{name} is no workload and no service\n\n{}", list()))
        })?,
    };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that closes early (`| head`) has all that it wanted.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(BenchError::io("cannot print the protocol")),
    }
}

/// A name with its sentence.
type Entry = (&'static str, &'static str);

fn workloads() -> impl Iterator<Item = Entry> {
    workload::ALL.iter().map(|workload| (workload.name(), workload.about()))
}

fn services() -> impl Iterator<Item = Entry> {
    ServiceName::ALL.into_iter().map(|service| (service.as_str(), service.about()))
}

#[cfg(any(feature = "cli", test))]
fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = workloads().chain(services()).map(|(name, _)| name).collect();
    names.sort_unstable();
    // A workload and a service have the same name.
    names.dedup();
    names
}

fn list() -> String {
    let lines = |entries: &mut dyn Iterator<Item = Entry>| {
        entries.map(|(name, about)| format!("  {name:<16} {about}")).collect::<Vec<_>>().join("\n")
    };
    format!("Workloads:\n{}\n\nServices:\n{}\n", lines(&mut workloads()), lines(&mut services()))
}

fn about(name: &str) -> Option<String> {
    let workload = workload::by_name(name)
        .map(|workload| section("workload", name, workload.about(), workload.protocol()));
    let service =
        ServiceName::parse(name).map(|service| section("service", name, service.about(), service.protocol()));
    let sections: Vec<String> = [workload, service].into_iter().flatten().collect();
    (!sections.is_empty()).then(|| format!("{}{}", sections.concat(), errors()))
}

fn section(kind: &str, name: &str, about: &str, protocol: &[&Rpc]) -> String {
    let mut text = format!("{name}, a {kind}: {about}.\n\n");
    if kind == "workload" {
        text.push_str(MESSAGES);
        add(&mut text, &INIT);
    } else {
        text.push_str(SERVICE);
    }
    for rpc in protocol {
        add(&mut text, rpc);
    }
    text
}

const MESSAGES: &str = r#"A message is one line on standard input or output: {"src": "c1", "dest": "n1", "body": {...}}.
These are the bodies of the requests that a node gets, and of its answers. An answer goes to the src
of its request, once, and within the time that the client waits. It may have a msg_id, and no other
fields than these. Each process of a node gets init first.

"#;

const SERVICE: &str = r#"A node sends its requests to the service by name: {"src": "n1", "dest": "lin-kv", "body": {...}}.
A field that is missing counts as null. The service answers no other requests than these.

"#;

fn add(text: &mut String, rpc: &Rpc) {
    let (name, about) = (rpc.name, rpc.about);
    let asks: String = rpc.asks.iter().map(|(field, _)| member(field)).collect();
    let answers = rpc.answers.as_ref().map_or_else(String::new, |(field, _)| member(field));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name}: {about}");
    let _ = writeln!(text, r#"  request  {{"type": "{name}", "msg_id": N{asks}}}"#);
    for (field, words) in rpc.asks {
        add_field(text, field, words);
    }
    let _ = writeln!(text, r#"  answer   {{"type": "{name}_ok", "in_reply_to": N{answers}}}"#);
    if let Some((field, shape)) = &rpc.answers {
        add_field(text, field, shape.words());
    }
    let _ = writeln!(text, "  error    {}\n", trust(rpc));
}

fn member(field: &str) -> String {
    format!(r#", "{field}": {}"#, field.to_uppercase())
}

fn add_field(text: &mut String, field: &str, words: &str) {
    let _ = writeln!(text, "           {}: {words}", field.to_uppercase());
}

/// What the client concludes from an error.
fn trust(rpc: &Rpc) -> &'static str {
    match (rpc.trusts_errors, rpc.is_read) {
        (_, true) => "any; it counts as not answered",
        (true, false) => "a definite one says that it did not happen",
        (false, false) => "any; to this client it may have happened all the same",
    }
}

fn errors() -> String {
    let mut text =
        String::from("Errors: {\"type\": \"error\", \"in_reply_to\": N, \"code\": CODE, \"text\": TEXT}\n");
    for ErrorCode { code, name, is_definite, about } in error_code::ALL {
        let kind = if *is_definite { "definite" } else { "indefinite" };
        let _ = writeln!(text, "  {code:>2}  {name:<24} {kind:<11} {about}");
    }
    text.push_str("Other codes are indefinite: the request may have happened.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{Reply, ReplyContent};

    fn printed(name: Option<&str>) -> String {
        let mut out = Vec::new();
        print_doc(&DocOptions { name: name.map(str::to_owned) }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn all_workloads_and_services_are_listed_and_have_a_page() {
        for name in names() {
            assert!(printed(None).contains(&format!("  {name} ")), "{name}");
            assert!(printed(Some(name)).contains("precondition-failed"), "{name}");
        }
        let both = printed(Some("lin-kv"));
        assert!(both.contains("lin-kv, a workload:") && both.contains("lin-kv, a service:"), "{both}");
        let error = print_doc(&DocOptions { name: Some("nothing".into()) }, &mut Vec::new()).unwrap_err();
        assert!(
            error.to_string().starts_with("nothing is no workload and no service\n\nWorkloads:"),
            "{error}"
        );
    }

    /// An answer that is printed is one that the check lets pass.
    #[test]
    fn the_answers_that_are_printed_fit_the_schemas_that_are_checked() {
        for workload in workload::ALL {
            let text = printed(Some(workload.name()));
            for rpc in workload.protocol() {
                let begin = format!(r#"{{"type": "{}_ok""#, rpc.name);
                let line = text.lines().find_map(|line| Some(&line[line.find(&begin)?..])).unwrap();
                let answers = |value: &str| {
                    let field = rpc.answers.as_ref().map_or("", |(field, _)| *field).to_uppercase();
                    let body =
                        line.replace(": N", ": 1").replace(&format!(": {field}}}"), &format!(": {value}}}"));
                    !matches!(Reply::to(rpc, &body).content, ReplyContent::Breaks(_))
                };
                assert!(["1", "[1]", "{}", r#"[["r",1,1]]"#].into_iter().any(answers), "{line}");
            }
        }
    }
}
