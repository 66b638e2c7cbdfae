//! The subcommands that speak to a server, and those that print.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread::JoinHandle;

use crate::harness::{self, Counterd, Setup};

/// A subcommand for this server.
fn command(counterd: &Counterd, arguments: &[&str]) -> Command {
    let mut command = harness::command();
    command.args(arguments).env("COUNTERD_URL", &counterd.http);
    command
}

fn run(counterd: &Counterd, arguments: &[&str]) -> String {
    let output = command(counterd, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server that reads one request, answers so, and ends. An empty answer closes the connection.
fn answering(answer: &'static str) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&stream);
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (url, thread)
}

fn read_request(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    for line in reader.by_ref().lines() {
        let line = line.unwrap().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
}

#[test]
fn an_add_and_a_get_print_the_value() {
    let counterd = Setup::new().start();
    assert_eq!(run(&counterd, &["add", "views", "3"]), "3\n");
    assert_eq!(run(&counterd, &["add", "views", "-1"]), "2\n");
    assert_eq!(run(&counterd, &["get", "views"]), "2\n");
    assert_eq!(run(&counterd, &["add", "a/b ü?", "5"]), "5\n", "any name");
    assert_eq!(run(&counterd, &["get", "views", "a/b ü?", "nobody"]), "2\tviews\n5\ta/b ü?\n0\tnobody\n");
}

#[test]
fn an_add_with_a_key_is_counted_once() {
    let counterd = Setup::new().start();
    for _ in 0..3 {
        assert_eq!(run(&counterd, &["add", "views", "3", "--key", "k1"]), "3\n");
    }
}

#[test]
fn a_server_that_is_not_there_is_a_clear_error() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    for arguments in [&["get", "views"][..], &["add", "views", "1"]] {
        let output = harness::command().args(arguments).args(["--url", &url]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "nothing was counted");
        assert!(
            said(&output).contains("Is counterd running there? Name its address with --url"),
            "{}",
            said(&output)
        );
        assert!(!said(&output).contains("maybe"), "{}", said(&output));
    }
}

#[test]
fn an_add_without_an_answer_may_count() {
    let (url, server) = answering("");
    let output = harness::command().args(["add", "views", "1", "--url", &url]).output().unwrap();
    server.join().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("(counted: maybe)"), "{}", said(&output));
}

#[test]
fn a_problem_is_shown_in_words() {
    let (url, server) = answering(
        "HTTP/1.1 504 Gateway Timeout\r\ncontent-type: application/problem+json\r\ncontent-length: 72\r\n\r\n\
         {\"title\":\"It may count\",\"detail\":\"the disk hangs\",\"counted\":\"maybe\"}     ",
    );
    let output = harness::command().args(["add", "views", "1", "--url", &url]).output().unwrap();
    server.join().unwrap();
    assert_eq!(said(&output), "counterd: It may count: the disk hangs (counted: maybe)\n");
    assert_eq!(output.status.code(), Some(3));
    let (url, server) = answering(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 50\r\n\r\n\
         {\"title\":\"Too many at once\",\"counted\":\"no\"}        ",
    );
    let output = harness::command().args(["add", "views", "1", "--url", &url]).output().unwrap();
    server.join().unwrap();
    assert_eq!(said(&output), "counterd: Too many at once (counted: no)\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn wrong_arguments_have_a_status_of_their_own() {
    for arguments in [&["add", "views", "many"][..], &["get"], &["--max-boddy", "7"], &["nonsense"]] {
        let output = harness::command().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn completions_and_the_man_page_know_all_settings() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = harness::command().args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("max-body") && script.contains("doctor"), "{shell}");
    }
    let output = harness::command().arg("man").output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.starts_with(".ie") && page.contains(".TH counterd"), "{page}");
    for setting in counterd::config::SETTINGS {
        assert!(page.contains(&setting.key.replace('-', "\\-")), "{}", setting.key);
    }
}

#[test]
fn a_secret_in_the_environment_is_not_in_the_help() {
    let output = harness::command().args(["get", "--help"]).env("COUNTERD_TOKEN", "s3cret").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("COUNTERD_TOKEN") && !text.contains("s3cret"), "{text}");
}

