//! The bench: this node, or any other, judged by `workbench`.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use rand::rngs::{SmallRng, StdRng};
use rand::{RngExt, SeedableRng};
use workbench::{
    BenchError, Counter, Durability, Fault, LatencyShape, Machine, MachineFactory, Plan, Promises, Terminal,
    Verdict, Workload, exit_code, print_doc, run_simulations, run_test,
};
pub use workbench::{DocOptions, TestOptions, simulated_moment};

use crate::cli::{self, Cli};
use crate::config::{AckPolicy, Config, CounterKind};
use crate::endpoint::Endpoint;

/// This node as the bench's simulation drives it: an incarnation without a process.
#[derive(Debug)]
pub struct SimulatedNode {
    endpoint: Endpoint<SmallRng>,
}

impl SimulatedNode {
    /// A process that has just started.
    pub fn start(config: Config, seed: u64) -> Self {
        Self { endpoint: Endpoint::new(config, SmallRng::seed_from_u64(seed)) }
    }
}

impl Machine for SimulatedNode {
    fn looked(&mut self, now: Duration, bytes: usize) {
        self.endpoint.looked(now, bytes);
    }

    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>) {
        self.endpoint.receive(now, line, out);
        self.wake(now, out);
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        if !self.endpoint.is_done() {
            self.endpoint.wake(now, out);
        }
    }

    fn next_wake(&self) -> Option<Duration> {
        self.endpoint.next_wake()
    }

    fn terminate(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.endpoint.terminate(now, out);
        self.wake(now, out);
    }

    fn has_exited(&self) -> bool {
        self.endpoint.is_done()
    }
}

/// Makes the nodes of a simulated cluster, all of one configuration.
pub fn factory(config: Config) -> impl MachineFactory {
    move |_, _, seed| Box::new(SimulatedNode::start(config.clone(), seed)) as Box<dyn Machine>
}

/// What this node must count to serve the workload; `None` if it does not serve it.
fn counter_for(workload: &dyn Workload) -> Option<CounterKind> {
    match workload.counter()? {
        Counter::G => Some(CounterKind::G),
        Counter::Pn => Some(CounterKind::Pn),
    }
}

/// A configuration drawn from the plan's seed, but for what the plan's settings say. Under the one that is drawn the nodes
/// promise to survive the plan's faults.
pub fn drawn_config(plan: &Plan) -> Config {
    let has = |fault| plan.nemesis.contains(&fault);
    let ends = has(Fault::Kill) || has(Fault::Restart);
    let setting = |name| plan.settings.get(name).map(String::as_str);
    let drawn = match StdRng::seed_from_u64(plan.seed).random_range(0..3) {
        0 if !ends => AckPolicy::Memory,
        0 | 1 if !(ends && seems_down_without_a_store_fault(plan)) => AckPolicy::Durable,
        _ => AckPolicy::Store,
    };
    let ack = setting("ack").and_then(cli::ack_policy_named).unwrap_or(drawn);
    let counter = setting("counter").and_then(|name| CounterKind::from_str(name, false).ok());
    let counter = counter.or_else(|| counter_for(plan.workload)).unwrap_or(CounterKind::G);
    Config { counter, ack, ..Config::default() }
}

/// Whether the network alone may keep all answers of the store from a node for a whole timeout. A loss of half of the
/// messages may: until a node knows how long an answer takes, it asks four times within the timeout.
fn seems_down_without_a_store_fault(plan: &Plan) -> bool {
    let has = |fault| plan.nemesis.contains(&fault);
    has(Fault::Slow) || has(Fault::Loss) || plan.loss > 0.0 || plan.store_loss > 0.0
}

/// What this node promises under that configuration and the plan's faults.
pub fn promises(config: &Config, plan: &Plan) -> Promises {
    let durability = match config.ack {
        AckPolicy::Durable => Durability::OneDeathWithoutServices,
        AckPolicy::Store | AckPolicy::Memory => Durability::AnyDeaths,
    };
    let reads_survive_crashes = config.ack != AckPolicy::Memory && recovery_is_in_time(plan);
    Promises { durability, reads_survive_crashes }
}

/// Whether a node that starts recovers within the second for which it holds its reads. That needs a quick store, which no
/// node mistakes for one that is down.
fn recovery_is_in_time(plan: &Plan) -> bool {
    let longest_mean_ms = match plan.latency.shape {
        LatencyShape::Exponential => 10,
        LatencyShape::Constant | LatencyShape::Uniform => 50,
    };
    let is_disturbed =
        [Fault::Store, Fault::Loss, Fault::Slow].iter().any(|fault| plan.nemesis.contains(fault));
    let loses_something = plan.loss > 0.0 || plan.store_loss > 0.0;
    !is_disturbed && !loses_something && !plan.cut_store && plan.latency.mean_ms <= longest_mean_ms
}

