//! The summary for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use super::{FaultWindow, FinalRead, Latencies, NodeUsage, Overhead, Report};
use crate::check::{Check, list, node_names};
use crate::words::{Seconds, first};

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plan = &self.plan;
        let (workload, count) = (plan.workload.name(), plan.node_count);
        writeln!(f, "{workload}, {count} nodes, {} clients, seed {}", plan.workers(), plan.seed)?;
        writeln!(f, "rate        {}", self.rate)?;
        self.write_operations(f)?;
        if let Some(overhead) = &self.overhead {
            write_overhead(f, overhead)?;
        }
        self.write_messages(f)?;
        self.figures.iter().try_for_each(|figure| writeln!(f, "{figure}"))?;
        write_list(f, "faults", &self.faults)?;
        match self.convergence {
            _ if plan.workload.counter().is_none() => {}
            Some(took) if plan.probes => writeln!(f, "converged   {} after the last heal", Seconds(took))?,
            Some(took) => writeln!(
                f,
                "converged   by the final reads, {} after the last heal; when is not measured, for that takes reads that may \
                 bring a node up to date",
                Seconds(took)
            )?,
            None if plan.probes => writeln!(f, "converged   never seen")?,
            None => writeln!(f, "converged   not by the final reads")?,
        }
        write_list(f, "final reads", &by_value(&self.final_reads))?;
        if plan.workload.counter().is_some() {
            writeln!(f, "possible    {} (acknowledged {})", list(&self.possible), self.acknowledged)?;
            if self.strictly_possible != self.possible {
                let strictly = list(&self.strictly_possible);
                writeln!(
                    f,
                    "            {strictly} without adds that no process heard, or that were refused for certain"
                )?;
            }
            self.write_excused(f)?;
        }
        write_list(f, "memory", worst(&self.nodes).as_slice())?;
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
        self.latencies.iter().try_for_each(|(kind, latencies)| writeln!(f, "{kind:<11} {latencies}"))?;
        write_list(f, "errors", &self.errors)
    }

    fn write_messages(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let messages = &self.messages;
        let (servers, services) = (messages.journal.servers, messages.journal.services);
        let (per_op, bytes) = (messages.server_messages_per_op, messages.server_bytes_per_op);
        writeln!(f, "servers     {per_op:.3} messages and {bytes:.0} bytes an operation")?;
        let peers = servers.sent - services.sent;
        writeln!(f, "            {peers} messages between nodes, {} with services", services.sent)
    }

    /// Whether Maelstrom would have heard nothing more of some node from some time on.
    fn some_node_was_mute(&self) -> bool {
        [Check::Output, Check::Destination].iter().any(|check| self.remarks.counts().contains_key(check))
    }

    /// Excused adds are always shown, so that a reader notices if there are too many.
    fn write_excused(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.excused {
            0 => Ok(()),
            excused => {
                writeln!(f, "excused     {excused} acknowledged adds, which the nodes do not promise to keep")
            }
        }
    }

    fn write_verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.violations.write("broken", f)?;
        self.remarks.write("remark", f)?;
        let verdict = match (self.valid, self.interrupted) {
            (true, false) if self.some_node_was_mute() => {
                "valid, though a node fell MUTE (see the remarks); by all checks (--strict) INVALID"
            }
            (true, false) if !self.remarks.counts().is_empty() => "valid; by all checks (--strict) INVALID",
            (true, false) => "valid",
            (true, true) => "none: interrupted",
            (false, _) => "INVALID",
        };
        write!(f, "verdict     {verdict}")
    }
}

/// The part of the latencies that is the bench's own.
fn write_overhead(f: &mut Formatter<'_>, overhead: &Overhead) -> fmt::Result {
    let Overhead { late, writing, reading } = overhead;
    for (heading, what, times) in [
        ("bench's own", "late with what was due", late),
        ("", "until a line was written", writing),
        ("", "until a line was handled", reading),
    ] {
        let Latencies { count, p50_ms, p95_ms, p99_ms, max_ms } = times;
        write!(f, "{heading:<11} {what}, ms: median {p50_ms:.3}, 95 % {p95_ms:.3}, ")?;
        writeln!(f, "99 % {p99_ms:.3}, max {max_ms:.2} ({count})")?;
    }
    Ok(())
}

/// One item a line, under one heading.
fn write_list<T: Display>(f: &mut Formatter<'_>, heading: &str, items: &[T]) -> fmt::Result {
    for (number, item) in items.iter().enumerate() {
        let heading = if number == 0 { heading } else { "" };
        writeln!(f, "{heading:<11} {item}")?;
    }
    Ok(())
}

/// Each value of the final reads, with its nodes.
fn by_value(reads: &[FinalRead]) -> Vec<String> {
    let mut nodes: BTreeMap<Option<i64>, BTreeSet<usize>> = BTreeMap::new();
    for read in reads {
        nodes.entry(read.value).or_default().insert(read.node);
    }
    let is_unanimous = nodes.len() == 1;
    let show = |(value, nodes): (Option<i64>, BTreeSet<usize>)| {
        let value = value.map_or("no value".into(), |value: i64| value.to_string());
        let names = node_names(&nodes);
        if is_unanimous { format!("{value} on all nodes") } else { format!("{value} on {names}") }
    };
    first(nodes.into_iter().map(show), " values")
}

/// The node that used the most memory.
fn worst(nodes: &[NodeUsage]) -> Option<String> {
    let node = nodes.iter().max_by_key(|node| node.max_rss_kb)?;
    let peak = node.max_rss_kb.map_or("unknown".into(), |kb| format!("{kb} KiB"));
    let incarnations: u32 = nodes.iter().map(|node| node.incarnations).sum();
    Some(format!("{peak} at most ({}); {incarnations} processes were started", node.node))
}

impl Display for FaultWindow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "{} to {}  {}", Seconds(self.from), Seconds(until), self.detail)?,
            None => write!(f, "{} to the end  {}", Seconds(self.from), self.detail)?,
        }
        self.caught_up.iter().try_for_each(|took| write!(f, "; all caught up {} later", Seconds(*took)))
    }
}

impl Display for Latencies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { count, p50_ms, p95_ms, p99_ms, max_ms } = self;
        write!(f, "{count} ok, ms: median {p50_ms:.2}, 95 % {p95_ms:.2}, 99 % {p99_ms:.2}, max {max_ms:.2}")
    }
}
