//! The tests that documents cite, such as `sim::a_start_apart_mutes_nobody`. A name that ends in `…` is cut short.

use std::fs;
use std::path::{Path, PathBuf};

/// The citations in a document that name no test of this repository.
pub(crate) fn broken<'a>(root: &Path, document: &'a str) -> Vec<&'a str> {
    document.split('`').filter(|span| is_citation(span) && !is_test(root, span)).collect()
}

/// Whether a code span is a path of lower-case names.
fn is_citation(span: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:…".contains(c);
    span.contains("::") && span.chars().all(is_allowed)
}

fn is_test(root: &Path, citation: &str) -> bool {
    let (module, name) = match citation.strip_prefix("model::") {
        Some(rest) => rest.split_once("::").unwrap_or((rest, "")),
        None => citation.split_once("::").unwrap_or_default(),
    };
    let file = file(root, citation.starts_with("model::"), module);
    let Ok(text) = fs::read_to_string(file) else { return false };
    match name.strip_suffix('…') {
        Some(beginning) => text.contains(&format!("fn {beginning}")),
        None => name.is_empty() || text.contains(&format!("fn {name}(")),
    }
}

/// The file of a module, by the short names that GUARANTEES.md explains.
fn file(root: &Path, is_model: bool, module: &str) -> PathBuf {
    let name = match module {
        "sim" => "simulated",
        "proc" => "processes",
        other => other,
    };
    root.join(if is_model { "tests/model" } else { "tests/it" }).join(name).with_extension("rs")
}
