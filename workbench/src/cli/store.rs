//! Where runs are recorded.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::BenchError;
use crate::history::History;
use crate::host::process::timestamp;
use crate::report::Report;

/// A directory for one run: `store/<workload>/<time>-<seed>/`.
#[derive(Debug)]
pub(super) struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    pub(super) fn create(store: &Path, workload: &str, seed: u64) -> Result<Self, BenchError> {
        let path = store.join(workload).join(format!("{}-{seed}", timestamp()));
        fs::create_dir_all(&path).map_err(BenchError::io(format!("cannot make {}", path.display())))?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Everything there is to record of a run.
    pub(super) fn write_run(&self, report: &Report) -> Result<(), BenchError> {
        self.write_history(&report.history)?;
        if let Some(trace) = &report.trace {
            self.write("messages.jsonl", |file| trace.write_jsonl(file))?;
        }
        self.write("report.html", |file| file.write_all(report.to_html().as_bytes()))?;
        self.write_results(report)
    }

    fn write_history(&self, history: &History) -> Result<(), BenchError> {
        self.write("history.jsonl", |file| history.write_jsonl(file))
    }

    pub(super) fn write_results(&self, report: &impl Serialize) -> Result<(), BenchError> {
        self.write("results.json", |file| Ok(serde_json::to_writer_pretty(file, report)?))
    }

    fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), BenchError> {
        let path = self.path.join(name);
        let write = || {
            let mut file = BufWriter::new(File::create(&path)?);
            fill(&mut file)?;
            file.flush()
        };
        write().map_err(BenchError::io(format!("cannot write {}", path.display())))
    }
}
