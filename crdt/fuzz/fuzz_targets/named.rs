#![no_main]
#![allow(dead_code, reason = "each target runs one of the bodies")]

#[path = "../../tests/it/fuzz_bodies.rs"]
mod fuzz_bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_bodies::named(bytes));
