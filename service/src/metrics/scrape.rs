//! All metrics as text.

use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use embedded::{AckPolicy, Status, Times};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::{KINDS, Metrics, PROTOCOLS};
use crate::config::Config;
use crate::peers::Seen;

/// All metrics in the text format of `OpenMetrics`.
pub(super) fn text(scrape: Scrape) -> String {
    let mut registry = Registry::with_prefix("counterd");
    registry.register_collector(Box::new(scrape));
    let mut text = String::new();
    // Writing to a string can't fail.
    let _written = encode(&mut text, &registry);
    text
}

/// The metrics at one moment.
#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) metrics: Metrics,
    pub(super) status: Status,
    pub(super) seen: Seen,
    pub(super) config: Config,
    /// How many bytes the disk has left, if that is known.
    pub(super) free: Option<u64>,
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.requests(&mut page)?;
        self.counters(&mut page)?;
        self.bounds(&mut page)?;
        self.store(&mut page)?;
        self.peers(&mut page)?;
        let ack = self.status.ack.map_or("", AckPolicy::as_str);
        page.info("settings", "What is set", [("ack", ack)])?;
        page.info("build", "The program", [("version", env!("CARGO_PKG_VERSION"))])
    }
}

impl Scrape {
    fn requests(&self, page: &mut Page<'_>) -> fmt::Result {
        let measured = &*self.metrics.0;
        let times = KINDS.iter().zip(&measured.requests).map(|((_, protocol, kind), times)| {
            let protocol = PROTOCOLS.iter().find(|(of, _)| of == protocol).map_or("", |(_, name)| *name);
            ([("protocol", protocol), ("kind", *kind)], times.read())
        });
        page.times("request", "How long requests took", &times.collect::<Vec<_>>())?;
        let status = &self.status;
        let results = [
            ([("result", "done")], status.done.saturating_sub(status.replayed)),
            ([("result", "replayed")], status.replayed),
            ([("result", "refused")], status.refused),
            ([("result", "uncertain")], status.uncertain),
        ];
        page.counter(
            "requests",
            "Changes and reads by result. Uncertain: an error, and it may count",
            &results,
        )?;
        let problems = measured.problems.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let problems: Vec<_> =
            problems.iter().map(|(problem, count)| ([("problem", *problem)], *count)).collect();
        page.counter("refused", "Requests that were answered with an error, by problem", &problems)?;
        let open = PROTOCOLS.iter().zip(&measured.connections);
        let open = open
            .map(|((_, protocol), open)| ([("protocol", *protocol)], float(open.load(Ordering::Relaxed))));
        page.gauge("connections", "Connections that are open", None, &open.collect::<Vec<_>>())
    }

    fn counters(&self, page: &mut Page<'_>) -> fmt::Result {
        let Status { counters, replicas, unstored, keys, is_ready, .. } = &self.status;
        page.number("ready", "1: changes and reads are answered", u64::from(*is_ready))?;
        page.number("counters", "Counters, those that were reset among them", *counters as u64)?;
        page.number("replicas", "Replicas that have counted", *replicas as u64)?;
        page.number("keys", "Idempotency keys that are remembered", *keys as u64)?;
        page.number("unstored_changes", "Changes that are counted and not known to be stored", *unstored)
    }

    fn bounds(&self, page: &mut Page<'_>) -> fmt::Result {
        let Config { max_connections, max_counters, max_keys, .. } = self.config;
        let [http, redis] = &self.metrics.0.connections;
        let used = [
            ("counters", self.status.counters as u64, max_counters),
            ("keys", self.status.keys as u64, max_keys),
            ("http connections", http.load(Ordering::Relaxed), max_connections),
            ("redis connections", redis.load(Ordering::Relaxed), max_connections),
        ];
        let used = used.map(|(of, used, most)| ([("of", of)], float(used) / float(most.max(1) as u64)));
        page.gauge("used_ratio", "How much of a bound is used", None, &used)
    }

