//! What the table measures: for each of its rows the contenders and what they do.

use crate::timing::{Contender, Side, race};
use crate::{
    Apart, BTree, Cell, Contestant, CrdtKit, Crdts, Hash, Id, Json, Lattices, LatticesTree, Limit, Numbers,
    Row, SearchedBTree, Shared, Yrs, entries,
};
use std::hint::black_box;
use std::time::Duration;

const SMALL: &[u64] = &[3, 128, 1024, 16_384];
const ALL: &[u64] = &[3, 128, 1024, 16_384, 1 << 20];

#[derive(Clone, Copy)]
enum Operation {
    Merge,
    Disjoint,
    Json,
    Delta,
    OneInto,
    Value,
    Clone,
}

impl Operation {
    const fn sizes(self) -> &'static [u64] {
        match self {
            Self::Merge | Self::Disjoint => ALL,
            Self::Json | Self::Delta | Self::OneInto | Self::Value | Self::Clone => SMALL,
        }
    }

    /// How many counts an operation deals with, among `n` ids.
    const fn counts(self, n: u64) -> u64 {
        match self {
            Self::OneInto => 1,
            Self::Merge | Self::Disjoint | Self::Json | Self::Delta | Self::Value | Self::Clone => n,
        }
    }

    /// How many bytes of counts it reads; for JSON, of text.
    fn bytes(self, n: u64) -> u64 {
        match self {
            Self::Merge | Self::Delta => 16 * n,
            Self::Disjoint | Self::Value | Self::Clone => 8 * n,
            Self::OneInto => 16,
            Self::Json => Apart::<String>::build(&entries(n, 2)).to_json().len() as u64,
        }
    }

    /// Whether it merges two counters.
    const fn merges(self) -> bool {
        match self {
            Self::Merge | Self::Disjoint | Self::OneInto => true,
            Self::Json | Self::Delta | Self::Value | Self::Clone => false,
        }
    }

    /// Whether bytes a second say something.
    const fn shows_bytes(self) -> bool {
        match self {
            Self::Merge | Self::Disjoint | Self::Json => true,
            Self::Delta | Self::OneInto | Self::Value | Self::Clone => false,
        }
    }
}

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Of a race among up to 1,000 ids; larger ones get up to three times that.
    pub budget: Duration,
    /// No race is run among more ids.
    pub largest: u64,
}

impl Effort {
    /// A minute for all of the table.
    pub const FULL: Self = Self { budget: Duration::from_millis(480), largest: u64::MAX };
    /// To see that all of it runs.
    pub const GLANCE: Self = Self { budget: Duration::ZERO, largest: 128 };
}

/// A race yields one row, or several that are measured together.
pub struct Race {
    titles: &'static [&'static str],
    operation: Operation,
    ids: &'static str,
    field: fn(Operation, u64) -> Vec<Contender>,
}

/// All of them, in the order of the table.
pub fn races() -> Vec<Race> {
    let both = |titles, operation| {
        [(String::NAME, strings as fn(_, _) -> _), (u64::NAME, integers)].map(|(ids, field)| Race {
            titles,
            operation,
            ids,
            field,
        })
    };
    let mut races = Vec::new();
    races.extend(both(&["merge, shared ids", "merge, separate ids"], Operation::Merge));
    races.extend(both(&["merge, disjoint ids, half each"], Operation::Disjoint));
    races.push(Race {
        titles: &["JSON to merged state"],
        operation: Operation::Json,
        ids: String::NAME,
        field: texts,
    });
    races.extend(both(&["delta, one changed of n"], Operation::Delta));
    races.extend(both(&["merge, one entry into n"], Operation::OneInto));
    races.extend(both(&["value"], Operation::Value));
    races.extend(both(&["clone and drop"], Operation::Clone));
    races
}

impl Race {
    pub fn titles(&self) -> impl Iterator<Item = String> {
        self.titles.iter().map(|title| format!("{title}, {}", self.ids))
    }

