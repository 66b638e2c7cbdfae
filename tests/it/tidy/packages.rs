//! The packages as cargo knows them: their sources, their licences, and their dependencies.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Licences under which a program that links the package can be given away under this project's own.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// The output of cargo, started in the root of the repository with the versions in `Cargo.lock`.
fn cargo(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO")).current_dir(super::root()).arg("--locked").args(arguments).output();
    let output = output.expect("cargo can be started");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// All packages of the workspace and all packages that they may need, on any platform.
pub(crate) fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--format-version", "1"])).unwrap()
}

/// The packages that are linked into the node's binary on this machine, as `name vX.Y.Z`. Those that run at build time are
/// not among them.
pub(crate) fn linked_into_the_node_alone() -> Vec<String> {
    without_default_features("maelstrom-counter", "normal,no-proc-macro")
}

/// The packages that a program needs which simulates a node of its own: the bench as a library, and what it needs.
pub(crate) fn needed_by_the_bench_alone() -> Vec<String> {
    without_default_features("maelstrom-workbench", "normal")
}

fn without_default_features(package: &str, edges: &str) -> Vec<String> {
    let tree = ["tree", "--package", package, "--no-default-features", "--edges", edges];
    let tree = cargo(&[&tree[..], &["--prefix", "none", "--no-dedupe"]].concat());
    let mut packages: Vec<_> =
        tree.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    packages.sort();
    packages.dedup();
    packages
}

fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().expect("cargo lists packages")
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

/// The names under which the sources may name the libraries.
pub(crate) fn libraries(metadata: &Value) -> Vec<String> {
    let targets =
        packages(metadata).iter().flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let is_library =
        |target: &&Value| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(is_library_kind));
    let libraries = targets.filter(is_library);
    libraries.map(|library| text(library, "name").replace('-', "_")).collect()
}

fn is_library_kind(kind: &Value) -> bool {
    ["lib", "rlib", "proc-macro"].iter().any(|library| kind == library)
}

/// The dependencies of the library with that manifest: their names, and whether they need a feature.
pub(crate) fn needs(metadata: &Value, manifest: &Path) -> Vec<(String, bool)> {
    let package =
        packages(metadata).iter().find(|package| Path::new(text(package, "manifest_path")) == manifest);
    let package = package.unwrap_or_else(|| panic!("there is no package {}", manifest.display()));
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let normal = dependencies.filter(|dependency| dependency["kind"] != "dev");
    normal.map(|dependency| (text(dependency, "name").to_owned(), dependency["optional"] == true)).collect()
}

/// Packages that come from elsewhere than crates.io or this repository, or under a licence that is not allowed.
pub(crate) fn unwelcome(metadata: &Value) -> Vec<String> {
    let members: Vec<_> = metadata["workspace_members"].as_array().into_iter().flatten().collect();
    let found = packages(metadata).iter().filter_map(|package| {
        let is_ours = package["source"].is_null() && members.contains(&&package["id"]);
        let (name, source, licence) =
            (text(package, "name"), text(package, "source"), text(package, "license"));
        if !is_ours && source != CRATES_IO {
            return Some(format!(
                "{name} comes neither from crates.io nor from this repository: {}",
                package["id"]
            ));
        }
        (!is_allowed(licence)).then(|| format!("{name} has the licence \"{licence}\""))
    });
    found.collect()
}

/// Whether allowed licences alone satisfy the expression. It is read as `(A OR B) AND C`. If it has another form, the check
/// wants too many licences, never too few.
fn is_allowed(expression: &str) -> bool {
    expression.split(" AND ").all(|part| {
        let mut choices = part.split(" OR ").flat_map(|part| part.split('/'));
        choices.any(|choice| LICENCES.contains(&choice.trim().trim_matches(['(', ')'])))
    })
}

/// Packages in a `Cargo.lock` that are not pinned to a text that crates.io has.
pub(crate) fn unpinned(lock: &str) -> Vec<&str> {
    let foreign = lock.split("[[package]]").skip(1).filter(|package| package.contains("\nsource = "));
    let source = format!("\nsource = \"{CRATES_IO}\"\n");
    foreign.filter(|package| !package.contains(&source) || !package.contains("\nchecksum = ")).collect()
}

/// All lock files of the repository: those of fuzz targets are no part of the workspace.
pub(crate) fn locks() -> Vec<String> {
    let lock =
        |folder: &&str| std::fs::read_to_string(Path::new(&super::root()).join(folder).join("Cargo.lock"));
    ["", "fuzz", "crdt/fuzz"].iter().map(|folder| lock(folder).unwrap()).collect()
}
