//! How long the checkers take: `cargo test --profile hunt -p maelstrom-workbench --test txn -- --ignored --nocapture`.

#![expect(clippy::disallowed_types, reason = "it measures")]

use std::time::Instant;

use workbench::txn::{Findings, check_list_append, check_rw_register};

use crate::database::{Isolation, Setup, lists, registers};
use crate::script::names;

fn time(name: &str, check: impl FnOnce() -> Findings) {
    let start = Instant::now();
    let findings = check();
    println!("{name}: {:?}, found {:?}", start.elapsed(), names(&findings));
}

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
            let setup = Setup { isolation, seed: 1, transactions: 100_000, clients, keys, writes };
            let (list, register) = (lists(setup), registers(setup));
            let name = format!("{isolation:?}, {clients} clients, {writes} writes a key");
            time(&format!("lists, {name}"), || check_list_append(&list).unwrap());
            time(&format!("registers, {name}"), || check_rw_register(&register).unwrap());
        }
    }
}
