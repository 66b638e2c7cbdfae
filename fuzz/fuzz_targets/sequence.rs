#![no_main]
#![allow(dead_code, reason = "each target runs one of the bodies")]

#[path = "../../tests/it/fuzzing/mod.rs"]
mod fuzzing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::sequence(bytes));
