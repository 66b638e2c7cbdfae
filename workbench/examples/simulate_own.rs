//! A node of one's own in simulated clusters: a counter that only grows. Each node has a slot for its own adds, and tells all
//! others all slots, five times a second. With `--plant` it tells them only after an add, and so never again if the message is lost.
//!
//! ```text
//! cargo run --release -p maelstrom-workbench --example simulate_own -- --seeds 0..1000
//! cargo run --release -p maelstrom-workbench --example simulate_own -- --seeds 0..1000 --plant
//! ```

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::json;
use workbench::{BenchError, Fault, Message, Node, Outbox, Plan, Refusal, SimulateOptions, Verdict};
use workbench::{exit_code, nodes, run_simulations};

#[derive(Default)]
struct Counter {
    slots: BTreeMap<String, u64>,
    plant: bool,
    has_news: bool,
}

impl Node for Counter {
    fn receive(&mut self, message: &Message, out: &mut Outbox<'_>) -> Result<(), Refusal> {
        match message.kind() {
            "add" => {
                *self.slots.entry(out.id().into()).or_default() += message.field::<u64>("delta")?;
                self.has_news = true;
                out.reply(message, json!({"type": "add_ok"}));
            }
            "read" => {
                out.reply(message, json!({"type": "read_ok", "value": self.slots.values().sum::<u64>()}));
            }
            "gossip" => {
                for (name, told) in message.field::<BTreeMap<String, u64>>("slots")? {
                    let slot = self.slots.entry(name).or_default();
                    *slot = told.max(*slot);
                }
            }
            _ => return Err(Refusal::unknown(message)),
        }
        Ok(())
    }

    fn tick(&mut self, out: &mut Outbox<'_>) {
        if std::mem::take(&mut self.has_news) || !self.plant {
            let gossip = json!({"type": "gossip", "slots": self.slots});
            out.peers().iter().for_each(|peer| out.send(peer, &gossip));
        }
    }
}

/// Simulates a counter that gossips.
#[derive(Parser)]
pub(crate) struct Cli {
    /// Plant a bug: tell each add once.
    #[arg(long)]
    plant: bool,
    #[command(flatten)]
    pub(crate) simulate: SimulateOptions,
}

pub(crate) fn judge(Cli { plant, simulate }: &Cli, out: &mut dyn Write) -> Result<Verdict, BenchError> {
    // Counts in memory do not survive a death. After a pause the answers to clients that have left would mute the node.
    let mercy = |mut plan: Plan| {
        plan.nemesis.retain(|fault| !matches!(fault, Fault::Kill | Fault::Restart | Fault::Pause));
        plan.bearable()
    };
    let node = |_seed| Counter { plant: *plant, ..Counter::default() };
    run_simulations(simulate, mercy, |_| nodes(Duration::from_millis(200), node), out)
}

pub(crate) fn main() -> ExitCode {
    exit_code("simulate_own", judge(&Cli::parse(), &mut stdout()))
}
