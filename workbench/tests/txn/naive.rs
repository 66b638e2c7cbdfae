//! As the naive version does: small histories, and every order of their transactions.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use workbench::txn::{Model, Op, Transaction, TransactionOutcome, check_list_append, check_rw_register};

use crate::script::{List, Register, run};

/// Whether the transactions, one after the other, would have shown these reads. `in_time` says that none of them may come
/// before one that had ended when it began.
fn has_order<R: Clone + PartialEq>(
    history: &[Transaction<R>],
    in_time: bool,
    read: &impl Fn(&[i64]) -> R,
) -> bool {
    let todo: Vec<&Transaction<R>> = history.iter().collect();
    goes_on(&todo, &BTreeMap::new(), in_time, read)
}

fn goes_on<R: Clone + PartialEq>(
    todo: &[&Transaction<R>],
    state: &BTreeMap<i64, List>,
    in_time: bool,
    read: &impl Fn(&[i64]) -> R,
) -> bool {
    todo.is_empty()
        || todo.iter().enumerate().any(|(place, next)| {
            let is_late = |other: &&Transaction<R>| other.completed.is_some_and(|end| end < next.invoked);
            let mut rest = todo.to_vec();
            rest.remove(place);
            if in_time && rest.iter().any(is_late) {
                return false;
            }
            apply(next, state, read).is_some_and(|state| goes_on(&rest, &state, in_time, read))
        })
}

fn apply<R: Clone + PartialEq>(
    transaction: &Transaction<R>,
    state: &BTreeMap<i64, List>,
    read: &impl Fn(&[i64]) -> R,
) -> Option<BTreeMap<i64, List>> {
    let mut state = state.clone();
    for op in &transaction.ops {
        match op {
            Op::Write { key, value } => state.entry(*key).or_default().push(*value),
            Op::Read { key, seen } => {
                let list = state.get(key).map_or(&[][..], Vec::as_slice);
                if *seen != Some(read(list)) {
                    return None;
                }
            }
        }
    }
    Some(state)
}

/// Up to five transactions on two keys whose reads show any prefixes, and one at the end that reads all.
fn chaos(random: &mut Xoshiro256PlusPlus) -> Vec<Transaction<List>> {
    let count = random.random_range(2..=5);
    let mut next = [1, 1];
    let mut plans: Vec<Vec<Op<List>>> = Vec::new();
    for _ in 0..count {
        let ops = (0..random.random_range(1..=3)).map(|_| {
            let key = random.random_range(0..2_usize);
            let name = i64::try_from(key).unwrap();
            if random.random_bool(0.4) {
                return Op::Read { key: name, seen: None };
            }
            next[key] += 1;
            Op::Write { key: name, value: next[key] - 1 }
        });
        plans.push(ops.collect());
    }
    let lists = next.map(|end| {
        let mut list: List = (1..end).collect();
        if random.random_bool(0.3) {
            list.shuffle(random);
        }
        list
    });
    let mut history = Vec::new();
    for (plan, process) in plans.into_iter().zip(0..) {
        let ops = fill(random, plan, &lists);
        let from = random.random_range(0..40);
        history.push(run(process, from, from + random.random_range(0..20), ops));
    }
    let ops = vec![
        Op::Read { key: 0, seen: Some(lists[0].clone()) },
        Op::Read { key: 1, seen: Some(lists[1].clone()) },
    ];
    history.push(run(9, 90, 99, ops));
    history
}

/// Lets each read show a prefix, most often one that fits the transaction's own appends.
fn fill(random: &mut Xoshiro256PlusPlus, plan: Vec<Op<List>>, lists: &[List; 2]) -> Vec<Op<List>> {
    let mut least = [0, 0];
    let mut done = Vec::new();
    for op in plan {
        let (Op::Read { key, .. } | Op::Write { key, .. }) = op;
        let place = usize::try_from(key).unwrap();
        done.push(match op {
            Op::Write { value, .. } => {
                least[place] = 1 + lists[place].iter().position(|element| *element == value).unwrap();
                Op::Write { key, value }
            }
            Op::Read { .. } => {
                let from = if random.random_bool(0.8) { least[place] } else { 0 };
                let is_exact = from > 0 && random.random_bool(0.7);
                let to = if is_exact { from } else { random.random_range(from..=lists[place].len()) };
                least[place] = to.max(least[place]);
                Op::Read { key, seen: Some(lists[place][..to].to_vec()) }
            }
        });
    }
    done
}

fn register(history: &[Transaction<List>]) -> Vec<Transaction<Register>> {
    let op = |op: &Op<List>| match op {
        Op::Write { key, value } => Op::Write { key: *key, value: *value },
        Op::Read { key, seen } => {
            Op::Read { key: *key, seen: seen.as_ref().map(|list| list.last().copied()) }
        }
    };
    let of = |transaction: &Transaction<List>| Transaction {
        process: transaction.process,
        invoked: transaction.invoked,
        completed: transaction.completed,
        outcome: TransactionOutcome::Committed,
        ops: transaction.ops.iter().map(op).collect(),
    };
    history.iter().map(of).collect()
}

#[test]
fn lists_are_judged_exactly_as_by_trying_every_order() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    let mut verdicts = BTreeMap::new();
    for case in 0..4000 {
        let history = chaos(&mut random);
        let findings = check_list_append(&history).unwrap();
        let read = |list: &[i64]| list.to_vec();
        let [serial, strict] = [false, true].map(|in_time| has_order(&history, in_time, &read));
        let holds = |model| findings.against(model).next().is_none();
        let context = || format!("case {case}: {history:#?} {:#?}", findings.examples());
        assert_eq!(holds(Model::Serializable), serial, "{}", context());
        assert_eq!(holds(Model::StrictSerializable), strict, "{}", context());
        *verdicts.entry((serial, strict)).or_insert(0) += 1;
    }
    println!("(serializable, strict): {verdicts:?}");
    assert!(verdicts.len() == 3 && verdicts.values().all(|count| *count > 200), "{verdicts:?}");
}

#[test]
fn no_register_is_blamed_that_has_an_order() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(4);
    let [mut wrong, mut found] = [0, 0];
    for case in 0..4000 {
        let history = register(&chaos(&mut random));
        let findings = check_rw_register(&history).unwrap();
        let read = |list: &[i64]| list.last().copied();
        for (model, in_time) in [(Model::Serializable, false), (Model::StrictSerializable, true)] {
            let is_blamed = findings.against(model).next().is_some();
            if has_order(&history, in_time, &read) {
                assert!(!is_blamed, "case {case}, {model}: {history:#?} {:#?}", findings.examples());
            } else {
                wrong += 1;
                found += u64::from(is_blamed);
            }
        }
    }
    println!("{found} of {wrong} histories of registers without an order are found");
    assert!(wrong > 1000 && found * 2 > wrong, "{found} of {wrong}");
}

/// A time that no test uses by accident.
#[test]
fn the_naive_version_knows_time() {
    let mut history = vec![run(0, 10, 20, vec![Op::Write { key: 0, value: 1 }])];
    history.push(run(1, 30, 40, vec![Op::Read { key: 0, seen: Some(Vec::new()) }]));
    let read = |list: &[i64]| list.to_vec();
    assert!(has_order(&history, false, &read) && !has_order(&history, true, &read));
    history[1].invoked = Duration::from_millis(20);
    assert!(has_order(&history, true, &read));
}