#[test]
fn what_is_exported_can_be_imported_anywhere() {
    let (from, to) = (Setup::new(), Setup::new());
    let (one, two) = (from.start(), to.start());
    run(&one, &["add", "views", "7"]);
    run(&two, &["add", "views", "2"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.jsonl");
    std::fs::write(&file, "an older one").unwrap();
    let path = file.to_str().unwrap();
    run(&one, &["export", "--out", path]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), run(&one, &["export"]));
    for _ in 0..2 {
        assert_eq!(run(&two, &["import", path]), "imported; counters: 1, replicas: 1\n");
        assert_eq!(run(&two, &["get", "views"]), "9\n", "an import adds what is new, once");
    }
}

#[test]
fn an_export_that_is_cut_off_leaves_the_file_as_it_was() {
    let (url, server) =
        answering("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"format\":1,\"node\":\"a\"}\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.jsonl");
    std::fs::write(&file, "an older one").unwrap();
    let output = harness::command().args(["export", "--url", &url, "--out"]).arg(&file).output().unwrap();
    server.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("It is as it was"), "{}", said(&output));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "an older one");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn an_import_that_is_none_changes_nothing() {
    let setup = Setup::new();
    let counterd = setup.start();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\"format\":1,\"node\":\"a\"}\nnonsense\n").unwrap();
    let output = command(&counterd, &["import", file.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("line 2") && said(&output).contains("(counted: no)"), "{}", said(&output));
}

#[test]
fn a_token_that_is_made_opens_what_it_should() {
    let output =
        harness::command().args(["token", "web", "--scopes", "add", "--prefix", "shop:"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let secret = said(&output).trim_end().rsplit(' ').next().unwrap().to_owned();
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(line.starts_with("web ") && !line.contains(&secret), "{line}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), line).unwrap();
    let setup = Setup::new().with(&["--tokens", file.path().to_str().unwrap()]);
    let counterd = setup.start();
    let add = |name: &str, secret: &str| {
        let mut command = command(&counterd, &["add", name, "1"]);
        let output = command.env("COUNTERD_TOKEN", secret).output().unwrap();
        (output.status.code().unwrap(), said(&output))
    };
    assert_eq!(add("shop:views", &secret).0, 0);
    let (status, said) = add("views", &secret);
    assert!(status == 1 && said.contains("begin with \"shop:\""), "{said}");
    let (status, said) = add("shop:views", "a guess");
    assert!(status == 1 && said.contains("token") && !said.contains("a guess"), "{said}");
}

#[test]
fn top_shows_values_and_rates() {
    let setup = Setup::new();
    let counterd = setup.start();
    run(&counterd, &["add", "shop:views", "7"]);
    run(&counterd, &["add", "other", "1"]);
    let table = run(&counterd, &["top", "--prefix", "shop:", "--interval", "1ms", "--times", "2"]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let once =
        [vec!["value", "per", "second", "counter"], vec!["7", "0.0", "shop:views"], vec!["1", "counters."]];
    assert_eq!(lines, [once.clone(), once].concat());
}

#[test]
fn the_doctor_finds_a_server_well_and_says_when_there_is_none() {
    let setup = Setup::new();
    let counterd = setup.start();
    let report = run(&counterd, &["doctor", "--data", setup.data().to_str().unwrap()]);
    for what in
        ["server", "ready", "version", "ack", "store", "log of commits", "data", "room", "clock", "exposure"]
    {
        assert!(report.lines().any(|line| line.starts_with(&format!("ok    {what}: "))), "{what}: {report}");
    }
    for what in ["file system", "sync", "open files"] {
        assert!(report.contains(&format!("  {what}: ")), "{what}: {report}");
    }
    let (remote, open) = (["doctor", "--remote"], ["doctor", "--http", "0.0.0.0:1", "--data", "/nowhere"]);
    assert!(!run(&counterd, &remote).contains("data: "), "it looks at the server only");
    let report = run(&counterd, &open);
    assert!(report.contains("warn  exposure: 0.0.0.0:1 is open to other machines"), "{report}");
    assert!(report.contains("warn  data: /nowhere is not there"), "{report}");
    let url = counterd.http.clone();
    counterd.terminate();
    let output = harness::command().args(["doctor", "--remote", "--url", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("FAIL  server: no answer from"));
}

#[test]
fn the_doctor_warns_of_adds_that_a_crash_loses() {
    let setup = Setup::new().with(&["--ack", "memory"]);
    let counterd = setup.start();
    let report = run(&counterd, &["doctor", "--remote"]);
    assert!(report.contains("warn  ack: memory: a crash loses the last adds"), "{report}");
}
