//! The machine and the day, in words.
#![expect(clippy::disallowed_types, reason = "the table bears its date")]

use std::thread::available_parallelism;
use std::time::SystemTime;

/// Such as "2 cores, `x86_64`, SIMD of 512 bits".
pub fn machine() -> String {
    let cores = available_parallelism().map_or_else(|_| "cores unknown".into(), |n| format!("{n} cores"));
    format!("{cores}, {}, SIMD of {} bits", std::env::consts::ARCH, simd_bits())
}

#[cfg(target_arch = "x86_64")]
fn simd_bits() -> u32 {
    if is_x86_feature_detected!("avx512f") {
        512
    } else if is_x86_feature_detected!("avx2") {
        256
    } else {
        128
    }
}

#[cfg(not(target_arch = "x86_64"))]
const fn simd_bits() -> u32 {
    128
}

/// The day, such as 2026-11-28.
pub fn today() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string().chars().take(10).collect()
}
