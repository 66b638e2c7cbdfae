//! What each part of the program may know of the others. See ARCHITECTURE.md, "Code map".

use std::path::Path;

use serde_json::Value;

use super::imports::{self, Named};
use super::{packages, shown};

/// What the sources of a crate may name. The rule does not bind code that is compiled only for tests.
pub(crate) struct Rule {
    /// The crate's root. If there is no such folder the rule holds.
    pub(crate) root: &'static str,
    /// The files that may name everything, and the folders, with a slash.
    pub(crate) except: &'static [&'static str],
    /// The crates that may be named, each with the feature that it needs, if any. `None` allows all.
    pub(crate) only: Option<&'static [(&'static str, &'static str)]>,
    /// What must not be named, nor anything in it.
    pub(crate) never: &'static [&'static str],
}

/// The files of the node that do I/O, read clocks and make generators, and the bridge to the bench.
const SHELL: &[&str] = &["runtime.rs", "clock.rs", "stdio.rs", "log.rs", "judge.rs"];

/// The part of the cluster's crate that does I/O.
const NATS: &[&str] = &["nats.rs", "nats/"];

/// With what asks an engine and waits for it.
const NATS_AND_STORE: &[&str] = &["nats.rs", "nats/", "store.rs", "store/"];

const SHELL_ONLY: &[&str] = &[
    "async",
    "rand::random",
    "rand::rng",
    "rand::rngs",
    "rustix",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
];

pub(crate) const RULES: &[Rule] = &[
    Rule {
        root: "crdt/src/lib.rs",
        except: &[],
        only: Some(&[
            ("alloc", ""),
            ("arbitrary", "arbitrary"),
            ("core", ""),
            ("crc32fast", "bytes"),
            ("pulp", ""),
            ("serde", "serde"),
            ("serde_json", "json"),
            ("std", ""),
        ]),
        never: &[
            "async",
            "std::env",
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "std::thread",
            "std::time",
        ],
    },
    Rule {
        root: "replica/src/lib.rs",
        except: &[],
        only: Some(&[
            ("alloc", ""),
            ("core", ""),
            ("crdt", ""),
            ("rand", ""),
            ("serde", "serde"),
            ("siphasher", ""),
            ("std", ""),
            ("tracing", ""),
        ]),
        never: &[
            "async",
            "rand::random",
            "rand::rng",
            "rand::rngs::SysRng",
            "rand::rngs::ThreadRng",
            "std::env",
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
    },
    Rule { root: "src/lib.rs", except: SHELL, only: None, never: SHELL_ONLY },
    Rule { root: "src/lib.rs", except: &["judge.rs"], only: None, never: &["workbench"] },
    Rule { root: "src/main.rs", except: &[], only: None, never: &["async", "rand", "tokio", "workbench"] },
    Rule {
        root: "embedded/src/lib.rs",
        except: &[],
        only: Some(&[
            ("alloc", ""),
            ("base64", ""),
            ("core", ""),
            ("crdt", ""),
            ("postcard", ""),
            ("rand", ""),
            ("redb", ""),
            ("replica", ""),
            ("serde", ""),
            ("serde_bytes", ""),
            ("serde_json", ""),
            ("siphasher", ""),
            ("slab", ""),
            ("std", ""),
            ("tracing", ""),
        ]),
        never: &["std::env", "std::net", "std::process"],
    },
    Rule {
        root: "embedded/src/lib.rs",
        except: &["clock.rs"],
        only: None,
        never: &["std::time::Instant", "std::time::SystemTime"],
    },
    // The codec and the journal do nothing but compute. The store waits for an engine, and knows none.
    Rule { root: "cluster/src/lib.rs", except: NATS_AND_STORE, only: None, never: SHELL_ONLY },
    Rule {
        root: "cluster/src/lib.rs",
        except: NATS,
        only: None,
        never: &[
            "async_nats",
            "futures_util",
            "std::fs",
            "std::net",
            "tokio::fs",
            "tokio::net",
            "tokio::time",
        ],
    },
    // What the service knows of a replica it knows through the library.
    Rule { root: "service/src/lib.rs", except: &[], only: None, never: &["crdt", "redb", "replica"] },
    Rule {
        root: "workbench/src/lib.rs",
        except: &[],
        only: None,
        never: &["async", "crdt", "maelstrom_counter", "replica", "tokio"],
    },
];

impl Rule {
    /// The paths that break the rule, with their places. `libraries` are all crates except the standard ones.
    pub(crate) fn broken(&self, repository: &Path, libraries: &[String]) -> Vec<String> {
        let root = repository.join(self.root);
        if !root.ancestors().nth(1).is_some_and(Path::exists) {
            return Vec::new();
        }
        let files = imports::of_crate(&root);
        let is_in = |file: &Path, name: &str| {
            file.ends_with(name)
                || name
                    .strip_suffix('/')
                    .is_some_and(|folder| file.parent().is_some_and(|at| at.ends_with(folder)))
        };
        let gone = self.except.iter().filter(|name| !files.iter().any(|(file, _)| is_in(file, name)));
        let mut found: Vec<_> =
            gone.map(|name| format!("{}: there is no {name} any more", self.root)).collect();
        for (file, named) in
            files.iter().filter(|(file, _)| !self.except.iter().any(|name| is_in(file, name)))
        {
            let broken = named.iter().filter(|named| !self.allows(named, libraries));
            found.extend(broken.map(|named| format!("{}:{}: {}", shown(file), named.line, named.path)));
        }
        found
    }

    pub(crate) fn allows(&self, named: &Named, libraries: &[String]) -> bool {
        named.when.test
            || !self.never.iter().any(|never| is_in(&named.path, never))
                && self.allows_crate(named, libraries)
    }

    fn allows_crate(&self, named: &Named, libraries: &[String]) -> bool {
        let Some(only) = self.only else { return true };
        let name = named.path.split("::").next().unwrap_or_default();
        if !["alloc", "core", "std"].contains(&name) && !libraries.iter().any(|library| library == name) {
            return true;
        }
        only.iter().any(|(allowed, feature)| {
            *allowed == name && (feature.is_empty() || named.when.features.contains(*feature))
        })
    }
}

/// Whether the path names that item, or something in it, or everything beside it (`*`).
fn is_in(path: &str, item: &str) -> bool {
    let is_inside = path.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    is_inside || path.strip_suffix('*').is_some_and(|all| item.starts_with(all))
}

/// What a manifest may list under `[dependencies]`.
pub(crate) struct Needs {
    /// The package's folder. If there is none the rule holds.
    pub(crate) folder: &'static str,
    pub(crate) always: &'static [&'static str],
    /// The dependencies that may be needed only under a feature.
    pub(crate) by_feature: &'static [&'static str],
}

