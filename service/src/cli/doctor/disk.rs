//! Checks of the data directory.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::{Report, Verdict};
use crate::clock::Stopwatch;
use crate::disk;

/// Less room than this is a failure, and less than [`SCARCE`] a warning.
const TOO_LITTLE: u64 = 64 << 20;
const SCARCE: u64 = 1 << 30;

/// A sync that takes longer than this is slow.
const SLOW: Duration = Duration::from_millis(20);

/// So many times a scratch file is written and synced.
const SYNCS: usize = 21;

/// File systems that are not a disk of this machine, by the number that the system has for them, and what is wrong with them.
const KINDS: [(u64, &str, &str); 9] = [
    (0x6969, "NFS", NETWORK),
    (0x517b, "SMB", NETWORK),
    (0xff53_4d42, "CIFS", NETWORK),
    (0xfe53_4d42, "SMB2", NETWORK),
    (0x0bd0_0bd0, "Lustre", NETWORK),
    (0x0102_1994, "tmpfs", MEMORY),
    (0x8584_58f6, "ramfs", MEMORY),
    (0x794c_7630, "overlayfs", "it ends with its container: put the data on a volume"),
    (
        0x6573_5546,
        "FUSE",
        "whether it keeps a lock and a sync is up to its program: put the data on a local disk",
    ),
];

const NETWORK: &str = "locks and syncs over a network are not reliable: put the data on a local disk";
const MEMORY: &str = "it is memory, and all counts are lost when the machine ends: put the data on a disk";

pub(super) fn check(data: &Path, report: &mut Report) {
    let name = data.display();
    if !data.is_dir() {
        let text =
            format!("{name} is not there: name the directory with --data, or run this where the server runs");
        return report.add(Verdict::Warn, "data", &text);
    }
    report.add(Verdict::Ok, "data", &format!("in {name}"));
    check_room(data, report);
    check_kind(data, report);
    match sync_time(data) {
        Ok(time) if time > SLOW => {
            let text = format!("a sync takes {}, and an add waits for one: use a faster disk", shown(time));
            report.add(Verdict::Warn, "sync", &text);
        }
        Ok(time) => {
            report.add(Verdict::Ok, "sync", &format!("a sync takes {} (median of {SYNCS})", shown(time)));
        }
        Err(error) => {
            let text =
                format!("can't write and sync a file in {name}: {error}. Run this as the user of the server");
            report.add(Verdict::Fail, "sync", &text);
        }
    }
}

fn check_room(data: &Path, report: &mut Report) {
    let free = match disk::free_bytes(data) {
        Ok(free) => free,
        Err(error) => return report.add(Verdict::Warn, "room", &format!("it is not known: {error}")),
    };
    let text = format!("{} are free", bytesize::ByteSize(free).display().iec());
    match free {
        free if free < TOO_LITTLE => {
            report.add(Verdict::Fail, "room", &format!("only {text}: adds are refused when it is full"));
        }
        free if free < SCARCE => report.add(Verdict::Warn, "room", &format!("only {text}: make room soon")),
        _ => report.add(Verdict::Ok, "room", &text),
    }
}

fn check_kind(data: &Path, report: &mut Report) {
    let number = match rustix::fs::statfs(data) {
        // The system's numbers are 32 bits wide, whatever the type.
        Ok(figures) => u64::from_ne_bytes(figures.f_type.to_ne_bytes()) & 0xffff_ffff,
        Err(error) => return report.add(Verdict::Warn, "file system", &format!("it is not known: {error}")),
    };
    match KINDS.iter().find(|(kind, ..)| *kind == number) {
        Some((_, kind, problem)) => report.add(Verdict::Warn, "file system", &format!("{kind}: {problem}")),
        None => report.add(Verdict::Ok, "file system", "it is a local disk"),
    }
}

/// How long it takes to write a page and sync it: the median.
fn sync_time(data: &Path) -> io::Result<Duration> {
    let mut scratch = tempfile::tempfile_in(data)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let watch = Stopwatch::start();
        scratch.write_all(&[0; 4096])?;
        scratch.sync_data()?;
        times.push(watch.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(SYNCS / 2).copied().unwrap_or_default())
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
