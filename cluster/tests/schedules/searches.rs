//! The searches.

use std::env::var;

use crate::planted::Mistake;
use crate::scenario::Scenario;
use crate::scenarios::{ALL, LARGE, SMALL, that_shows};
use crate::search::{Broken, Searched, search, search_deeper, search_plainly};
use crate::steps::Bounds;

/// No search of the normal run begins more schedules. One that is cut off fails.
const MOST: usize = 500_000;

fn tell(scenario: &Scenario, found: Result<Searched, Broken>) {
    let Scenario { name, bounds: Bounds { faults, behind, kills }, .. } = scenario;
    let bounds = format!("{faults} faults, {behind} servers behind, {kills} deaths");
    match found {
        Ok(Searched { is_whole, states, runs, schedules, depth, met, ends: _ }) => {
            assert!(is_whole, "{name}: cut off after {runs} schedules");
            println!(
                "{name}: {bounds}: {schedules} schedules of {depth} steps at most, {states} states, {runs} runs"
            );
            let missing: Vec<_> = scenario.meets.iter().filter(|wanted| !met.contains(*wanted)).collect();
            assert!(missing.is_empty(), "{name}: never met: {missing:?}");
        }
        Err(Broken { rule, steps }) => panic!("{name}: {bounds}: {rule}, in these steps: {steps:#?}"),
    }
}

#[test]
fn no_schedule_breaks_a_rule() {
    for scenario in ALL {
        tell(scenario, search_deeper(scenario, Mistake::None, MOST));
    }
}

#[test]
fn every_planted_mistake_is_found() {
    for mistake in Mistake::ALL {
        let scenario = that_shows(mistake);
        let found = search_deeper(scenario, mistake, MOST);
        let Broken { rule, steps } = found.err().unwrap_or_else(|| panic!("{mistake:?} is not found"));
        println!("{mistake:?}: {}: {rule}, in {} steps", scenario.name, steps.len());
    }
}

/// Steps that go before others leave nothing out: without that the same ends are met.
#[test]
fn what_goes_first_leaves_nothing_out() {
    for scenario in SMALL {
        let first = search(scenario, Mistake::None, MOST).unwrap();
        let plain = search_plainly(scenario, MOST).unwrap();
        println!("{}: {} runs, else {}; {} ends", scenario.name, first.runs, plain.runs, first.ends.len());
        assert!(first.is_whole && plain.is_whole, "{}: cut off", scenario.name);
        assert!(
            first.ends == plain.ends,
            "{}: {} ends, else {}",
            scenario.name,
            first.ends.len(),
            plain.ends.len()
        );
    }
}

#[test]
#[ignore = "takes as long as you like: run it by hand"]
fn deeper() {
    let number = |name: &str, or: u8| var(name).map_or(or, |text| text.parse().unwrap());
    let name = var("SCENARIO").unwrap_or_default();
    for scenario in ALL.iter().chain(LARGE).filter(|scenario| scenario.name.contains(&name)) {
        let Bounds { faults, behind, kills } = scenario.bounds;
        let bounds = Bounds {
            faults: number("FAULTS", faults + 1),
            behind: number("BEHIND", behind),
            kills: number("KILLS", kills),
        };
        let scenario = Scenario { bounds, meets: &[], ..*scenario };
        tell(&scenario, search(&scenario, Mistake::None, usize::MAX));
    }
}
