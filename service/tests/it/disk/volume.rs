//! A small disk, mounted where nobody else sees it.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::harness::{is_missing, skip, tied};

/// A small disk in memory. It is mounted for one process that sleeps, and for those that are started by it. It is gone when this is
/// dropped.
pub(crate) struct Volume {
    holder: Child,
    directory: tempfile::TempDir,
}

impl Volume {
    /// Mounts a disk of this size. `None`, loudly, where that is not allowed.
    pub(crate) fn mount(size: &str) -> Option<Self> {
        if is_missing("unshare") || is_missing("nsenter") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let script = "mount -t tmpfs -o size=$1 tmpfs \"$2\" && echo mounted && shift 2 && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, "sh", size]).arg(directory.path());
        command.args(tied()).args(["sleep", "infinity"]);
        let mut holder = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let volume = Self { holder, directory };
        if line.trim() == "mounted" {
            return Some(volume);
        }
        skip("no disk can be mounted here (unshare -rm)");
        None
    }

    /// The directory for the database, as processes see it that [`starter`](Self::starter) starts.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The same directory, as this process sees it.
    pub(crate) fn seen_from_here(&self) -> PathBuf {
        self.path("data")
    }

    /// The command that starts a program on this disk.
    pub(crate) fn starter(&self) -> Vec<String> {
        let holder = self.holder.id().to_string();
        ["nsenter", "-t", &holder, "-U", "-m", "--preserve-credentials", "--"].map(Into::into).into()
    }

    /// Fills the disk to its last byte.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.path("filler")).unwrap();
        loop {
            match filler.write(&[0; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.path("filler")).unwrap();
    }

    /// Mounts it anew: `ro` or `rw`.
    pub(crate) fn remount(&self, how: &str) {
        let starter = self.starter();
        let mut command = Command::new(&starter[0]);
        command.args(&starter[1..]).args(["mount", "-o", &format!("remount,{how}")]);
        assert!(command.arg(self.directory.path()).status().unwrap().success());
    }

    fn path(&self, name: &str) -> PathBuf {
        let root = Path::new("/proc").join(self.holder.id().to_string()).join("root");
        root.join(self.directory.path().strip_prefix("/").unwrap()).join(name)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _is_dead_already = self.holder.kill();
        let _is_dead_already = self.holder.wait();
    }
}