    /// Runs it at each of its sizes.
    pub fn run(&self, effort: Effort) -> Vec<Row> {
        let mut rows: Vec<Row> = self.titles().map(|title| Row { title, cells: Vec::new() }).collect();
        for &n in self.operation.sizes().iter().filter(|&&n| n <= effort.largest) {
            let mut contenders = (self.field)(self.operation, n);
            let budget = effort.budget * if n > 1024 { 2 } else { 1 };
            let seconds = race(&mut contenders, budget, 3);
            for (at, row) in rows.iter_mut().enumerate() {
                row.cells.push(self.cell(at, n, &contenders, &seconds));
            }
        }
        rows
    }

    fn cell(&self, at: usize, n: u64, contenders: &[Contender], seconds: &[f64]) -> Cell {
        let fastest = |side| {
            let of_side = contenders.iter().zip(seconds).filter(|(contender, _)| contender.side == side);
            of_side.map(|(contender, &s)| (contender.name, s)).min_by(|a, b| a.1.total_cmp(&b.1))
        };
        let time = |side| fastest(side).map(|(_, seconds)| seconds);
        Cell {
            n,
            counts: self.operation.counts(n),
            bytes: self.operation.shows_bytes().then(|| self.operation.bytes(n)),
            ours: time(Side::Ours(at)).unwrap_or(f64::NAN),
            peer: fastest(Side::Peer),
            btree: time(Side::BTreeMap),
            hash: time(Side::HashMap),
            limit: time(Side::Limit).unwrap_or(f64::NAN),
        }
    }
}

fn strings(operation: Operation, n: u64) -> Vec<Contender> {
    makes::<String>(operation, n)
}

fn integers(operation: Operation, n: u64) -> Vec<Contender> {
    let mut all = makes::<u64>(operation, n);
    all.extend(contender::<CrdtKit>(Side::Peer, operation, n));
    all.extend(contender::<Yrs>(Side::Peer, operation, n));
    all
}

/// Those that exist for any id.
fn makes<A: Id>(operation: Operation, n: u64) -> Vec<Contender> {
    let mut all = vec![limit(operation, n)];
    all.extend(contender::<Shared<A>>(Side::Ours(0), operation, n));
    if matches!(operation, Operation::Merge) {
        all.push(merge_separate::<A>(n));
    }
    all.extend(contender::<BTree<A>>(Side::BTreeMap, operation, n));
    if operation.merges() {
        all.extend(contender::<SearchedBTree<A>>(Side::BTreeMap, operation, n));
    }
    all.extend(contender::<Hash<A>>(Side::HashMap, operation, n));
    all.extend(contender::<Crdts<A>>(Side::Peer, operation, n));
    all.extend(contender::<Lattices<A>>(Side::Peer, operation, n));
    all.extend(contender::<LatticesTree<A>>(Side::Peer, operation, n));
    all
}

fn texts(operation: Operation, n: u64) -> Vec<Contender> {
    vec![
        limit(operation, n),
        merge_text::<Apart<String>>(Side::Ours(0), n),
        merge_text::<BTree<String>>(Side::BTreeMap, n),
        merge_text::<SearchedBTree<String>>(Side::BTreeMap, n),
        merge_text::<Hash<String>>(Side::HashMap, n),
        merge_text::<Crdts<String>>(Side::Peer, n),
        merge_text::<Lattices<String>>(Side::Peer, n),
        merge_text::<LatticesTree<String>>(Side::Peer, n),
    ]
}

/// `a |= b` over as many bytes as the operation reads.
fn limit(operation: Operation, n: u64) -> Contender {
    let mut limit = Limit::new(operation.bytes(n).div_ceil(16));
    Contender::in_place(Side::Limit, "a |= b", n, move || black_box(&mut limit).or())
}

