//! How long the checkers take: `cargo test --profile hunt -p maelstrom-workbench --test txn -- --ignored --nocapture`.

#![expect(clippy::disallowed_types, reason = "it measures")]

use std::time::Instant;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use workbench::txn::{Findings, Op, Transaction, TransactionOutcome, check_list_append, check_rw_register};

use crate::database::{Isolation, Setup, lists, registers};
use crate::script::names;

fn time(name: &str, check: impl FnOnce() -> Findings) {
    let start = Instant::now();
    let findings = check();
    println!("{name}: {:?}, found {:?}", start.elapsed(), names(&findings));
}

const MANY: usize = 100_000;

#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_transactions() {
    for isolation in [
        Isolation::StrictSerializable,
        Isolation::Serializable,
        Isolation::Snapshot,
        Isolation::ReadCommitted,
        Isolation::ReadUncommitted,
    ] {
        for (clients, keys, writes) in [(10, 10, 256), (100, 10, 16)] {
            let setup = Setup { isolation, seed: 1, transactions: MANY, clients, keys, writes };
            let (list, register) = (lists(setup), registers(setup));
            let name = format!("{isolation:?}, {clients} clients, {writes} writes a key");
            time(&format!("lists, {name}"), || check_list_append(&list).unwrap());
            time(&format!("registers, {name}"), || check_rw_register(&register).unwrap());
        }
    }
}

/// The answers of nodes that are no database. All of their transactions depend on each other.
#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_transactions_of_nonsense() {
    for one_key in [false, true] {
        let plans = plans(one_key);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
        let answer = |name: &str, value: &mut dyn FnMut(i64) -> Option<i64>| {
            let list = fill(&plans, |key| value(key).map_or(Vec::new(), |value| vec![value]));
            let register = fill(&plans, value);
            let name =
                format!("each read shows {name}, {}", if one_key { "one key" } else { "256 writes a key" });
            time(&format!("lists, {name}"), || check_list_append(&list).unwrap());
            time(&format!("registers, {name}"), || check_rw_register(&register).unwrap());
        };
        answer("nothing", &mut |_| None);
        answer("the first value", &mut |_| Some(1));
        let most = if one_key { 100_000 } else { 256 };
        answer("any value", &mut |_| Some(random.random_range(1..=most)));
    }
}

/// What clients ask for, with a time for each. All is acknowledged.
fn plans(one_key: bool) -> Vec<Transaction<Vec<i64>>> {
    let isolation = Isolation::StrictSerializable;
    let setup = Setup { isolation, seed: 1, transactions: MANY, clients: 10, keys: 10, writes: 256 };
    let mut all = lists(setup);
    let mut next = 0;
    for transaction in &mut all {
        transaction.outcome = TransactionOutcome::Committed;
        for op in transaction.ops.iter_mut().filter(|_| one_key) {
            let (Op::Write { key, .. } | Op::Read { key, .. }) = op;
            *key = 0;
            if let Op::Write { value, .. } = op {
                next += 1;
                *value = next;
            }
        }
    }
    all
}

fn fill<R>(plans: &[Transaction<Vec<i64>>], mut read: impl FnMut(i64) -> R) -> Vec<Transaction<R>> {
    let mut op = |op: &Op<Vec<i64>>| match op {
        Op::Write { key, value } => Op::Write { key: *key, value: *value },
        Op::Read { key, .. } => Op::Read { key: *key, seen: Some(read(*key)) },
    };
    let mut of = |plan: &Transaction<Vec<i64>>| Transaction {
        process: plan.process,
        invoked: plan.invoked,
        completed: plan.completed,
        outcome: plan.outcome,
        ops: plan.ops.iter().map(&mut op).collect(),
    };
    plans.iter().map(&mut of).collect()
}
