//! What gossip costs in clusters of 3 to 1,000 nodes, on virtual time: the table and the plot of `docs/performance.md`.
//!
//! ```sh
//! cargo bench --bench scale                                        # all of it, some minutes
//! cargo bench --bench scale -- --nodes 25 --latency 100            # one size, slow links
//! cargo bench --bench scale -- --nodes 1000 --active 3             # only three nodes get requests
//! cargo bench --bench scale -- --nodes 1000 --active 3 --gone      # and the others are dead
//! ```
#![expect(clippy::print_stdout, reason = "it prints the table")]
#![expect(clippy::indexing_slicing, reason = "a JSON value gives null for what it lacks")]

mod gone;
mod push;

use std::time::Duration;

use clap::Parser;
use maelstrom_counter::config::Config;
use maelstrom_counter::judge::SimulatedNode;
use workbench::{Concurrency, Counter, Fault, Latency, LatencyShape, Machine, Plan, Report, simulate};

use gone::Gone;
use push::{Push, Whom};

/// A push to all is left out from here on: 1,000 nodes would send 100 million messages.
const MOST_FOR_ALL: usize = 100;

#[derive(Parser)]
struct Options {
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
    /// Sizes of clusters
    #[arg(long, value_delimiter = ',', default_value = "3,10,30,100,300,1000")]
    nodes: Vec<usize>,
    /// Requests a second, to all nodes together
    #[arg(long, default_value = "100")]
    rate: f64,
    /// Milliseconds that each message between nodes takes
    #[arg(long, default_value = "0")]
    latency: u64,
    #[arg(long, default_value = "1")]
    seed: u64,
    /// No partitions
    #[arg(long)]
    calm: bool,
    /// Only so many nodes get requests
    #[arg(long)]
    active: Option<usize>,
    /// All other nodes answer `init`, and nothing after that
    #[arg(long, requires = "active")]
    gone: bool,
}

fn main() {
    let options = Options::parse();
    println!(
        "| nodes | gossip | messages a node and interval | bytes each | between nodes | messages an operation | bytes | agreed after | CPU |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut curves = [Vec::new(), Vec::new(), Vec::new()];
    for &nodes in &options.nodes {
        let [links, one, all] = &mut curves;
        links.push(measure("links", nodes, &options, &mut |_, node, seed| this_node(node, seed, &options)));
        if !options.gone {
            one.push(measure("push to one", nodes, &options, &mut |_, _, seed| Push::start(Whom::One, seed)));
        }
        if !options.gone && nodes <= MOST_FOR_ALL {
            all.push(measure("push to all", nodes, &options, &mut |_, _, seed| Push::start(Whom::All, seed)));
        }
    }
    plot(&options.nodes, &curves);
}

fn this_node(node: usize, seed: u64, options: &Options) -> Box<dyn Machine> {
    match options.active {
        Some(active) if options.gone && node >= active => Box::new(Gone),
        _ => Box::new(SimulatedNode::start(Config::default(), seed)),
    }
}

/// Simulates a cluster and prints its row. Returns the bytes that a node sends a second.
fn measure(
    gossip: &str,
    nodes: usize,
    options: &Options,
    factory: &mut dyn FnMut(Duration, usize, u64) -> Box<dyn Machine>,
) -> f64 {
    let plan = Plan {
        node_count: nodes,
        rate: options.rate,
        time_limit: Duration::from_secs(10),
        latency: Latency { mean_ms: options.latency, shape: LatencyShape::Constant },
        nemesis: if options.calm { [].into() } else { [Fault::Partition].into() },
        concurrency: options.active.map_or(Concurrency::PerNode(1), Concurrency::Total),
        ..Plan::new(&Counter::G, options.seed)
    };
    let before = cpu_seconds();
    let report = simulate(&plan, &mut |now, node, seed| factory(now, node, seed));
    let [messages, bytes] = per_node_and_second(&report);
    let of = &report.messages;
    let agreed = report.convergence.map_or("never".into(), |took| format!("{:.1} s", took.as_secs_f64()));
    println!(
        "| {nodes} | {gossip} | {:.2} | {:.0} | {:.0} | {:.2} | {:.0} | {agreed} | {:.1} s |",
        messages / 10.0,
        bytes / messages,
        bytes_between_nodes(&report),
        of.server_messages_per_op,
        of.server_bytes_per_op,
        cpu_seconds() - before,
    );
    bytes
}

/// Messages and bytes that a node sends a second, those to the store included, while clients send requests.
#[expect(clippy::cast_precision_loss, reason = "counts of messages are far below 2^52")]
fn per_node_and_second(report: &Report) -> [f64; 2] {
    let busy = report.messages.journal.per_second.iter().take(10);
    let node_seconds = report.plan.node_count as f64 * 10.0;
    let [messages, bytes] =
        busy.fold([0, 0], |[messages, bytes], load| [messages + load.messages, bytes + load.bytes]);
    [messages as f64 / node_seconds, bytes as f64 / node_seconds]
}

/// Bytes of a message between nodes.
#[expect(clippy::cast_precision_loss, reason = "counts of messages are far below 2^52")]
fn bytes_between_nodes(report: &Report) -> f64 {
    let journal = &report.messages.journal;
    let (bytes, sent) =
        (journal.servers.bytes - journal.services.bytes, journal.servers.sent - journal.services.sent);
    bytes as f64 / sent as f64
}

/// Prints the logarithms of the bytes that a node sends a second, as a chart in Mermaid's notation.
fn plot(nodes: &[usize], curves: &[Vec<f64>; 3]) {
    println!("\n```mermaid\nxychart-beta");
    println!("    title \"Bytes a node sends a second (powers of ten): links, push to one, push to all\"");
    println!("    x-axis \"nodes\" {nodes:?}");
    println!("    y-axis 2 --> 7");
    for curve in curves.iter().filter(|curve| !curve.is_empty()) {
        let points: Vec<String> = curve.iter().map(|bytes| format!("{:.2}", bytes.log10())).collect();
        println!("    line [{}]", points.join(", "));
    }
    println!("```");
}

/// The CPU time of this process so far. Zero where the system does not tell.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
