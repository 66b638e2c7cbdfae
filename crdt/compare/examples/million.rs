//! A million counters on three replicas: memory by the operating system, and the time of each operation.
//!
//! `cargo run --release -p crdt-compare --example million` measures named counters, and with `-- map` a map of G-Counters beside
//! them. Times are of this thread on its processor. The first argument that is a number is how many counters there are.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints what it measured")]

use crdt::GCounter;
use crdt::named::{Counters, DeltaError, Entry, RowDelta};
use crdt_compare::Numbers;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

const ACTORS: [&str; 3] = ["n0#00000001", "n1#00000002", "n2#00000003"];
/// As many items has a delta that a node may get.
const CHUNK: u64 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let counters = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    if std::env::args().any(|argument| argument == "map") {
        return of_a_map(counters);
    }
    let (built, state) = timed(|| build(counters));
    let mut state = state?;
    println!("applied {} items: {:.0} ns each", 3 * counters, nanos(built, 3 * counters));
    println!("memory: {}", memory()?);
    let names: Vec<String> = Numbers(9).take(1 << 20).map(|n| name(n % counters)).collect();
    adds(&mut state, &names)?;
    deltas(&mut state, &names)?;
    snapshot(&state)
}

fn name(n: u64) -> String {
    format!("counter:{n:09}")
}

/// By deltas, as a node hears of them.
fn build(counters: u64) -> Result<Counters<String>, DeltaError> {
    let mut state = Counters::new();
    for actor in ACTORS {
        for from in (0..counters.div_ceil(CHUNK)).map(|chunk| chunk * CHUNK) {
            let upto = counters.min(from + CHUNK);
            let mut delta = RowDelta::new(actor.to_string(), from, upto);
            for n in from..upto {
                let entry = Entry { up: 1 + n % 200, ..Entry::default() };
                delta.push(u32::try_from(n).unwrap_or(u32::MAX), n + 1, Some(&name(n)), entry);
            }
            state.apply(&delta)?;
        }
    }
    Ok(state)
}

fn adds(state: &mut Counters<String>, names: &[String]) -> Result<(), Box<dyn Error>> {
    let hot: Vec<_> = names.iter().take(64).cycle().take(names.len()).collect();
    for (what, names) in [("any of all", names.iter().collect()), ("any of 64", hot)] {
        let (took, added) =
            timed(|| names.iter().try_for_each(|name| state.add(ACTORS[0], name, 1).map(drop)));
        added?;
        println!("add by name, {what}: {:.0} ns", nanos(took, names.len() as u64));
    }
    let (took, sum) = timed(|| names.iter().map(|name| state.value(name)).sum::<i128>());
    println!("value by name, any of all: {:.0} ns (sum {sum})", nanos(took, names.len() as u64));
    Ok(())
}

/// 100 changed counters, again and again: the medians.
fn deltas(state: &mut Counters<String>, names: &[String]) -> Result<(), Box<dyn Error>> {
    let mut there = state.clone();
    let (mut made, mut applied, mut longest) = (Vec::new(), Vec::new(), 0);
    for changed in names.chunks_exact(100).take(500) {
        let from = state.version(ACTORS[0]);
        for name in changed {
            state.add(ACTORS[0], name, 1)?;
        }
        let (took, delta) = timed(|| state.row_since(ACTORS[0], from));
        let delta = delta.ok_or("nothing has changed")?;
        made.push(took);
        longest = longest.max(delta.to_bytes().len());
        let (took, result) = timed(|| there.apply(&delta));
        result?;
        applied.push(took);
    }
    let (made, applied) = (median(made), median(applied));
    println!("100 changed: delta in {made:?}, at most {longest} bytes, applied in {applied:?}");
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn snapshot(state: &Counters<String>) -> Result<(), Box<dyn Error>> {
    let (took, bytes) = timed(|| state.to_bytes());
    let names: usize = state.names().map(|name| name.len() + 1).sum();
    let slots: u32 = ACTORS.map(|actor| state.slots(actor)).iter().sum();
    let each = (bytes.len() - names) as f64 / f64::from(slots);
    println!("snapshot: {} bytes in {took:?}: names once, and {each:.1} bytes a slot", bytes.len());
    let (took, read) = timed(|| Counters::<String>::from_bytes(&bytes));
    println!("read in {took:?}: {}", if read? == *state { "the same" } else { "another" });
    Ok(())
}

/// The same counters in a map.
fn of_a_map(counters: u64) -> Result<(), Box<dyn Error>> {
    let mut map = BTreeMap::<String, GCounter<String>>::new();
    for actor in ACTORS {
        for n in 0..counters {
            map.entry(name(n)).or_default().add(actor, 1 + n % 200)?;
        }
    }
    println!("memory: {}", memory()?);
    let names: Vec<String> = Numbers(9).take(1 << 20).map(|n| name(n % counters)).collect();
    let (took, added) = timed(|| {
        names.iter().try_for_each(|name| {
            map.get_mut(name).map_or(Ok(0), |counter| counter.add(ACTORS[0], 1)).map(drop)
        })
    });
    added?;
    println!("add by name, any of all: {:.0} ns", nanos(took, names.len() as u64));
    Ok(())
}

fn memory() -> Result<String, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    Ok(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", "))
}

fn nanos(took: Duration, times: u64) -> f64 {
    took.as_secs_f64() * 1e9 / times as f64
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
    };
    let before = now();
    let done = work();
    (now().saturating_sub(before), done)
}