    fn store(&self, page: &mut Page<'_>) -> fmt::Result {
        let (status, store) = (&self.status, self.status.store);
        let is_up = !status.is_store_down && !status.has_failed;
        page.number("store_up", "0: the store is silent, refuses, or has failed", u64::from(is_up))?;
        page.counter("store_errors", "Requests that the store did not do", &[([], store.errors)])?;
        page.counter("commits", "Commits since the start", &[([], store.commits)])?;
        page.counter("syncs", "Syncs of the disk since the start", &[([], store.syncs)])?;
        page.times("commit", "How long commits took", &[([], store.commit_times)])?;
        let help = "Changes of this replica that are stored, those before the start among them";
        page.counter("stored_changes", help, &[([], store.committed)])?;
        let bytes = Some(&Unit::Bytes);
        page.gauge("database", "The size of the database", bytes, &[([], float(store.bytes))])?;
        let help = "How much of the log is not folded into rows yet";
        page.gauge("unfolded", help, bytes, &[([], float(store.unfolded))])?;
        // A metric that vanishes is no alert, so it is there in any case.
        let free = self.free.map_or(f64::NAN, float);
        page.gauge("disk_free", "How much room the disk has left. NaN: not known", bytes, &[([], free)])?;
        let recovery =
            Duration::from_nanos(self.metrics.0.recovery_nanos.load(Ordering::Relaxed)).as_secs_f64();
        page.gauge(
            "recovery",
            "How long it took to open the counters",
            Some(&Unit::Seconds),
            &[([], recovery)],
        )
    }
}

impl Scrape {
    fn peers(&self, page: &mut Page<'_>) -> fmt::Result {
        let Seen { members, namesake, at_risk } = &self.seen;
        let help = "Changes that would be lost if this node died now";
        page.number("at_risk_changes", help, *at_risk)?;
        let help = "1: another process runs under the name of this node. End one of them";
        page.number("namesake", help, u64::from(namesake.is_some()))?;
        let known = || members.iter().filter(|member| member.state != "forgotten");
        let silent = known().map(|member| ([("peer", &*member.node)], member.silent.as_secs_f64()));
        let help = "How long ago another node was heard, or this one has started";
        page.gauge("peer_silent", help, Some(&Unit::Seconds), &silent.collect::<Vec<_>>())?;
        let lags = known().map(|member| ([("peer", &*member.node)], float(member.lag.unwrap_or_default())));
        let help = "Changes of this node that another node is not known to have";
        page.gauge("peer_lag", help, None, &lags.collect::<Vec<_>>())
    }
}

/// The page that is being written. Each metric has samples, each with its labels.
struct Page<'a>(DescriptorEncoder<'a>);

type Labels<'a, const N: usize> = [(&'a str, &'a str); N];

impl Page<'_> {
    fn gauge<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        samples: &[(Labels<'_, N>, f64)],
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        samples.iter().try_for_each(|(labels, value)| labelled(&mut metric, labels)?.encode_gauge(value))
    }

    fn number(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.gauge(name, help, None, &[([], float(value))])
    }

    fn counter<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: &[(Labels<'_, N>, u64)],
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        samples.iter().try_for_each(|(labels, value)| {
            labelled(&mut metric, labels)?.encode_counter::<NoLabelSet, _, f64>(value, None)
        })
    }

    fn times<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: &[(Labels<'_, N>, Times)],
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        samples.iter().try_for_each(|(labels, times)| {
            let bounds = Times::BOUNDS.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(times.counts).collect();
            let sum = Duration::from_nanos(times.nanos).as_secs_f64();
            let count = times.counts.iter().sum();
            labelled(&mut metric, labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        })
    }

    fn info(&mut self, name: &str, help: &str, labels: Labels<'_, 1>) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(&labels)
    }
}

/// The encoder for the sample with these labels.
fn labelled<'s, const N: usize>(
    metric: &'s mut MetricEncoder<'_>,
    labels: &'s Labels<'_, N>,
) -> Result<MetricEncoder<'s>, fmt::Error> {
    metric.encode_family(labels)
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and has more digits than anybody reads")]
fn float(number: u64) -> f64 {
    number as f64
}
