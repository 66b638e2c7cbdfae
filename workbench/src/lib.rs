#![doc = include_str!("../README.md")]
#![allow(clippy::similar_names, reason = "a name and a number are told apart well enough")]

mod answer;
mod body;
mod campaign;
mod check;
#[cfg(feature = "cli")]
mod cli;
mod doc;
mod endpoint;
mod envelope;
mod error;
mod error_code;
mod garbage;
mod history;
mod host;
mod json;
mod mix;
mod nemesis;
mod network;
mod plan;
mod promises;
mod reply;
mod report;
mod seeds;
mod service;
mod shrink;
mod stagger;
mod topology;
mod trace;
mod units;
mod words;
mod workload;
mod world;

pub use answer::{Answer, Elements};
pub use campaign::{CampaignFailure, CampaignReport, simulate_many, simulate_while};
pub use check::txn;
pub use check::{Check, Ranges, Violation, Violations, judge_counter};
#[cfg(feature = "cli")]
pub use cli::{
    FaultList, IdleOptions, NodeList, RefusedOptions, SimulateOptions, StrictList, Terminal, TestOptions,
    TransactionFlags, Verdict, exit_code, run_simulations, run_test,
};
pub use doc::{DocOptions, print_doc};
pub use error::BenchError;
pub use history::{Completion, History, Moment, NemesisAct, Operation, Outcome};
pub use host::machine::{Machine, MachineFactory};
pub use host::node::{Message, Node, Outbox, Refusal, nodes};
#[cfg(feature = "processes")]
pub use host::process::{FloodPlan, FloodReport, NodeCommand, Progress, flood_process, run_processes};
pub use host::simulation::{SimulatedMoment, simulate, simulated_moment};
pub use json::{Json, JsonError};
pub use nemesis::Fault;
pub use network::{Journal, Latency, LatencyShape, Load, Traffic};
pub use plan::{Concurrency, LoadModel, Plan};
pub use promises::{Durability, Promises};
pub use report::{
    ErrorCount, FaultWindow, Figure, FinalRead, Latencies, Messages, NodeUsage, Operations, Overhead,
    ProbedValue, Rate, Report,
};
pub use seeds::Random;
pub use service::SeqKv;
pub use shrink::{Shrunk, shrink};
pub use topology::Topology;
pub use trace::Trace;
pub use workload::{
    ALL as WORKLOADS, Ask, Broadcast, Counter, Database, Echo, GSet, Kafka, LinKv, Request, Requests, Rpc,
    Run, Shape, TransactionOptions, UniqueIds, Workload,
};
