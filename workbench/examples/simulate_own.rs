//! A node of one's own in simulated clusters: a counter that only grows. Each node has a slot for its own adds, and tells all
//! others all slots, five times a second. With `--plant` it tells them only after an add, and so never again if the message is lost.
//!
//! ```text
//! cargo run --release -p maelstrom-workbench --example simulate_own -- --seeds 0..1000
//! cargo run --release -p maelstrom-workbench --example simulate_own -- --seeds 0..1000 --plant
//! ```
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "an example is short")]

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};
use workbench::{BenchError, Fault, Machine, Plan, SimulateOptions, Verdict, exit_code, run_simulations};

/// Simulates a counter that gossips.
#[derive(Parser)]
pub(crate) struct Cli {
    /// Plant a bug: tell each add once.
    #[arg(long)]
    plant: bool,
    #[command(flatten)]
    simulate: SimulateOptions,
}

#[derive(Default)]
struct Counter {
    plant: bool,
    name: String,
    peers: Vec<Value>,
    slots: BTreeMap<String, u64>,
    has_news: bool,
    gossip_at: Option<Duration>,
}

impl Counter {
    fn send(&self, dest: &Value, body: &Value, out: &mut Vec<u8>) {
        let message = json!({"src": self.name, "dest": dest, "body": body});
        writeln!(out, "{message}").expect("a vector takes everything");
    }

    fn merge(&mut self, slots: BTreeMap<String, u64>) {
        for (name, told) in slots {
            let slot = self.slots.entry(name).or_default();
            *slot = told.max(*slot);
        }
    }

    fn answer(&mut self, body: &Value) -> Option<Value> {
        Some(match body["type"].as_str()? {
            "init" => {
                self.name = body["node_id"].as_str()?.into();
                let nodes = body["node_ids"].as_array()?.iter();
                self.peers = nodes.filter(|node| **node != self.name).cloned().collect();
                self.gossip_at = Some(Duration::ZERO);
                json!({"type": "init_ok"})
            }
            "add" => {
                *self.slots.entry(self.name.clone()).or_default() += body["delta"].as_u64()?;
                self.has_news = true;
                json!({"type": "add_ok"})
            }
            "read" => json!({"type": "read_ok", "value": self.slots.values().sum::<u64>()}),
            _ => {
                self.merge(serde_json::from_value(body["slots"].clone()).ok()?);
                return None;
            }
        })
    }
}

impl Machine for Counter {
    fn receive(&mut self, _now: Duration, line: &[u8], out: &mut Vec<u8>) {
        let message: Value = serde_json::from_slice(line).expect("the bench sends JSON");
        if let Some(mut answer) = self.answer(&message["body"]) {
            answer["in_reply_to"] = message["body"]["msg_id"].clone();
            self.send(&message["src"], &answer, out);
        }
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.gossip_at = Some(now + Duration::from_millis(200));
        if std::mem::take(&mut self.has_news) || !self.plant {
            let gossip = json!({"type": "gossip", "slots": self.slots});
            self.peers.iter().for_each(|peer| self.send(peer, &gossip, out));
        }
    }

    fn next_wake(&self) -> Option<Duration> {
        self.gossip_at
    }
}

pub(crate) fn judge(Cli { plant, simulate }: &Cli, out: &mut dyn Write) -> Result<Verdict, BenchError> {
    // Counts in memory do not survive a death. After a pause the answers to clients that have left would mute the node.
    let mercy = |mut plan: Plan| {
        plan.nemesis.retain(|fault| !matches!(fault, Fault::Kill | Fault::Restart | Fault::Pause));
        plan.bearable()
    };
    let node = || Box::new(Counter { plant: *plant, ..Counter::default() }) as Box<dyn Machine>;
    let nodes = |_: &Plan| move |_: Duration, _: usize, _: u64| node();
    run_simulations(simulate, mercy, nodes, out)
}

pub(crate) fn main() -> ExitCode {
    exit_code("simulate_own", judge(&Cli::parse(), &mut stdout()))
}