fn contender<C: Contestant>(side: Side, operation: Operation, n: u64) -> Option<Contender> {
    match operation {
        Operation::Merge => {
            let state = C::build(&entries(n, 1));
            let other = state.sibling(&entries(n, 2));
            Some(merge(side, n, state, other))
        }
        Operation::Disjoint => Some(merge_disjoint::<C>(side, n)),
        Operation::Json => None,
        Operation::Delta => delta::<C>(side, n),
        Operation::OneInto => Some(merge_one::<C>(side, n)),
        Operation::Value => {
            let state = C::build(&entries(n, 1));
            Some(Contender::in_place(side, C::MAKE, n, move || black_box(&state).value()))
        }
        Operation::Clone => {
            let state = C::build(&entries(n, 1));
            Some(Contender::in_place(side, C::MAKE, n, move || black_box(&state).clone()))
        }
    }
}

/// In a steady state: what is merged has been merged before.
fn merge<C: Contestant>(side: Side, n: u64, mut state: C, other: C) -> Contender {
    if C::BY_VALUE {
        let take = move |other: &mut Option<C>| other.take().map(|other| state.merge_value(other));
        return Contender::with_fresh(side, C::MAKE, n, move || Some(other.clone()), take);
    }
    Contender::in_place(side, C::MAKE, n, move || black_box(&mut state).merge_ref(black_box(&other)))
}

/// Merging makes two counters of ours share a table. So each merge gets a state that has its own.
fn merge_separate<A: Id>(n: u64) -> Contender {
    let state = Apart::<A>::build(&entries(n, 1));
    let other = state.sibling(&entries(n, 2));
    Contender::with_fresh(
        Side::Ours(1),
        Apart::<A>::MAKE,
        n,
        move || state.clone(),
        move |state| state.merge_ref(black_box(&other)),
    )
}

/// Even ids here, odd ones there. The state shares its ids with nobody, as in a process that holds one state.
fn merge_disjoint<C: Contestant>(side: Side, n: u64) -> Contender {
    let (even, odd): (Vec<_>, Vec<_>) = entries(n, 1).into_iter().partition(|&(id, _)| id % 2 == 0);
    let (state, other) = (C::build(&even), C::build(&odd));
    if C::BY_VALUE {
        let make = move || (state.detached(), Some(other.clone()));
        let take = |(state, other): &mut (C, Option<C>)| other.take().map(|other| state.merge_value(other));
        return Contender::with_fresh(side, C::MAKE, n, make, take);
    }
    Contender::with_fresh(
        side,
        C::MAKE,
        n,
        move || state.detached(),
        move |state| state.merge_ref(black_box(&other)),
    )
}

/// One changed entry, another each time: one of 64 in random order. In a fixed order, branches learn the whole search.
fn merge_one<C: Contestant>(side: Side, n: u64) -> Contender {
    let mut state = C::build(&entries(n, 1));
    let ones: Vec<C> = Numbers(9).take(64).map(|id| C::build(&[(id % n, 2_000_000)])).collect();
    let mut order = Numbers(10);
    let mut next = move || usize::try_from(order.next().unwrap_or(0) % 64).unwrap_or(0);
    if C::BY_VALUE {
        let take = move |one: &mut Option<C>| one.take().map(|one| state.merge_value(one));
        return Contender::with_fresh(side, C::MAKE, 1, move || ones.get(next()).cloned(), take);
    }
    Contender::in_place(side, C::MAKE, n, move || {
        ones.get(next()).map(|one| black_box(&mut state).merge_ref(one))
    })
}

/// `None` where the make has no difference.
fn delta<C: Contestant>(side: Side, n: u64) -> Option<Contender> {
    let before = C::build(&entries(n, 1));
    let mut state = before.sibling(&entries(n, 1));
    state.add(&C::Id::make(n / 2), 1);
    state.delta_since(&before)?;
    Some(Contender::in_place(side, C::MAKE, n, move || black_box(&state).delta_since(black_box(&before))))
}

fn merge_text<C: Json>(side: Side, n: u64) -> Contender {
    let mut state = C::build(&entries(n, 1));
    let json = C::build(&entries(n, 2)).to_json();
    Contender::in_place(side, C::MAKE, n, move || black_box(&mut state).merge_json(black_box(&json)))
}
