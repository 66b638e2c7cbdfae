//! How transactions are drawn, read and told.

use super::*;
use crate::check::script::{Script, json};

fn asks(database: Database, ops: &[(i64, Option<i64>)]) -> Request {
    let ops = ops.iter().map(|(key, write)| Access { key: *key, write: *write }).collect();
    Request::new(Asked { database, ops })
}

fn stale_list() -> Script {
    let mut script = Script::of(&Database::Lists);
    script.run(
        0,
        asks(Database::Lists, &[(5, Some(1)), (6, None)]),
        json(r#"[["append",5,1],["r",6,null]]"#),
    );
    script.run(1, asks(Database::Lists, &[(5, None)]), json(r#"[["r",5,[]]]"#));
    script.run(1, asks(Database::Lists, &[(5, None)]), json(r#"[["r",5,[1]]]"#));
    script
}

#[test]
fn a_cycle_is_told_with_its_transactions_nodes_and_times() {
    let found = stale_list().found();
    assert_eq!(
        found,
        [
            "1.500 s G-single-realtime: T1 read [] from key 5 before T2 appended 1; but T2 ended before T1 began\n\
          T1: n1, process 1, 1.000 s to 1.500 s: read 5 []\n\
          T2: n0, process 0, 0.000 s to 0.500 s: append 5 1, read 6 []\n\
          T1 --rw key 5--> T2 --realtime--> T1"
        ]
    );
}

#[test]
fn only_what_the_models_forbid_is_told() {
    let mut script = stale_list();
    for (model, count) in [(Model::Serializable, 0), (Model::StrictSerializable, 1)] {
        script.plan.transactions.models = vec![model];
        assert_eq!(script.found().len(), count, "{model}");
    }
}

#[test]
fn an_answer_with_other_operations_or_strange_values_is_told() {
    let mut script = Script::of(&Database::Registers);
    script.run(0, asks(Database::Registers, &[(1, None)]), json(r#"[["r",1,null]]"#));
    script.run(0, asks(Database::Registers, &[(1, None)]), json(r#"[["r",1,"x"]]"#));
    script.run(0, asks(Database::Registers, &[(1, Some(2))]), json(r#"[["w",1,3]]"#));
    script.run(0, asks(Database::Registers, &[(1, None), (2, None)]), json(r#"[["r",1,null]]"#));
    assert_eq!(
        script.found(),
        [
            "1.500 s garbage: n0 read \"x\" from key 1; nobody writes such values",
            "2.500 s other-operations: n0 answered the transaction [[\"w\",1,2]] with other operations: [[\"w\",1,3]]",
            "3.500 s other-operations: n0 answered the transaction [[\"r\",1,null],[\"r\",2,null]] with other operations: \
             [[\"r\",1,null]]",
        ]
    );
}

#[test]
fn keys_get_so_many_writes_each_of_another_value() {
    let options =
        TransactionOptions { key_count: 3, max_length: 2, max_writes_per_key: 4, ..Default::default() };
    let mut mix = Mix::new(Database::Lists, &options);
    let mut random = crate::seeds::Seeds::new(1).generator();
    let mut written = std::collections::BTreeMap::<i64, Vec<i64>>::new();
    for _ in 0..1000 {
        let request = mix.next(0, &mut random);
        let ops = &request.get::<Asked>().unwrap().ops;
        assert!((1..=2).contains(&ops.len()));
        for op in ops {
            written.entry(op.key).or_default().extend(op.write);
        }
    }
    assert!(written.len() > 100);
    for (key, values) in written.iter().take(written.len() - 3) {
        assert!(
            values.len() <= 4 && values.iter().zip(1..).all(|(value, nth)| *value == nth),
            "{key} {values:?}"
        );
    }
}
