//! Random clusters keep all promises.

use std::ops::Range;

use crate::world::{Plan, Sabotage, Seen, run, run_all, tell, wanted};

fn run_these(seeds: Range<u64>) -> Vec<Seen> {
    let replay = "cargo test -p counter-replica --test it more_clusters -- --ignored --nocapture";
    run_all(seeds, replay, |seed| run(Plan::draw(seed), Sabotage::Nothing, false))
}

#[test]
fn three_thousand_clusters_keep_all_promises() {
    let seen = run_these(0..3000);
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
    let seeds = wanted(3000..20000);
    if seeds.end - seeds.start > 1 {
        return tell(&run_these(seeds));
    }
    let plan = Plan::draw(seeds.start);
    println!("{plan:#?}");
    match run(plan, Sabotage::Nothing, true) {
        Ok(seen) => println!("{seen:#?}"),
        Err(problem) => panic!("{problem}"),
    }
}
