//! Runs of each fault, with a table for `docs/verification.md`. Three NATS servers, a node at each, and 200 adds a second on each node.
//!
//! ```text
//! RUNS=10 cargo test --release -p counterd --test it cluster::campaign -- --ignored --nocapture
//! ```

use std::thread::sleep;
use std::time::Duration;

use counterd::clock::Stopwatch;

use super::counting::{Seen, Tally};
use super::cut::Link;
use super::server::NatsServer;
use super::{BOUND, leader, node, wait_until_ready};
use crate::harness::{Counterd, Setup, wait_until};

/// Between the adds of a client.
const PACE: Duration = Duration::from_millis(5);

/// How long to count before the fault, and after it.
const CALM: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    LeaderKilled,
    LeaderStopped,
    MostKilled,
    AllKilled,
    NodeKilled,
    NodeStopped,
    NodeCut,
}

impl Fault {
    const ALL: [Self; 7] = [
        Self::LeaderKilled,
        Self::LeaderStopped,
        Self::MostKilled,
        Self::AllKilled,
        Self::NodeKilled,
        Self::NodeStopped,
        Self::NodeCut,
    ];

    const fn text(self) -> &'static str {
        match self {
            Self::LeaderKilled => "the stream's leader killed for 8 s",
            Self::LeaderStopped => "the stream's leader stopped for 12 s",
            Self::MostKilled => "two of three servers killed for 8 s",
            Self::AllKilled => "all servers killed for 2 s",
            Self::NodeKilled => "a node killed, and started again",
            Self::NodeStopped => "a node stopped for 8 s",
            Self::NodeCut => "a node cut off for 30 s (it runs with `--ack memory`)",
        }
    }
}

/// Three servers, and a node at each. The third node's connection can be cut.
struct Site {
    servers: Vec<NatsServer>,
    setups: Vec<Setup>,
    nodes: Vec<Counterd>,
    links: Vec<Link>,
}

impl Site {
    fn start(fault: Fault) -> Option<Self> {
        let servers = NatsServer::start_cluster(3)?;
        let links: Vec<_> =
            servers.iter().map(|server| Link::to(server.url.trim_start_matches("nats://"))).collect();
        let setup = |place: usize| {
            let is_cut = fault == Fault::NodeCut && place == 2;
            let url = |server: usize| {
                if is_cut { format!("nats://{}", links[server].address) } else { servers[server].url.clone() }
            };
            let urls: Vec<_> = (0..3).map(|turn| url((place + turn) % 3)).collect();
            let setup = node(&format!("n{}", place + 1), &urls.join(","));
            if is_cut { setup.with(&["--ack", "memory"]) } else { setup }
        };
        let setups: Vec<_> = (0..3).map(setup).collect();
        let nodes: Vec<_> = setups.iter().map(Setup::start).collect();
        nodes.iter().for_each(wait_until_ready);
        Some(Self { servers, setups, nodes, links })
    }

    /// Does it, and mends it.
    fn suffer(&mut self, fault: Fault, tally: &Tally) {
        match fault {
            Fault::LeaderKilled => {
                let leader = leader(&self.servers);
                self.kill(&[leader], Duration::from_secs(8));
            }
            Fault::LeaderStopped => {
                let leader = leader(&self.servers);
                self.servers[leader].signal("STOP");
                sleep(Duration::from_secs(12));
                self.servers[leader].signal("CONT");
            }
            Fault::MostKilled => {
                let leader = leader(&self.servers);
                self.kill(&[leader, (leader + 1) % 3], Duration::from_secs(8));
            }
            Fault::AllKilled => self.kill(&[0, 1, 2], Duration::from_secs(2)),
            Fault::NodeKilled => {
                self.nodes.remove(2).kill();
                self.nodes.push(self.setups[2].start());
                tally.follow("n3", &self.nodes[2]);
            }
            Fault::NodeStopped => {
                self.nodes[2].signal("STOP");
                sleep(Duration::from_secs(8));
                self.nodes[2].signal("CONT");
            }
            Fault::NodeCut => {
                self.links.iter().for_each(Link::cut);
                sleep(Duration::from_secs(30));
            }
        }
    }

    fn kill(&mut self, places: &[usize], time: Duration) {
        for place in places {
            self.servers[*place].kill();
        }
        sleep(time);
        for place in places {
            self.servers[*place].restart();
        }
    }
}

struct Run {
    seen: Seen,
    /// From the heal, or else from the last add, until all nodes show the same value.
    agreed_after: Duration,
    is_exact: bool,
}

fn run(fault: Fault) -> Option<Run> {
    let mut site = Site::start(fault)?;
    let tally = Tally::paced(&site.nodes.iter().collect::<Vec<_>>(), PACE);
    sleep(CALM);
    site.suffer(fault, &tally);
    if fault != Fault::NodeCut {
        sleep(CALM * 2);
    }
    let seen = tally.finish();
    let healed = Stopwatch::start();
    site.links.iter().for_each(Link::heal);
    let (least, most) = seen.bounds();
    let values = || site.nodes.iter().map(|node| node.value("views")).collect::<Vec<_>>();
    wait_until(BOUND, "all nodes agree", || {
        let values = values();
        values.iter().all(|value| *value == values[0] && *value >= least)
    });
    let agreed_after = healed.elapsed();
    let is_exact = (least..=most).contains(&values()[0]);
    Some(Run { seen, agreed_after, is_exact })
}

/// The median and the most, in milliseconds.
fn of_all(runs: &[Run], of: impl Fn(&Run) -> Duration) -> String {
    let mut all: Vec<_> = runs.iter().map(of).collect();
    all.sort_unstable();
    format!("{}, {}", all[all.len() / 2].as_millis(), all[all.len() - 1].as_millis())
}

fn row(fault: Fault, runs: &[Run]) -> String {
    let sum = |of: fn(&Run) -> i64| runs.iter().map(of).sum::<i64>();
    let wrong = runs.iter().filter(|run| !run.is_exact).count();
    let mut took: Vec<u64> = runs.iter().flat_map(|run| run.seen.times.took.iter().copied()).collect();
    took.sort_unstable();
    let at = |part: usize| {
        let took = took.get(took.len().saturating_sub(1) * part / 1_000).copied().unwrap_or_default();
        Duration::from_micros(took).as_secs_f64() * 1e3
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {:.1}, {:.0} | {} | {wrong} |",
        fault.text(),
        runs.len(),
        sum(|run| run.seen.acknowledged),
        sum(|run| run.seen.refused),
        sum(|run| run.seen.unclear),
        of_all(runs, |run| run.seen.times.gap),
        at(990),
        at(1_000),
        of_all(runs, |run| run.agreed_after),
    )
}

#[test]
#[ignore = "it takes about half an hour: by hand, for docs/verification.md"]
fn runs_of_each_fault() {
    let runs = std::env::var("RUNS").map_or(10, |runs| runs.parse().expect("RUNS is a number"));
    let only = std::env::var("FAULT").ok();
    println!(
        "| fault | runs | acknowledged | refused | unclear | longest time without an add, of any node, ms: median, most \
         | an add took, ms: p99, most | all agree after, ms: median, most | wrong |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut wrong = 0;
    for fault in Fault::ALL {
        if only.as_ref().is_some_and(|only| format!("{fault:?}") != *only) {
            continue;
        }
        let Some(runs) = (0..runs).map(|_| run(fault)).collect::<Option<Vec<_>>>() else { return };
        wrong += runs.iter().filter(|run| !run.is_exact).count();
        println!("{}", row(fault, &runs));
    }
    assert_eq!(wrong, 0, "runs are wrong");
}
