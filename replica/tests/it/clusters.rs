//! Random clusters keep all promises.

use std::collections::BTreeMap;
use std::ops::Range;
use std::thread;

use crate::world::{Plan, Sabotage, Seen, run};

/// Runs all of these clusters, on all cores; panics if any breaks a promise.
fn run_all(seeds: Range<u64>) -> Vec<Seen> {
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let run_share = |share: u64| {
        let mine = seeds.clone().filter(move |seed| seed % threads == share);
        mine.map(|seed| (seed, run(Plan::draw(seed), Sabotage::Nothing, false))).collect::<Vec<_>>()
    };
    let results = thread::scope(|scope| {
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
            "{} clusters break a promise:\n{}\nreplay: \
             CLUSTERS={first} cargo test -p counter-replica --test it more_clusters -- --ignored --nocapture",
            broken.len(),
            told.join("\n"),
        );
    }
    seen
}

fn tell(seen: &[Seen]) {
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

#[test]
fn three_thousand_clusters_keep_all_promises() {
    let seen = run_all(0..3000);
    tell(&seen);
    assert!(seen.iter().map(|seen| seen.reached).sum::<usize>() > 3000, "clients wait for something");
}

#[test]
fn a_seed_replays_its_cluster() {
    for seed in 0..50 {
        let run = || run(Plan::draw(seed), Sabotage::Nothing, false);
        assert_eq!(run(), run(), "cluster {seed}");
    }
}

/// Takes seeds from `CLUSTERS`: `7` for one, with all that happens, or `3000..100000`.
#[test]
#[ignore = "takes as long as you like: run it by hand"]
fn more_clusters() {
    let wanted = std::env::var("CLUSTERS").unwrap_or_else(|_| "3000..20000".into());
    let number =
        |text: &str| text.trim().parse::<u64>().expect("CLUSTERS is a seed, or two with .. between them");
    if let Some((first, end)) = wanted.split_once("..") {
        return tell(&run_all(number(first)..number(end)));
    }
    let plan = Plan::draw(number(&wanted));
    println!("{plan:#?}");
    match run(plan, Sabotage::Nothing, true) {
        Ok(seen) => println!("{seen:#?}"),
        Err(problem) => panic!("{problem}"),
    }
}
