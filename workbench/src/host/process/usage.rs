//! What a process uses, as Linux tells it.

use std::fs;
use std::time::Duration;

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

/// CPU time that a process has used so far, user and system; `None` where the system does not tell.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything: what follows the last bracket starts with the third field.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let per_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_millis((user + system) * 1000 / per_second))
}
