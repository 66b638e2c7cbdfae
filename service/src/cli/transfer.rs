//! The subcommands that export and import.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::client::{Client, Failure, Server};

/// `counterd export`
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Write to this file. It is replaced once the export is complete and synced. [default: the standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
}

/// `counterd import`
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The file that was exported, or `-` for the standard input.
    file: PathBuf,
    #[command(flatten)]
    server: Server,
}

/// What was imported.
#[derive(Debug, Deserialize)]
struct Imported {
    counters: u64,
    replicas: u64,
}

impl Export {
    pub(super) fn run(&self) -> Result<String, Failure> {
        let mut lines = Client::new(&self.server)?.stream("/v1/export")?;
        if let Some(file) = &self.out {
            save(&mut lines, file).map_err(|error| {
                Failure::new(format!("can't export to {}: {error}. It is as it was", file.display()))
            })?;
            Ok(format!("exported to {}\n", file.display()))
        } else {
            let copied = io::copy(&mut lines, &mut io::stdout().lock());
            copied.map_err(|error| Failure::new(format!("the export is cut off: {error}")))?;
            Ok(String::new())
        }
    }
}

/// Writes a file as a whole: nobody ever sees a part of it, also after a power cut.
fn save(lines: &mut impl Read, file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(lines, &mut beside)?;
    beside.flush()?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    File::open(folder)?.sync_all()
}

impl Import {
    pub(super) fn run(&self) -> Result<String, Failure> {
        let client = Client::new(&self.server)?;
        let Imported { counters, replicas } = if self.file == Path::new("-") {
            client.send("/v1/import", io::stdin().lock())?
        } else {
            let file = &self.file;
            let opened = fs::File::open(file);
            let opened =
                opened.map_err(|error| Failure::new(format!("can't read {}: {error}", file.display())))?;
            client.send("/v1/import", BufReader::new(opened))?
        };
        Ok(format!("imported; counters: {counters}, replicas: {replicas}\n"))
    }
}
