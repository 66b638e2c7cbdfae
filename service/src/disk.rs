//! How much room a disk has.

use std::io;
use std::path::Path;

/// How many bytes a process of this user may still write to the disk of a directory.
///
/// # Errors
///
/// As the system says.
pub fn free_bytes(directory: &Path) -> io::Result<u64> {
    let figures = rustix::fs::statvfs(directory)?;
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}
