//! What a process uses, as Linux tells it.

use std::fs;

/// Peak resident memory of a process, in KiB; `None` where the system does not tell.
pub(crate) fn peak_memory_kb(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The last lines of a log, cut short.
pub(crate) fn tail(path: &str) -> String {
    const LINES: usize = 10;
    const BYTES: usize = 4000;
    let bytes = fs::read(path).unwrap_or_default();
    let end = bytes.get(bytes.len().saturating_sub(BYTES)..).unwrap_or_default();
    let text = String::from_utf8_lossy(end);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}
