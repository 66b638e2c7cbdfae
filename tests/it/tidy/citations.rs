//! The tests and functions that documents cite, such as `sim::a_start_apart_mutes_nobody` or `codec::decode`. A name that
//! ends in `…` is cut short.

use std::fs;
use std::path::Path;

/// The citations in a document that name nothing in this repository.
pub(crate) fn broken<'a>(root: &Path, document: &'a str) -> Vec<&'a str> {
    document.split('`').filter(|span| is_citation(span) && !exists(root, span)).collect()
}

/// Whether a code span is a path of lower-case names.
fn is_citation(span: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:…".contains(c);
    span.contains("::") && span.chars().all(is_allowed)
}

/// Whether one of the sources has a function of that name. `model::planted` may name a whole file.
fn exists(root: &Path, citation: &str) -> bool {
    let (module, rest) = citation.split_once("::").unwrap_or_default();
    let name = rest.rsplit("::").next().unwrap_or(rest);
    let models = ["tests/model", "replica/tests/model"].map(|folder| root.join(folder).join(name));
    let is_file = module == "model" && models.iter().any(|file| file.with_extension("rs").exists());
    let wanted = match name.strip_suffix('…') {
        Some(beginning) => vec![format!("fn {beginning}")],
        None => vec![format!("fn {name}("), format!("fn {name}<")],
    };
    let is_there = |text: &String| wanted.iter().any(|wanted| text.contains(wanted));
    is_file || sources(root, module).iter().any(is_there)
}

/// The sources of a module, by the short names that GUARANTEES.md explains.
fn sources(root: &Path, module: &str) -> Vec<String> {
    let all_of = |folder: &str| {
        let files = fs::read_dir(root.join(folder)).unwrap();
        files.map(|file| file.unwrap().path()).collect::<Vec<_>>()
    };
    let files = match module {
        "sim" => vec![root.join("tests/it/simulated.rs")],
        "proc" => vec![root.join("tests/it/processes.rs")],
        "model" => [all_of("tests/model"), all_of("replica/tests/model")].concat(),
        "folding" => all_of("replica/tests/folding"),
        other => ["tests/it", "src", "replica/tests/it"]
            .map(|folder| root.join(folder).join(other).with_extension("rs"))
            .into(),
    };
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect()
}
