//! Random clusters keep all promises.

use std::ops::Range;

use crate::codec::Codec;
use crate::jetstream::{OverJetStream, Tally};
use crate::planted::Mistake;
use crate::world::{Plan, Sabotage, Seen, run_all, run_on, tell, wanted};

type Ran = (Seen, Tally);

fn run(seed: u64, mistake: Mistake, is_loud: bool) -> Result<Ran, String> {
    let plan = Plan::draw(seed).with_steps();
    if is_loud {
        println!("{plan:#?}");
    }
    let (storage, left) = OverJetStream::new(&plan, mistake, is_loud);
    let codec = Codec::new(&plan, left.clone());
    let judged = run_on(plan, (Box::new(storage), Box::new(codec)), Sabotage::Nothing, is_loud)?;
    Ok((judged, left.tally()))
}

fn run_these(seeds: Range<u64>) {
    let replay = "cargo test -p counter-cluster --test campaign more_clusters -- --ignored --nocapture";
    let ran = run_all(seeds, replay, |seed| run(seed, Mistake::None, false));
    let (seen, tallies): (Vec<_>, Vec<_>) = ran.into_iter().unzip();
    let mut all = Tally::default();
    for tally in &tallies {
        all.add(tally);
    }
    tell(&seen);
    println!("{all}");
    assert_eq!(all.missing(), [], "these were never met");
}

#[test]
fn a_thousand_clusters_keep_all_promises() {
    run_these(0..1000);
}

#[test]
fn a_seed_replays_its_cluster() {
    for seed in 0..20 {
        let run = || run(seed, Mistake::None, false);
        assert_eq!(run(), run(), "cluster {seed}");
    }
}

#[test]
#[ignore = "takes as long as you like: run it by hand"]
fn more_clusters() {
    let seeds = wanted(1000..10_000);
    if seeds.end - seeds.start > 1 {
        return run_these(seeds);
    }
    match run(seeds.start, Mistake::None, true) {
        Ok((seen, tally)) => println!("{seen:#?}\n{tally}"),
        Err(problem) => panic!("{problem}"),
    }
}

#[test]
fn every_planted_mistake_is_found() {
    for mistake in Mistake::ALL {
        let found = (0..1000).find_map(|seed| run(seed, mistake, false).err().map(|problem| (seed, problem)));
        let (seed, problem) = found.unwrap_or_else(|| panic!("{mistake:?} is not found"));
        println!("{mistake:?}: cluster {seed}: {problem}");
    }
}
