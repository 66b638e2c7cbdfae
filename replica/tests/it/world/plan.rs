//! What happens to a cluster: all of it is drawn from one seed.

mod asks;
mod changes;
mod services;
mod waits;

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use replica::{AckPolicy, Config, Name, Request};

pub(crate) use waits::{Waits, Wanted};

/// The store answers nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// Requests are held until it is over.
    Silent,
    /// Requests are refused: not done.
    Refusing,
    /// Requests end as unknown. Some are done when it is over.
    Forgetting,
}

/// One thing that goes wrong, or is mended. A process is meant by its node: one of those that run, by chance.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Start(usize),
    Kill(usize),
    KillAll,
    /// A process is told to shut down.
    End(usize),
    /// A process is told that nothing will come in any more.
    Close(usize),
    /// The process does not run for so long.
    Pause(usize, Duration),
    /// Nodes hear only those of their own side.
    Cut(Vec<bool>),
    Join,
    StoreFails(Outage),
    StoreRecovers,
    /// The record of this node, or of every node, is again what it was at an earlier time.
    Back(Option<usize>),
    /// The node is put on the list. Processes that run hear of that later, or never.
    List(usize),
    /// The node is taken off the list.
    Unlist(usize),
    /// An operator asks another node, by chance, to forget this one.
    Forget(usize),
    /// All that the node shows is exported.
    Export(usize),
    /// The node imports something that was exported here, or elsewhere.
    Import(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) config: Config,
    /// How many of all frames are lost, and how many doubled.
    pub(crate) loss: f64,
    pub(crate) doubled: f64,
    /// The longest time that a frame, or a request to the store, is on its way.
    pub(crate) frame_delay: Duration,
    pub(crate) store_delay: Duration,
    /// How many requests to the store go wrong while it is in order.
    pub(crate) store_lapses: f64,
    pub(crate) faults: Vec<(Duration, Fault)>,
    pub(crate) asks: Vec<(Duration, usize, Request)>,
    pub(crate) waits: Vec<(Duration, Waits)>,
    /// The names of the counters, hot ones first.
    pub(crate) names: Vec<Name>,
    /// When all faults end.
    pub(crate) heal_at: Duration,
    /// All processes crash just then.
    pub(crate) crashes_at_last: bool,
    /// What the cluster suffers.
    kinds: Vec<Kind>,
    /// These nodes join later.
    pub(crate) unlisted_at_first: Vec<usize>,
    /// Once all faults have ended, the nodes that are off the list are forgotten.
    pub(crate) forgets_at_last: bool,
    /// A process that stops stops its requests to the store.
    has_steps: bool,
}

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What a cluster may suffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Kills,
    Ends,
    Doubles,
    Cuts,
    Outages,
    Pauses,
    /// Records go back. Then no two processes of a node run at once.
    Backs,
    /// The list of nodes changes.
    Rosters,
    /// Nodes are forgotten.
    Forgets,
    /// What was exported is imported.
    Imports,
}

impl Kind {
    /// Faults, and how many of all clusters suffer each.
    const FAULTS: [(Self, f64); 6] = [
        (Self::Kills, 0.6),
        (Self::Ends, 0.4),
        (Self::Doubles, 0.3),
        (Self::Cuts, 0.5),
        (Self::Outages, 0.5),
        (Self::Pauses, 0.3),
    ];
    /// What operators do, and in how many of all clusters.
    const CHANGES: [(Self, f64); 3] = [(Self::Backs, 0.3), (Self::Rosters, 0.25), (Self::Forgets, 0.25)];

    fn draw(of: &[(Self, f64)], rng: &mut SmallRng) -> Vec<Self> {
        of.iter().filter(|(_, share)| rng.random_bool(*share)).map(|(kind, _)| *kind).collect()
    }
}

