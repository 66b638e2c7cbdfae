//! The program itself, `maelstrom-workbench`.

use std::process::{Command, Output};

use libtest_mimic::Trial;

use crate::bench::{FLAG, Scratch};

type Case = (&'static str, fn());

const ALL: [Case; 7] = [
    ("without_arguments_the_program_helps", without_arguments_it_helps),
    ("without_a_node_the_program_says_how_to_name_one", without_a_node_it_says_how),
    ("the_program_judges_a_node", it_judges_a_node),
    ("the_program_runs_as_often_and_with_such_names_as_asked", it_runs_as_often_and_with_such_names_as_asked),
    ("files_are_as_documented", crate::records::files_are_as_documented),
    ("the_first_page_is_true", the_first_page_is_true),
    ("the_program_prints_protocols_and_completions", it_prints_protocols_and_completions),
];

pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    let trial = |(name, case): Case| {
        Trial::test(name, move || {
            case();
            Ok(())
        })
    };
    ALL.into_iter().map(trial)
}

fn program(flags: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maelstrom-workbench"));
    command.args(flags.split_whitespace()).output().unwrap()
}

/// What it printed, on both streams, and its exit status.
pub(crate) fn said(flags: &str) -> (String, Option<i32>) {
    let Output { status, stdout, stderr } = program(flags);
    let texts = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (texts.concat(), status.code())
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

fn without_arguments_it_helps() {
    let (text, _) = said("");
    has(&text, &["Judges Maelstrom nodes", "test -w echo --bin", "completions"]);
}

fn without_a_node_it_says_how() {
    let (text, status) = said("test -w echo");
    has(&text, &["maelstrom-workbench test: ", "--bin", "examples/nodes"]);
    assert_eq!(status, Some(2), "{text}");
}

fn it_judges_a_node() {
    let scratch = Scratch::new("program");
    let (store, node) = (scratch.0.display(), std::env::current_exe().unwrap());
    let run = format!("--time-limit 1 --final-wait 0 --store {store} --bin {} -- {FLAG}", node.display());
    let (text, status) = said(&format!("test -w echo {run} echo"));
    has(&text, &["verdict     valid"]);
    assert_eq!(status, Some(0), "{text}");
    let (text, status) = said(&format!("test -w unique-ids {run} echo"));
    has(&text, &["verdict     INVALID"]);
    assert_eq!(status, Some(1), "{text}");
}

/// Nodes have the names that Maelstrom gives them, and a test is repeated until a run is not valid.
fn it_runs_as_often_and_with_such_names_as_asked() {
    let scratch = Scratch::new("names");
    let (store, node) = (scratch.0.display(), std::env::current_exe().unwrap());
    let run = |flags: &str, bug: &str| {
        said(&format!(
            "test {flags} --seed 8 --time-limit 500ms --final-wait 0 --store {store} --bin {} -- {FLAG} {bug}",
            node.display()
        ))
    };
    assert_eq!(run("-w echo --test-count 2", "echo").1, Some(0));
    assert_eq!(run("-w unique-ids --test-count 2 --nodes n7,n8", "echo").1, Some(1));
    let runs = |workload: &str| {
        let runs = std::fs::read_dir(scratch.0.join(workload)).unwrap().map(|entry| entry.unwrap().path());
        let mut runs: Vec<_> = runs.filter(|path| path.is_dir() && !path.is_symlink()).collect();
        runs.sort();
        runs
    };
    let logs = |run: &std::path::PathBuf| {
        (0..9).filter(|number| run.join(format!("n{number}.log")).exists()).collect::<Vec<_>>()
    };
    let echoes = runs("echo");
    assert_eq!(echoes.iter().map(logs).collect::<Vec<_>>(), [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]);
    assert!(echoes[1].display().to_string().ends_with("-9"), "{echoes:?}");
    assert_eq!(runs("unique-ids").iter().map(logs).collect::<Vec<_>>(), [[7, 8]]);
}

/// The README's node passes, and fails as the README shows if it shouts.
fn the_first_page_is_true() {
    let page = include_str!("../../README.md");
    let block = |language: &str| {
        let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
        rest.split("```").next().unwrap()
    };
    let (source, shown) = (block("python"), block("text"));
    let scratch = Scratch::new("first-page");
    std::fs::create_dir_all(&scratch.0).unwrap();
    let judged = |name: &str, source: &str| {
        std::fs::write(scratch.0.join(name), source).unwrap();
        let run = "--node-count 1 --time-limit 2s --seed 1 --bin python3";
        said(&format!("test -w echo {run} --store {0}/store -- -B {0}/{name}", scratch.0.display())).0
    };
    has(&judged("echo.py", source), &["verdict     valid"]);
    let loud = source.replace("body[\"echo\"]\n", "body[\"echo\"].upper()\n");
    let text = judged("loud.py", &loud);
    let findings = shown.lines().filter_map(|line| line.split_once(" s n0 ")).map(|(_, finding)| finding);
    assert!(findings.clone().count() > 0);
    findings.for_each(|finding| has(&text, &[finding]));
    has(&text, &["broken      answers", "verdict     INVALID"]);
}

fn it_prints_protocols_and_completions() {
    let (text, status) = said("doc echo");
    has(&text, &["echo_ok"]);
    assert_eq!(status, Some(0), "{text}");
    has(&said("completions bash").0, &["maelstrom-workbench", "--nemesis"]);
}