/// The plan for a seed: one that the nodes can bear, with their settings, and with what they promise under these.
pub fn adapted(plan: Plan) -> Plan {
    let plan = plan.bearable();
    let config = drawn_config(&plan);
    let settings = [("ack", cli::name_of_ack_policy(config.ack)), ("counter", counter_name(config.counter))];
    let settings = settings.map(|(name, value)| (name, value.to_owned())).into();
    Plan { promises: promises(&config, &plan), settings, ..plan }
}

/// The flags of `simulate`: the bench's, and those that pin the nodes' settings.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct SimulateOptions {
    /// The bench's flags.
    #[command(flatten)]
    pub bench: workbench::SimulateOptions,
    /// When an add is acknowledged [default: by the seed, so that the nodes survive the faults]
    #[arg(long, value_parser = cli::ack_policy())]
    pub ack: Option<AckPolicy>,
    /// What the nodes count [default: what the workload needs]
    #[arg(long, value_enum)]
    pub counter: Option<CounterKind>,
}

impl SimulateOptions {
    /// A plan with the settings that the flags pin.
    fn pinned(&self, plan: Plan) -> Plan {
        let ack = self.ack.map(|ack| ("ack", cli::name_of_ack_policy(ack)));
        let counter = self.counter.map(|counter| ("counter", counter_name(counter)));
        let pinned = ack.into_iter().chain(counter).map(|(name, value)| (name, value.to_owned()));
        let settings = plan.settings.into_iter().chain(pinned).collect();
        Plan { settings, ..plan }
    }
}

/// Runs the `simulate` subcommand and returns the exit status: 0 valid, 1 invalid, 2 could not run.
pub fn simulate(options: &SimulateOptions) -> ExitCode {
    let version = Some(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")));
    let bench = workbench::SimulateOptions { version, ..options.bench.clone() };
    let adapt = |plan| adapted(options.pinned(plan));
    let outcome = match counter_for(bench.workload) {
        None => Err(not_served()),
        Some(_) => {
            run_simulations(&bench, adapt, |plan| factory(drawn_config(plan)), &mut Terminal::stdout())
        }
    };
    exit_code("maelstrom-counter simulate", outcome)
}

/// Runs the `doc` subcommand and returns the exit status: 0, or 2 if it could not print.
pub fn doc(options: &DocOptions) -> ExitCode {
    exit_code("maelstrom-counter doc", print_doc(options, &mut io::stdout()).map(|()| Verdict::Valid))
}

/// Runs the `test` subcommand and returns the exit status: 0 valid, 1 invalid, 2 could not run.
pub fn test(options: TestOptions) -> ExitCode {
    exit_code("maelstrom-counter test", judge(options))
}

fn judge(mut options: TestOptions) -> Result<Verdict, BenchError> {
    if options.bin.is_some() {
        return run_test(&options, None, &mut Terminal::stdout());
    }
    let this_node = std::env::current_exe()
        .map_err(|source| BenchError::Io { what: "cannot tell where this program is".into(), source })?;
    let counter = counter_for(options.workload()).ok_or_else(not_served)?;
    options.node_args = own_arguments(counter, options.node_args);
    let config = own_config(&options.node_args)
        .map_err(|problem| BenchError::Usage(format!("what follows -- is for this node: {problem}")))?;
    options.promises = promises(&config, &options.plan(0));
    run_test(&options, Some(&this_node), &mut Terminal::stdout())
}

fn not_served() -> BenchError {
    BenchError::Usage("this node serves g-counter and pn-counter; name another with --bin".into())
}

/// The value of `--counter`.
fn counter_name(counter: CounterKind) -> &'static str {
    match counter {
        CounterKind::G => "g",
        CounterKind::Pn => "pn",
    }
}

/// The arguments that this node needs to serve the workload, and after them the user's.
fn own_arguments(counter: CounterKind, given: Vec<String>) -> Vec<String> {
    let counter = counter_name(counter);
    let is_given = given.iter().any(|arg| arg == "--counter" || arg.starts_with("--counter="));
    let own = if is_given { Vec::new() } else { vec!["--counter".into(), counter.into()] };
    [own, given].concat()
}

/// The nodes' configuration, from those arguments and the environment that they inherit.
fn own_config(arguments: &[String]) -> Result<Config, String> {
    let command_line = std::iter::once("maelstrom-counter").chain(arguments.iter().map(String::as_str));
    match cli::parse(command_line.map(Into::into)) {
        Ok(Cli { command: None, node }) => Ok(node.config()),
        Ok(Cli { command: Some(_), .. }) => Err("a node has no subcommand".into()),
        Err(error) => Err(error.to_string()),
    }
}
