//! A node of one's own in simulation: a counter that gossips, in random clusters under random faults.
//!
//! ```sh
//! cargo run --release -p maelstrom-workbench --example simulate_own -- --seeds 0..2000
//! cargo run --release -p maelstrom-workbench --example simulate_own -- --plant-bug
//! ```

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::json;
use workbench::{
    Fault, Message, Node, Outbox, Plan, Refusal, SimulateOptions, exit_code, nodes, run_simulations,
};

/// The node: what each node has counted, as far as this one knows.
struct GCounter {
    counts: BTreeMap<String, u64>,
    forgets_news: bool,
}

impl Node for GCounter {
    fn receive(&mut self, message: &Message, out: &mut Outbox<'_>) -> Result<(), Refusal> {
        match message.kind() {
            "add" => {
                *self.counts.entry(out.id().into()).or_default() += message.field::<u64>("delta")?;
                out.reply(message, json!({"type": "add_ok"}));
            }
            "read" => {
                out.reply(message, json!({"type": "read_ok", "value": self.counts.values().sum::<u64>()}));
            }
            "gossip" => {
                for (node, count) in message.field::<BTreeMap<String, u64>>("counts")? {
                    let known = self.counts.entry(node).or_default();
                    // The planted bug: old news overwrites new.
                    *known = if self.forgets_news { count } else { count.max(*known) };
                }
            }
            _ => return Err(Refusal::unknown(message)),
        }
        Ok(())
    }

    fn tick(&mut self, out: &mut Outbox<'_>) {
        let gossip = json!({"type": "gossip", "counts": self.counts});
        out.peers().iter().for_each(|peer| out.send(peer, &gossip));
    }
}

#[derive(Parser)]
struct Cli {
    /// Let the node believe whatever it hears last
    #[arg(long)]
    plant_bug: bool,
    #[command(flatten)]
    options: SimulateOptions,
}

fn main() -> ExitCode {
    let Cli { plant_bug, options } = Cli::parse();
    let node = move |_seed| GCounter { counts: BTreeMap::new(), forgets_news: plant_bug };
    let factory = |_: &Plan| nodes(Duration::from_millis(200), node);
    exit_code("simulate_own", run_simulations(&options, survivable, factory, &mut std::io::stdout()))
}

/// The node keeps its counts in memory. So it promises nothing if it is ended, and it answers late once it was paused.
fn survivable(mut plan: Plan) -> Plan {
    plan.nemesis.retain(|fault| !matches!(fault, Fault::Kill | Fault::Restart | Fault::Pause));
    plan
}
