//! The habits that a machine can hold: which parts of the program may use which others, how long functions, files and
//! sentences are, where dependencies come from, and whether cited tests exist.

mod citations;
mod functions;
mod imports;
mod packages;
mod planted;
mod prose;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use functions::Function;
use rules::Rule;

const MOST_PARAMETERS: usize = 5;
const MOST_LINES_OF_A_FUNCTION: usize = 70;
const MOST_LINES_OF_A_FILE: usize = 400;
const MOST_WORDS: usize = 40;

/// Of a thousand functions of the node and its replica so many may have as many parameters as are allowed, or more.
const MANY_PARAMETERS: usize = 20;

/// The most crates that the node without its bench may link: itself and 50 others.
const MOST_LINKED: usize = 51;

/// The most crates that an empty crate may have in the end which needs the bench without its default features: itself and 30 others.
const MOST_OF_A_LIGHT_BENCH: usize = 31;

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// The name of a file, relative to the root.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// All files with that extension in a folder of this repository, but hidden ones and what cargo builds. None if there is no
/// such folder.
fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = path.file_name().unwrap().to_string_lossy();
                let is_built = name == "target" || path.join("CACHEDIR.TAG").exists();
                let is_kept = !is_built && !name.starts_with('.');
                folders.extend(is_kept.then_some(path));
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

#[track_caller]
fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn each_part_names_only_what_it_may() {
    let libraries = packages::libraries(&packages::metadata());
    let found: Vec<String> =
        rules::RULES.iter().flat_map(|rule: &Rule| rule.broken(&root(), &libraries)).collect();
    assert_none("these name what they must not", &found);
}

#[test]
fn the_libraries_need_only_what_they_may() {
    let metadata = packages::metadata();
    let found: Vec<String> = rules::NEEDS.iter().flat_map(|needs| needs.broken(&root(), &metadata)).collect();
    assert_none("these need what they must not", &found);
}

#[test]
fn the_replica_knows_of_no_world() {
    let found = files("replica/src", "rs").into_iter().flat_map(|(path, text)| {
        let found = rules::worldly(&text);
        found.into_iter().map(move |(line, word)| format!("{}:{line}: {word}", shown(&path)))
    });
    assert_none("the replica's sources name a world", &found.collect::<Vec<_>>());
}

#[test]
fn functions_are_short_and_have_few_parameters() {
    let large: Vec<(String, Function)> = files("", "rs")
        .into_iter()
        .flat_map(|(path, text)| {
            functions::of_text(&text).into_iter().map(move |found| (shown(&path), found))
        })
        .filter(|(_, function)| function.is_too_large())
        .collect();
    let found: Vec<_> = large.iter().map(|(path, function)| format!("{path}:{function}")).collect();
    assert_none("these functions are too large", &found);
}

#[test]
fn few_functions_have_many_parameters() {
    let sources = ["src", "replica/src"].iter().flat_map(|folder| files(folder, "rs"));
    let all: Vec<_> = sources
        .flat_map(|(path, text)| {
            functions::of_text(&text).into_iter().map(move |found| (shown(&path), found))
        })
        .collect();
    let many: Vec<_> = all.iter().filter(|(_, function)| function.parameters >= MOST_PARAMETERS).collect();
    println!("{} of {} functions have {MOST_PARAMETERS} parameters:", many.len(), all.len());
    for (path, function) in &many {
        println!("{path}:{function}");
    }
    assert!(many.len() * 1000 < all.len() * MANY_PARAMETERS, "{} of {} are too many", many.len(), all.len());
}

#[test]
fn files_are_short_enough_to_be_read() {
    let long = files("", "rs").into_iter().filter(|(_, text)| text.lines().count() > MOST_LINES_OF_A_FILE);
    let found = long.map(|(path, text)| format!("{}: {} lines", shown(&path), text.lines().count()));
    assert_none("these files are too long", &found.collect::<Vec<_>>());
}

#[test]
fn sentences_are_short_enough_to_be_read() {
    let documents = files("", "md");
    assert!(documents.len() > 8, "documents are missing: {}", documents.len());
    let found: Vec<_> = documents
        .iter()
        .flat_map(|(path, text)| {
            let long = prose::sentences(text).into_iter().filter(|sentence| sentence.words > MOST_WORDS);
            long.map(|long| format!("{}: {} words: {}", shown(path), long.words, long.text))
        })
        .collect();
    assert_none(&format!("sentences of more than {MOST_WORDS} words"), &found);
}

#[test]
fn cited_tests_and_functions_exist() {
    let cited = ["ARCHITECTURE.md", "GUARANTEES.md"].map(|name| root().join(name));
    let cited = cited.map(|path| (path.clone(), fs::read_to_string(path).unwrap()));
    let found = files("docs", "md").into_iter().chain(cited).flat_map(|(path, text)| {
        let broken = citations::broken(&root(), &text);
        broken.iter().map(|citation| format!("{}: {citation}", shown(&path))).collect::<Vec<_>>()
    });
    assert_none("these documents cite what does not exist", &found.collect::<Vec<_>>());
}

#[test]
fn all_packages_are_pinned_and_come_from_crates_io_under_allowed_licences() {
    assert_none("these packages are not welcome", &packages::unwelcome(&packages::metadata()));
    for lock in packages::locks() {
        assert!(lock.matches("[[package]]").count() > 5, "a lock file is empty");
        let unpinned: Vec<_> = packages::unpinned(&lock).into_iter().map(str::to_owned).collect();
        assert_none("these packages are not pinned", &unpinned);
    }
}

#[test]
fn the_node_without_its_bench_links_few_crates() {
    let linked = packages::linked_into_the_node_alone();
    println!("{} crates", linked.len());
    assert!(!linked.iter().any(|package| package.starts_with("maelstrom-workbench ")), "{linked:?}");
    assert!(linked.len() <= MOST_LINKED, "{} crates: {linked:?}", linked.len());
}

#[test]
fn the_bench_as_a_library_needs_few_crates() {
    let needed = packages::needed_by_the_bench_alone();
    println!("{} crates", needed.len());
    assert!(!needed.iter().any(|package| package.starts_with("clap ")), "{needed:?}");
    assert!(needed.len() < MOST_OF_A_LIGHT_BENCH, "{} crates: {needed:?}", needed.len());
}

/// With any other target, `cargo test` or `cargo build` would need the crates that the bench compares with.
#[test]
fn the_package_of_the_merge_bench_has_no_target_but_the_bench() {
    let folder = root().join("benches/merge");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["Cargo.toml", "merge.rs"]);
    let manifest = include_str!("../../../benches/merge/Cargo.toml");
    let sections: Vec<_> = manifest.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(sections, ["[package]", "[lints]", "[dev-dependencies]", "[[bench]]"]);
}
