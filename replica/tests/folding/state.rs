//! A state of the cluster, and what must hold in it.

use crate::counter::Counter;
use crate::frame::Late;
use crate::peer::Peer;
use crate::rows::{Count, NUMBERS, Row, Rows, adds, has_twice};
use crate::setup::{Left, Setup};
use crate::store::{Commit, PeerRecord, Record};

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// An acknowledged add is in what the store and the processes together converge to.
    Lost,
    /// No process and no record has an add twice, nor has what they converge to.
    Twice,
    /// A process that has recovered shows every add that it has shown before.
    Back,
}

/// A state of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) record: Record,
    pub(crate) hints: Vec<PeerRecord>,
    pub(crate) counters: Vec<Counter>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) commits: Vec<Commit>,
    pub(crate) late: Vec<Late>,
    pub(crate) left: Left,
    pub(crate) ledger: Ledger,
    pub(crate) broken: Option<Rule>,
}

/// What the judge notes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    /// How many adds were counted.
    pub(crate) counted: u8,
    /// The adds that were acknowledged, by bit.
    pub(crate) acknowledged: u8,
    /// How many processes have died that held the add while it was not stored.
    deaths: [u8; 5],
    /// The processes of the folding node that count as dead although they run.
    pub(crate) superseded: u8,
    /// The largest number that a process or a replica has.
    pub(crate) last: u8,
    /// The peers that are forgotten, by bit.
    pub(crate) forgotten: u8,
    /// The last number of each peer's processes.
    pub(crate) doubles: [u8; 2],
}

impl State {
    pub(crate) fn new(setup: &Setup) -> Self {
        // The first add is stored, and nobody else has heard of it.
        let mut record = Record { revision: 1, ..Record::default() };
        record.rows.raise(1, Row { count: 1, floor: 0 });
        let mut first = Counter::new(1, 1);
        (first.has_swept, first.known) = (true, Some(record));
        first.rows = record.rows;
        (first.counted, first.stored) = (record.rows.get(1), record.rows.get(1));
        Self {
            record,
            hints: vec![PeerRecord::default(); usize::from(setup.peers)],
            counters: vec![first],
            peers: (1..=setup.peers).map(|node| Peer::new(node, 0)).collect(),
            commits: Vec::new(),
            late: Vec::new(),
            left: setup.left,
            ledger: Ledger { last: 1, counted: 1, acknowledged: 1, ..Ledger::default() },
            broken: None,
        }
    }

    /// Everything in the store.
    pub(crate) fn stored(&self) -> Rows {
        let mut rows = self.record.rows;
        for record in &self.hints {
            rows.merge(&record.hints);
        }
        rows
    }

    /// What the store and the processes together converge to, if nothing fails any more: the rows of all, merged, without those
    /// below the floor; and, if the protocol is amended so, what sealed processes have yet to count anew.
    fn converged(&self, setup: &Setup) -> Count {
        let mut rows = self.stored();
        for peer in &self.peers {
            rows.merge(&peer.rows);
        }
        for counter in &self.counters {
            rows.merge(&counter.holds());
        }
        let mut value = rows.value();
        if setup.amended.carries {
            let floor = rows.floor();
            let mut folded = self.record.folded;
            for counter in self.counters.iter().filter(|it| it.counted.floor == floor) {
                folded.join(&counter.folded);
            }
            let sealed = self.counters.iter().filter(|it| it.replica > 0 && it.replica < floor);
            value += sealed.map(|counter| counter.rest(&folded).count).sum::<Count>();
        }
        value
    }

    /// A process dies that held these rows.
    pub(crate) fn dies(&mut self, held: &Rows) {
        let unstored = adds(held.value()) & !adds(self.stored().value());
        for (add, deaths) in self.ledger.deaths.iter_mut().enumerate() {
            *deaths += unstored >> add & 1;
        }
    }

    /// A process counts the next add.
    pub(crate) fn count(&mut self, at: usize, setup: &Setup) {
        let add = self.ledger.counted;
        self.ledger.counted += 1;
        let counter = &mut self.counters[at];
        counter.counted.count += 1 << (3 * add);
        self.ledger.deaths[usize::from(add)] += self.ledger.superseded >> counter.process & 1;
        if setup.memory {
            self.ledger.acknowledged |= 1 << add;
        }
    }

    /// A peer's process has confirmed so much of a row. One that has a successor counts as dead.
    pub(crate) fn acknowledged_by(&mut self, (node, process): (u8, u8), held: Count) {
        let new = adds(held) & !self.ledger.acknowledged;
        self.ledger.acknowledged |= new;
        if process < self.ledger.doubles[usize::from(node - 1)] {
            for (add, deaths) in self.ledger.deaths.iter_mut().enumerate() {
                *deaths += new >> add & 1;
            }
        }
    }

    /// The record was sealed: processes below count as dead.
    pub(crate) fn supersedes(&mut self, seal: u8) {
        for at in 0..self.counters.len() {
            let counter = &self.counters[at];
            let bit = 1 << counter.process;
            if counter.replica < seal && counter.replica > 0 && self.ledger.superseded & bit == 0 {
                self.dies(&counter.holds());
                self.ledger.superseded |= bit;
            }
        }
    }

    /// What is lost now was not promised.
    pub(crate) fn give_up_lost(&mut self, setup: &Setup) {
        self.ledger.acknowledged &= adds(self.converged(setup));
    }

    pub(crate) fn next_number(&self) -> Option<u8> {
        let next = self.ledger.last + 1;
        (usize::from(next) < NUMBERS).then_some(next)
    }

    /// The adds that must not be lost. Of an add that is not stored, one of the processes that hold it may die.
    fn promised(&self, setup: &Setup) -> u8 {
        let most = u8::from(!setup.memory);
        let held = (0..5).filter(|add| self.ledger.deaths[*add] <= most).map(|add| 1 << add).sum::<u8>();
        self.ledger.acknowledged & held
    }

    /// The rule that this state breaks, if it does, after that one.
    pub(crate) fn judge(&self, before: &Self, setup: &Setup) -> Option<Rule> {
        let converged = self.converged(setup);
        let views = self.peers.iter().map(|it| &it.rows).chain(self.counters.iter().map(|it| &it.rows));
        let mut values = views.chain([&self.record.rows]).map(Rows::value).chain([converged]);
        if values.any(has_twice) {
            return Some(Rule::Twice);
        }
        if self.promised(setup) & !adds(converged) != 0 {
            return Some(Rule::Lost);
        }
        let goes_back = |was: &Rows, is: &Rows| adds(was.value()) & !adds(is.value()) != 0;
        let peers = before.peers.iter().any(|was| {
            let same = self.peers.iter().find(|is| (is.node, is.process) == (was.node, was.process));
            let is_judged =
                !setup.sealed_is_dead || was.process == self.ledger.doubles[usize::from(was.node - 1)];
            let is_judged = is_judged && was.has_recovered;
            is_judged && same.is_some_and(|is| goes_back(&was.rows, &is.rows))
        });
        let counters = before.counters.iter().any(|was| {
            let same = self.counters.iter().find(|is| is.process == was.process);
            let is_dead = setup.sealed_is_dead && was.replica < self.record.seal;
            let is_judged = self.ledger.superseded >> was.process & 1 == 0 && !is_dead;
            let is_judged = is_judged && was.has_swept;
            is_judged && same.is_some_and(|is| goes_back(&was.rows, &is.rows))
        });
        (peers || counters).then_some(Rule::Back)
    }
}
