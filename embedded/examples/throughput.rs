//! How fast counters are counted in one process: `cargo run --release -p counter-embedded --example throughput -- memory 16`
//!
//! Arguments: the policy, how many adds go together, how many counters there are, and how many adds.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "it measures, and prints what it has measured"
)]

use std::time::Instant;

use embedded::{AckPolicy, Change, Name, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let ack = match arguments.next().as_deref() {
        Some("store") => AckPolicy::Store,
        Some("durable") => AckPolicy::Durable,
        _ => AckPolicy::Memory,
    };
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse::<usize>());
    let (group, names, adds) = (number(16)?, number(1_000)?, number(1_000_000)?);
    let directory = tempfile::tempdir()?;
    let counters = Options { ack, ..Options::default() }.open(directory.path())?;
    let names: Vec<Name> = (0..names).map(|n| format!("counter:{n:012}").as_str().into()).collect();
    let mut state = 1_usize;
    let begun = Instant::now();
    let mut done = 0;
    while done < adds {
        let answers = counters.submit(|session| {
            for _ in 0..group {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let name = names.get((state >> 33) % names.len()).cloned().unwrap_or_else(|| "".into());
                session.change(Change::Add(name, 1));
            }
        });
        let answers = answers.wait();
        done += answers.iter().filter(|answer| answer.is_ok()).count();
    }
    let time = begun.elapsed();
    println!("{done} adds in {time:.2?}: {} ns each", time.as_nanos() / done.max(1) as u128);
    Ok(())
}