pub(crate) const NEEDS: &[Needs] = &[
    Needs {
        folder: "crdt",
        always: &["pulp"],
        by_feature: &["arbitrary", "crc32fast", "serde", "serde_json"],
    },
    Needs {
        folder: "replica",
        always: &["crdt-counters", "rand", "siphasher", "tracing"],
        by_feature: &["serde"],
    },
    Needs {
        folder: "embedded",
        always: &[
            "base64",
            "counter-replica",
            "crdt-counters",
            "postcard",
            "rand",
            "redb",
            "serde",
            "serde_bytes",
            "serde_json",
            "siphasher",
            "slab",
            "tracing",
        ],
        by_feature: &[],
    },
];

impl Needs {
    pub(crate) fn broken(&self, repository: &Path, metadata: &Value) -> Vec<String> {
        let manifest = repository.join(self.folder).join("Cargo.toml");
        if !manifest.exists() {
            return Vec::new();
        }
        let needs = packages::needs(metadata, &manifest).into_iter();
        let broken = needs.filter(|(name, is_optional)| {
            !(self.always.contains(&&**name) || *is_optional && self.by_feature.contains(&&**name))
        });
        broken.map(|(name, _)| format!("{} needs {name}", self.folder)).collect()
    }
}

/// The words in a source that belong to one of the worlds around the replica, each with its line. A link in a doc comment
/// may have them.
pub(crate) fn worldly(source: &str) -> Vec<(usize, &'static str)> {
    let lines = (1..).zip(source.lines());
    let found = lines.flat_map(|(number, line)| {
        let is_doc = ["///", "//!"].iter().any(|doc| line.trim_start().starts_with(doc));
        let read = if is_doc { without_links(line) } else { line.to_owned() };
        let read = read.to_lowercase().replace(['-', '_'], "");
        let words = ["maelstrom", "seqkv", "json"].into_iter().filter(move |word| read.contains(word));
        words.map(move |word| (number, word))
    });
    found.collect()
}

/// The line without `[text]`, `[text](address)`, `[text]: address` and `<address>`.
fn without_links(comment: &str) -> String {
    let mut kept = String::new();
    let mut rest = comment;
    while let Some(at) = rest.find(['[', '<']) {
        let (text, link) = rest.split_at(at);
        kept.push_str(text);
        let closed_by = if link.starts_with('[') { ']' } else { '>' };
        let is_link = link.starts_with('[') || link.starts_with("<http");
        match link.split_once(closed_by).filter(|_| is_link) {
            Some((_, behind)) if behind.starts_with(": ") => rest = "",
            Some((_, behind)) if behind.starts_with('(') => {
                rest = behind.split_once(')').map_or("", |(_, rest)| rest);
            }
            Some((_, behind)) => rest = behind,
            None => {
                kept.push_str(&link[..1]);
                rest = &link[1..];
            }
        }
    }
    kept + rest
}
