//! Many worlds, and what they have seen.

use std::collections::BTreeMap;
use std::ops::Range;
use std::thread;

use super::Seen;

/// Runs the clusters with these seeds, on all cores. Panics if any breaks a promise. `replay` is the command that replays one.
pub(crate) fn run_all<T: Send>(
    seeds: Range<u64>,
    replay: &str,
    run: impl Fn(u64) -> Result<T, String> + Sync,
) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let run_share = |share: u64| {
        let mine = seeds.clone().filter(move |seed| seed % threads == share);
        mine.map(|seed| (seed, run(seed))).collect::<Vec<_>>()
    };
    let results = thread::scope(|scope| {
        let run_share = &run_share;
        let shares: Vec<_> = (0..threads).map(|share| scope.spawn(move || run_share(share))).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect::<Vec<_>>()
    });
    let (mut seen, mut broken) = (Vec::new(), BTreeMap::new());
    for (seed, result) in results {
        match result {
            Ok(run) => seen.push(run),
            Err(problem) => {
                broken.insert(seed, problem);
            }
        }
    }
    if let Some((first, _)) = broken.first_key_value() {
        let told: Vec<_> =
            broken.iter().take(100).map(|(seed, problem)| format!("cluster {seed}: {problem}")).collect();
        panic!(
            "{} clusters break a promise:\n{}\nreplay: CLUSTERS={first} {replay}",
            broken.len(),
            told.join("\n"),
        );
    }
    seen
}

/// The seeds that `CLUSTERS` names: `7`, or `3000..100000`. Without it these.
pub(crate) fn wanted(otherwise: Range<u64>) -> Range<u64> {
    let Ok(wanted) = std::env::var("CLUSTERS") else { return otherwise };
    let number =
        |text: &str| text.trim().parse::<u64>().expect("CLUSTERS is a seed, or two with .. between them");
    match wanted.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => number(&wanted)..number(&wanted) + 1,
    }
}

pub(crate) fn tell(seen: &[Seen]) {
    let sum = |of: fn(&Seen) -> usize| seen.iter().map(of).sum::<usize>();
    let slowest = seen.iter().map(|seen| seen.agreed_after).max().unwrap_or_default();
    println!(
        "{} clusters, {} processes, {} events; {} times records went back, {} lists, {} forgets; \
         {} changes acknowledged ({} resets, {} batches, {} of these with resets, {} reports; {} tell values, {} have a note), \
         {} imports; {} clients have waited for it and read all, {} peers are said to have changes; {} changes excused, {} of these as records went \
         back; {} clusters have a row of more than 64 counters, the largest has {}; agreement after {slowest:?} at most",
        seen.len(),
        sum(|seen| seen.processes),
        seen.iter().map(|seen| seen.events).sum::<u64>(),
        sum(|seen| seen.backs),
        sum(|seen| seen.lists),
        sum(|seen| seen.forgets),
        sum(|seen| seen.acknowledged),
        sum(|seen| seen.resets),
        sum(|seen| seen.batches),
        sum(|seen| seen.batches_with_resets),
        sum(|seen| seen.reports),
        sum(|seen| seen.tells),
        sum(|seen| seen.notes),
        sum(|seen| seen.imports),
        sum(|seen| seen.reached),
        sum(|seen| seen.held),
        sum(|seen| seen.excused),
        sum(|seen| seen.went_back),
        sum(|seen| usize::from(seen.widest > 64)),
        seen.iter().map(|seen| seen.widest).max().unwrap_or_default(),
    );
}
