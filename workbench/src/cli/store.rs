//! The record of a run: its directory and files.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::index;
use super::record::Circumstances;
use crate::error::BenchError;
use crate::host::process::{for_file_names, now};
use crate::report::Report;

/// How many runs of one workload and seed may begin within a second.
const MOST: u32 = 1000;

/// A directory for one run: `store/<workload>/<time>-<seed>/`. If that exists, its name ends in `-2`, `-3` and so on.
#[derive(Debug)]
pub(super) struct RunDirectory {
    store: PathBuf,
    path: PathBuf,
    circumstances: Circumstances,
}

impl RunDirectory {
    /// Makes a new directory, also if another program does the same at that moment. The links `store/latest` and
    /// `store/<workload>/latest` lead to it.
    pub(super) fn create(store: &Path, workload: &str, seed: u64) -> Result<Self, BenchError> {
        let date = now();
        let parent = store.join(workload);
        let path = Self::make(&parent, &format!("{}-{seed}", for_file_names(&date)))?;
        if let Some(name) = path.file_name() {
            link(&parent, Path::new(name));
            link(store, &Path::new(workload).join(name));
        }
        let circumstances = Circumstances::of_this_process(date);
        Ok(Self { store: store.to_owned(), path, circumstances })
    }

    fn make(parent: &Path, name: &str) -> Result<PathBuf, BenchError> {
        fs::create_dir_all(parent).map_err(BenchError::io(format!("cannot make {}", parent.display())))?;
        let mut number = 1;
        loop {
            let path = if number == 1 { parent.join(name) } else { parent.join(format!("{name}-{number}")) };
            match fs::create_dir(&path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MOST => number += 1,
                Err(error) => return Err(BenchError::io(format!("cannot make {}", path.display()))(error)),
            }
        }
    }

    /// Makes a directory for another run within this one.
    pub(super) fn within(&self, name: &str) -> Result<Self, BenchError> {
        let path = Self::make(&self.path, name)?;
        Ok(Self { store: self.store.clone(), path, circumstances: self.circumstances.clone() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// Writes all files of a run, the small and important ones first, and then the page over all runs. If one can't be
    /// written, the others still are. Returns the directory.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub(super) fn write_run(&self, report: &Report) -> Result<PathBuf, BenchError> {
        let results = self.write_results_alone(report);
        let page = self.write("report.html", |file| file.write_all(report.to_html().as_bytes()));
        let history = self.write("history.jsonl", |file| report.history.write_jsonl(file));
        let messages = match &report.trace {
            Some(trace) => self.write("messages.jsonl", |file| trace.write_jsonl(file)),
            None => Ok(()),
        };
        let index = index::rewrite(&self.store);
        results.and(page).and(history).and(messages).and(index).map(|()| self.path.clone())
    }

    /// Writes an outcome, and the page over all runs. Returns the directory.
    pub(super) fn write_results(&self, outcome: &impl Serialize) -> Result<PathBuf, BenchError> {
        let results = self.write_results_alone(outcome);
        let index = index::rewrite(&self.store);
        results.and(index).map(|()| self.path.clone())
    }

    fn write_results_alone(&self, outcome: &impl Serialize) -> Result<(), BenchError> {
        let record = self.circumstances.record(outcome);
        self.write("results.json", |file| Ok(serde_json::to_writer_pretty(file, &record)?))
    }

    /// Writes a whole file or none, for half a file could be mistaken for the whole.
    pub(super) fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), BenchError> {
        let path = self.path.join(name);
        let created = File::create(&path);
        let written = created.and_then(|file| {
            let mut file = BufWriter::new(file);
            let filled = fill(&mut file).and_then(|()| file.flush());
            if filled.is_err() {
                // What is still in the buffer is not to be written after all.
                drop(file.into_parts());
                let _ = fs::remove_file(&path);
            }
            filled
        });
        written.map_err(BenchError::io(format!("cannot write {}", path.display())))
    }
}

/// Makes the link `latest` in a folder lead to that run. It is a convenience: where there can be no link there is none.
fn link(folder: &Path, to: &Path) {
    let fresh = folder.join(format!(".latest-{}", std::process::id()));
    let _ = fs::remove_file(&fresh);
    if std::os::unix::fs::symlink(to, &fresh).is_ok() && fs::rename(&fresh, folder.join("latest")).is_err() {
        let _ = fs::remove_file(&fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::workload::Counter;

    /// A directory that goes away with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("workbench-store-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn runs_that_begin_in_one_second_have_directories_of_their_own() {
        let scratch = Scratch::new("names");
        let create = |_| RunDirectory::make(&scratch.0, "20260131T235959Z-7").unwrap();
        let paths: Vec<PathBuf> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || create(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let names = fs::read_dir(&scratch.0).unwrap().count();
        assert_eq!((names, paths.len()), (8, 8), "{paths:?}");
        assert!(scratch.0.join("20260131T235959Z-7-8").is_dir());
    }

    #[test]
    fn links_lead_to_the_latest_run_unless_something_is_in_their_way() {
        let scratch = Scratch::new("links");
        for seed in [1, 2] {
            let run = RunDirectory::create(&scratch.0, "echo", seed).unwrap();
            let whole = fs::canonicalize(run.path()).unwrap();
            for link in ["latest", "echo/latest"] {
                let link = scratch.0.join(link);
                assert!(link.is_symlink() && fs::canonicalize(link).unwrap() == whole);
            }
        }
        fs::remove_file(scratch.0.join("latest")).unwrap();
        fs::create_dir_all(scratch.0.join("latest/of/mine")).unwrap();
        RunDirectory::create(&scratch.0, "echo", 3).unwrap();
        assert!(scratch.0.join("latest/of/mine").is_dir());
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 2, "nothing else is left there");
    }

    #[test]
    fn a_file_in_the_way_of_the_store_is_told() {
        let scratch = Scratch::new("file");
        fs::write(scratch.0.join("store"), "").unwrap();
        let error = RunDirectory::create(&scratch.0.join("store"), "g-counter", 7).unwrap_err().to_string();
        assert!(error.contains("cannot make") && error.contains("store"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_written_keeps_no_other_from_being_written() {
        let plan = Plan { trace: true, ..Plan::new(&Counter::G, 1) };
        let report = crate::world::World::new(&plan).into_report();
        let scratch = Scratch::new("full");
        let circumstances = Circumstances::of_this_process(now());
        let directory =
            RunDirectory { store: scratch.0.join("store"), path: scratch.0.clone(), circumstances };
        fs::create_dir(&directory.store).unwrap();
        directory.write_run(&report).unwrap();
        fs::remove_file(scratch.0.join("report.html")).unwrap();
        fs::remove_file(scratch.0.join("results.json")).unwrap();
        fs::remove_file(scratch.0.join("history.jsonl")).unwrap();
        fs::create_dir(scratch.0.join("history.jsonl")).unwrap();
        std::os::unix::fs::symlink("/dev/full", scratch.0.join("report.html")).unwrap();
        let error = directory.write_run(&report).unwrap_err().to_string();
        assert!(error.contains("report.html") && error.contains("No space left"), "{error}");
        assert!(scratch.0.join("results.json").is_file() && scratch.0.join("messages.jsonl").is_file());
        assert!(!scratch.0.join("report.html").exists(), "half a page");
    }
}