impl Plan {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let nodes = rng.random_range(1..=5);
        let pick = |rng: &mut SmallRng, of: &[u64]| ms(of[rng.random_range(0..of.len())]);
        let ack = [AckPolicy::Store, AckPolicy::Durable, AckPolicy::Durable, AckPolicy::Memory];
        let config = Config {
            ack: ack[rng.random_range(0..ack.len())],
            fanout: rng.random_range(1..=2),
            // Of some clusters no row fits into a frame, of others few items.
            max_frame: [1, 60, 1 << 18][rng.random_range(0..3)],
            ..Config::default()
        };
        let mut plan = Self {
            seed,
            nodes,
            config,
            loss: [0.0, 0.0, 0.1, 0.3][rng.random_range(0..4)],
            doubled: [0.0, 0.0, 0.2][rng.random_range(0..3)],
            frame_delay: pick(&mut rng, &[1, 5, 30, 150]),
            store_delay: pick(&mut rng, &[1, 5, 40]),
            store_lapses: 0.0,
            faults: Vec::new(),
            asks: Vec::new(),
            waits: Vec::new(),
            names: asks::draw_names(&mut rng),
            heal_at: ms(rng.random_range(3000..9000)),
            crashes_at_last: rng.random_bool(0.3),
            kinds: Vec::new(),
            unlisted_at_first: Vec::new(),
            forgets_at_last: false,
            has_steps: false,
        };
        plan.kinds = Kind::draw(&Kind::FAULTS, &mut rng);
        if plan.has(Kind::Outages) {
            plan.store_lapses = [0.0, 0.02, 0.1][rng.random_range(0..3)];
        }
        plan.draw_faults(&mut rng);
        plan.draw_asks(&mut rng);
        plan.draw_changes(&mut rng);
        plan.draw_services(&mut rng);
        plan.draw_waits();
        plan
    }

    /// The same for a store whose requests have several steps. Those stand still with their process. And no record goes back.
    #[allow(dead_code, reason = "the replica's own worlds have another store")]
    pub(crate) fn with_steps(mut self) -> Self {
        self.has_steps = true;
        self.kinds.retain(|kind| *kind != Kind::Backs);
        self.faults.retain(|(_, fault)| !matches!(fault, Fault::Back(_)));
        self
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether the store does all that it is asked to, and soon, and keeps it.
    pub(crate) fn has_calm_store(&self) -> bool {
        let fails = |(_, fault): &(Duration, Fault)| matches!(fault, Fault::StoreFails(_));
        let stops = self.has_steps && self.has(Kind::Pauses);
        !self.has(Kind::Backs) && !stops && self.store_lapses == 0.0 && !self.faults.iter().any(fails)
    }

    fn at(&mut self, time: Duration, fault: Fault) {
        if time < self.heal_at {
            self.faults.push((time, fault));
        }
    }

    fn draw_faults(&mut self, rng: &mut SmallRng) {
        for node in 0..self.nodes {
            self.at(ms(rng.random_range(0..300)), Fault::Start(node));
        }
        if self.has(Kind::Kills) && self.has(Kind::Outages) && rng.random_bool(0.3) {
            self.draw_hinted_death(rng);
        }
        for _ in 0..rng.random_range(2..9) {
            let at = ms(rng.random_range(300..8000));
            let soon = at + ms(rng.random_range(0..1500));
            let later = at + ms(rng.random_range(300..3000));
            let node = rng.random_range(0..self.nodes);
            match rng.random_range(0..8) {
                0 | 1 if self.has(Kind::Kills) => {
                    self.at(at, Fault::Kill(node));
                    self.at(soon, Fault::Start(node));
                    self.asks.push((soon + ms(1), node, Request::Read(self.names[0].clone())));
                }
                2 if self.has(Kind::Kills) && rng.random_bool(0.5) => {
                    self.at(at, Fault::KillAll);
                    for node in 0..self.nodes {
                        self.at(at + ms(rng.random_range(0..1000)), Fault::Start(node));
                    }
                }
                3 if self.has(Kind::Ends) => {
                    self.at(at, if rng.random_bool(0.7) { Fault::End(node) } else { Fault::Close(node) });
                    self.at(soon, Fault::Start(node));
                    self.asks.push((soon + ms(1), node, Request::Read(self.names[0].clone())));
                    if self.has(Kind::Doubles) {
                        self.at(soon + ms(rng.random_range(0..20)), Fault::Start(node));
                    }
                }
                4 if self.has(Kind::Doubles) => {
                    self.at(at, Fault::Start(node));
                    self.at(later, if rng.random_bool(0.5) { Fault::Kill(node) } else { Fault::End(node) });
                }
                5 if self.has(Kind::Cuts) => {
                    let sides = (0..self.nodes).map(|_| rng.random_bool(0.5)).collect();
                    self.at(at, Fault::Cut(sides));
                    self.at(later, Fault::Join);
                }
                6 if self.has(Kind::Outages) => {
                    let outages = [Outage::Silent, Outage::Refusing, Outage::Forgetting];
                    self.at(at, Fault::StoreFails(outages[rng.random_range(0..3)]));
                    self.at(later, Fault::StoreRecovers);
                }
                7 if self.has(Kind::Pauses) => self.at(at, Fault::Pause(node, later.saturating_sub(at))),
                _ => {}
            }
        }
    }

    /// A node dies while the store is out of order. Once that has been in order for a while, all others die. Only then it
    /// starts again.
    fn draw_hinted_death(&mut self, rng: &mut SmallRng) {
        let fails_at = rng.random_range(300..2000);
        let node = rng.random_range(0..self.nodes);
        self.at(ms(fails_at), Fault::StoreFails(Outage::Silent));
        self.at(ms(fails_at + rng.random_range(1200..2000)), Fault::Kill(node));
        self.at(ms(fails_at + 2000), Fault::StoreRecovers);
        let all_die = fails_at + 4000 + rng.random_range(100..1000);
        self.at(ms(all_die), Fault::KillAll);
        for node in 0..self.nodes {
            self.at(ms(all_die + rng.random_range(1..500)), Fault::Start(node));
        }
    }
}
