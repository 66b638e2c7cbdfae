//! Runs the bench as the command line does.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use libtest_mimic::{Failed, Trial};
use workbench::{TestOptions, run_test};

/// The first argument of this program if it is to be a node in Rust; the second says which.
pub(crate) const FLAG: &str = "--be-a-node";

/// A node: a Python or JavaScript file, or an example in Rust.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    program: String,
    args: Vec<String>,
}

impl Node {
    /// A file of this crate, by its path, or the name of an example in Rust.
    pub(crate) fn of(name: &str, args: &[&str]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).display().to_string();
        let (program, first) = match Path::new(name).extension().and_then(|extension| extension.to_str()) {
            // Python would write its own files beside the sources.
            Some("py") => ("python3".to_owned(), vec!["-B".to_owned(), path]),
            Some("js") => ("node".to_owned(), vec![path]),
            _ => (
                std::env::current_exe().unwrap().display().to_string(),
                vec![FLAG.to_owned(), name.rsplit('/').next().unwrap().to_owned()],
            ),
        };
        Self { program, args: first.into_iter().chain(args.iter().map(|arg| (*arg).to_owned())).collect() }
    }

    /// A test of the node. It is ignored, loudly, where the node's language is missing.
    pub(crate) fn trial(
        &self,
        name: String,
        test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
    ) -> Trial {
        let is_missing = !self.program.contains('/') && !is_installed(&self.program);
        if is_missing {
            // If standard error is closed there is no one to tell.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {name}: {} is not installed", self.program);
        }
        Trial::test(name, test).with_ignored_flag(is_missing)
    }
}

fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: TestOptions,
}

/// A directory that goes away with the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("workbench-{name}-{}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What `test` printed, or the error because of which there was no verdict.
pub(crate) struct Judged {
    pub(crate) text: String,
    /// The page of the report. Empty if there is none.
    pub(crate) page: String,
}

impl Judged {
    /// The line with the verdict.
    pub(crate) fn verdict(&self) -> &str {
        self.text.lines().find_map(|line| line.strip_prefix("verdict     ")).unwrap_or("none")
    }
}

/// Judges a node. The name of the test is that of the directory of the run.
pub(crate) fn judge(name: &str, node: &Node, flags: &str) -> Judged {
    let scratch = Scratch::new(name);
    let store = scratch.0.display().to_string();
    let flags = format!("test --seed 3 --store {store} --bin {} {flags} --", node.program);
    let args = flags.split_whitespace().map(str::to_owned).chain(node.args.iter().cloned());
    let options = Cli::try_parse_from(args).unwrap_or_else(|error| panic!("{error}")).options;
    let mut out = Vec::new();
    match run_test(&options, None, &mut out) {
        Ok(_) => Judged { text: String::from_utf8(out).unwrap(), page: page(&scratch.0) },
        Err(error) => Judged { text: error.to_string(), page: String::new() },
    }
}

/// The report of the only run in that store.
fn page(store: &Path) -> String {
    let only = |folder: &Path| {
        let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        folders.filter(|path| path.is_dir() && !path.is_symlink()).min().unwrap()
    };
    std::fs::read_to_string(only(&only(store)).join("report.html")).unwrap()
}
