//! The verdict on other programs is Maelstrom's: what it lets pass is told and does not count, and what it finds is not
//! hidden by the bench's own doing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use workbench::{Check, Fault, Machine, Plan, Report, Workload, simulate};

use crate::toy::{Bug, Toy};

/// As for a program that `--bin` names.
fn plan(seed: u64) -> Plan {
    Plan { strict: BTreeSet::new(), probes: false, ..Plan::new(Workload::GCounter, seed) }
}

fn run(bug: Bug, plan: &Plan) -> Report {
    simulate(plan, &mut Toy::factory(bug))
}

#[test]
fn a_node_that_falls_mute_is_told_loudly_and_judged_by_what_came_before() {
    let chatty = run(Bug::Chats, &plan(1));
    assert!(
        chatty.violations.counts().contains_key(&Check::Init),
        "mute before it answers init
{chatty}"
    );
}
