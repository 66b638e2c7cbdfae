//! The summary for people.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::{FaultWindow, FinalRead, Latencies, NodeUsage, Report};
use crate::check::list;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plan = &self.plan;
        let (workload, count) = (plan.workload.name(), plan.node_count);
        writeln!(f, "{workload}, {count} nodes, {} clients, seed {}", plan.workers(), plan.seed)?;
        self.write_operations(f)?;
        self.write_messages(f)?;
        write_list(f, "faults", &self.faults)?;
        match self.convergence {
            Some(took) => writeln!(f, "converged   {} after the last heal", Seconds(took))?,
            None => writeln!(f, "converged   never seen")?,
        }
        write_list(f, "final reads", &self.final_reads)?;
        writeln!(f, "possible    {} (acknowledged {})", list(&self.possible), self.acknowledged)?;
        write_list(f, "nodes", &self.nodes)?;
        self.write_verdict(f)
    }
}

impl Report {
    fn write_operations(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let counts = &self.operations;
        let (ok, fraction) = (counts.ok, counts.ok_fraction);
        writeln!(
            f,
            "operations  {}: {ok} ok ({fraction:.4}), {} indeterminate",
            counts.count, counts.indeterminate
        )?;
        if counts.indeterminate > 0 {
            writeln!(
                f,
                "            of these {} timed out, {} refused for certain",
                counts.timeouts, counts.refused
            )?;
        }
        self.latencies.iter().try_for_each(|(kind, latencies)| writeln!(f, "{kind:<11} {latencies}"))
    }

    fn write_messages(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let messages = &self.messages;
        let (servers, services) = (messages.journal.servers, messages.journal.services);
        let (per_op, bytes) = (messages.server_messages_per_op, messages.server_bytes_per_op);
        writeln!(f, "servers     {per_op:.3} messages and {bytes:.0} bytes an operation")?;
        let peers = servers.sent - services.sent;
        writeln!(f, "            {peers} messages between nodes, {} with services", services.sent)
    }

    fn write_verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.violations.write(f)?;
        write!(f, "verdict     {}", if self.valid { "valid" } else { "INVALID" })
    }
}

/// One item a line, under one heading.
fn write_list<T: Display>(f: &mut Formatter<'_>, heading: &str, items: &[T]) -> fmt::Result {
    for (number, item) in items.iter().enumerate() {
        let heading = if number == 0 { heading } else { "" };
        writeln!(f, "{heading:<11} {item}")?;
    }
    Ok(())
}

/// A time with three digits after the point.
struct Seconds(Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.0.as_secs_f64())
    }
}

impl Display for FaultWindow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "{} to {}  {}", Seconds(self.from), Seconds(until), self.detail),
            None => write!(f, "{} to the end  {}", Seconds(self.from), self.detail),
        }
    }
}

impl Display for FinalRead {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "n{} {value}", self.node),
            None => write!(f, "n{} no answer", self.node),
        }
    }
}

impl Display for Latencies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { count, p50_ms, p95_ms, p99_ms, max_ms } = self;
        write!(f, "{count} ok, ms: median {p50_ms:.2}, 95 % {p95_ms:.2}, 99 % {p99_ms:.2}, max {max_ms:.2}")
    }
}

impl Display for NodeUsage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let memory = self.max_rss_kb.map_or("unknown".into(), |kb| format!("{kb} KiB"));
        write!(f, "{} peak memory {memory}, {} lives", self.node, self.lives)?;
        self.log.iter().try_for_each(|log| write!(f, ", log {log}"))
    }
}
