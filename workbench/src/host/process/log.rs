//! The log of a node: its standard error.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ChildStderr;

/// How much of one process's log is kept, in bytes.
const KEPT: u64 = 256 << 20;

/// Copies the standard error of a process to its log, until the process closes it.
///
/// The process writes to a pipe and not to the file, so that a full disk is no error of the process. Text that can't be
/// written, or is too much, is dropped.
pub(super) fn copy(mut stderr: ChildStderr, mut log: File) {
    let copied = io::copy(&mut stderr.by_ref().take(KEPT), &mut log);
    let rest = io::copy(&mut stderr, &mut io::sink());
    if copied.is_err() || rest.is_ok_and(|bytes| bytes > 0) {
        // If the disk is still full the note is lost too.
        let _ = writeln!(
            log,
            "\n[the bench dropped the rest: the log had {KEPT} bytes, or could not be written]"
        );
    }
}

/// The last lines of a log, cut short. Empty if there is no log.
pub(super) fn tail(path: &Path) -> String {
    const LINES: usize = 20;
    const BYTES: u64 = 4096;
    let read = || {
        let mut log = File::open(path)?;
        let length = log.metadata()?.len();
        log.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
        let mut end = Vec::new();
        log.take(BYTES).read_to_end(&mut end).map(|_| end)
    };
    let end: Vec<u8> = read().unwrap_or_else(|_: io::Error| Vec::new());
    // Control characters could change the user's terminal.
    let show = |character: char| if character.is_control() && character != '\n' { '·' } else { character };
    let text: String = String::from_utf8_lossy(&end).chars().map(show).collect();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_20_lines_are_told_and_at_most_4_kib() {
        let path = std::env::temp_dir().join(format!("workbench-log-tail-{}", std::process::id()));
        let told = |text: &str| {
            std::fs::write(&path, text).unwrap();
            tail(&path)
        };
        let lines: Vec<String> = (0..30).map(|number| format!("line {number}")).collect();
        assert_eq!(told(&lines.join("\n")), lines[10..].join("\n"));
        assert_eq!(told(&"x".repeat(5000)), "x".repeat(4096));
        assert_eq!(told("a\u{1b}[2Jb"), "a·[2Jb");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(tail(&path), "");
    }
}
