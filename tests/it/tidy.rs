//! The architecture's absences, as far as a machine can see them.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders = vec![root];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    assert!(!files.is_empty(), "no sources in {folder}");
    files
}

fn assert_absent(folder: &str, except: &[&str], words: &[&str]) {
    for (path, text) in sources(folder) {
        if except.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        for word in words {
            assert!(!text.contains(word), "{} knows of {word}", path.display());
        }
    }
}

#[test]
fn only_the_shell_knows_of_async_clocks_and_pipes() {
    let shell = ["runtime.rs", "clock.rs", "stdio.rs", "log.rs", "main.rs", "cli.rs", "judge.rs"];
    assert_absent("src", &shell, &["tokio", "async ", "Instant", "stdin", "stdout", "rand::rng()", "StdRng"]);
}

#[test]
fn only_the_command_line_knows_of_the_bench() {
    assert_absent("src", &["cli.rs", "judge.rs"], &["workbench"]);
}

#[test]
fn the_crates_know_neither_each_other_nor_the_node() {
    assert_absent("crdt/src", &[], &["workbench", "maelstrom_counter", "msg_id", "tokio", "std::time"]);
    assert_absent("workbench/src", &[], &["crdt::", "maelstrom_counter", "tokio"]);
}

/// Any other target would bring the crates that it compares with into `cargo test` or `cargo build`.
#[test]
fn the_package_of_the_merge_bench_has_no_target_but_the_bench() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/merge");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["Cargo.toml", "merge.rs"]);
    let manifest = include_str!("../../benches/merge/Cargo.toml");
    let sections: Vec<_> = manifest.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(sections, ["[package]", "[lints]", "[dev-dependencies]", "[[bench]]"]);
}

#[test]
fn files_are_short_enough_to_be_read() {
    for folder in ["src", "crdt/src", "crdt/compare", "workbench/src", "tests", "benches"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn everything_comes_from_one_registry_in_a_pinned_version() {
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let packages: Vec<&str> = lock.split("[[package]]").skip(1).collect();
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages.into_iter().filter(|package| package.contains("\nsource = ")) {
        assert!(
            package.contains("\nsource = \"registry+") && package.contains("/crates.io-index\"\n"),
            "{package}"
        );
        assert!(package.contains("\nchecksum = "), "{package}");
    }
}
