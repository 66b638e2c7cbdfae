//! The server: opens the counters, listens, and ends cleanly.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use embedded::{Counters, Options};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::access::{Access, check_exposure};
use crate::app::{App, Parts};
use crate::clock::Stopwatch;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::peers::Peers;
use crate::tls::Tls;
use crate::{http, redis, supervise};

/// How long clients who wait may take to be answered once the server ends.
const END_WITHIN: Duration = Duration::from_secs(10);

/// How long it may take to tell the other nodes that this one ends.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// HTTP.
    pub http: SocketAddr,
    /// The Redis protocol, if it is served.
    pub redis: Option<SocketAddr>,
}

/// Serves until `stop` is ready, then ends cleanly. Calls `ready` once it listens.
///
/// # Errors
///
/// In words that say what is wrong and what to do.
pub async fn run(
    config: Config,
    ready: impl FnOnce(&Listening),
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let tls = config.tls.as_ref().map(|(certificates, key)| Tls::read(certificates, key)).transpose()?;
    let access = config.tokens.as_deref().map(Access::read).transpose()?.unwrap_or_default();
    let opening = Stopwatch::start();
    let mut stop = pin!(stop);
    let Some((counters, peers)) = open_unless(stop.as_mut(), &config).await? else { return Ok(()) };
    let recovered = opening.elapsed();
    let http_listener = listen(&config.http).await?;
    let redis_listener = match &config.redis {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let local = |listener: &TcpListener| listener.local_addr().map_err(|error| error.to_string());
    let listening =
        Listening { http: local(&http_listener)?, redis: redis_listener.as_ref().map(local).transpose()? };
    let addresses = [Some(listening.http), listening.redis];
    check_exposure(&config, addresses.into_iter().flatten())?;
    let metrics = Metrics::default();
    metrics.recovered(recovered);
    greet(&counters, &config, &listening);
    let started = Stopwatch::start();
    let app = App::new(Parts {
        counters: counters.clone(),
        peers: peers.clone(),
        access,
        config,
        metrics,
        started,
    });
    let (stopping, stopped) = watch::channel(false);
    let redis_stopped = stopped.clone();
    let redis_app = app.clone();
    let redis_tls = tls.as_ref().map(|tls| tls.redis.clone());
    let serve_redis = async move {
        if let Some(listener) = redis_listener {
            redis::serve(listener, redis_app, redis_tls, redis_stopped).await;
        }
    };
    let serve_http = http::serve(http_listener, app, tls.as_ref().map(|tls| tls.http.clone()), stopped);
    ready(&listening);
    let watched = counters.clone();
    let stop = async move {
        tokio::select! {
            () = stop => info!("shutting down"),
            () = supervise::until_failure(&watched) => error!("shutting down: the database has failed"),
        }
        let _nobody_listens = stopping.send(true);
        tokio::time::sleep(END_WITHIN).await;
    };
    let serve = async { tokio::join!(serve_http, serve_redis) };
    tokio::select! {
        (served, ()) = serve => served?,
        failed = reload_on_hangup(tls.as_ref()) => return failed,
        () = stop => warn!("some clients were not answered within {} s", END_WITHIN.as_secs()),
    }
    let closed = tokio::task::spawn_blocking(move || counters.close()).await;
    let closed = closed.map_err(|_| "the database can't be closed: this is a fault of counterd")?;
    if tokio::time::timeout(GOODBYE_WITHIN, peers.ended()).await.is_err() {
        warn!("the other nodes were not told that this one ends");
    }
    closed
}

/// Opens the counters. It may wait for NATS, or for a slow disk. `None`: it was told to end meanwhile, and nothing was counted.
async fn open_unless(
    stop: impl Future<Output = ()>,
    config: &Config,
) -> Result<Option<(Counters, Peers)>, String> {
    tokio::select! {
        opened = open(config) => opened.map(Some),
        () = stop => {
            info!("told to end before it has started");
            Ok(None)
        }
    }
}

async fn open(config: &Config) -> Result<(Counters, Peers), String> {
    let options = Options {
        ack: config.ack,
        node: config.node.clone(),
        max_counters: config.max_counters,
        key_window: config.key_window,
        max_keys: config.max_keys,
        ..Options::default()
    };
    if !config.nats.is_empty() {
        return join(config, options).await;
    }
    let data = config.data.clone();
    let opened = tokio::task::spawn_blocking(move || options.open(data)).await;
    let counters = opened.map_err(|_| "the database can't be opened: this is a fault of counterd")?;
    counters.map(|counters| (counters, Peers::default())).map_err(|error| error.to_string())
}

/// Joins a cluster.
#[cfg(feature = "nats")]
async fn join(config: &Config, options: Options) -> Result<(Counters, Peers), String> {
    let joined = cluster::join(&config.of_cluster(), options).await;
    joined.map(|(counters, cluster)| (counters, Peers::of(cluster))).map_err(|error| error.to_string())
}

#[cfg(not(feature = "nats"))]
#[expect(clippy::unused_async, reason = "as the one that joins")]
async fn join(_config: &Config, _options: Options) -> Result<(Counters, Peers), String> {
    Err("--nats: this counterd was built without NATS. Build it with the feature `nats`".into())
}

/// The first line of the log.
fn greet(counters: &Counters, config: &Config, listening: &Listening) {
    let Listening { http, redis } = listening;
    let redis = redis.map_or_else(|| "off".into(), |redis| redis.to_string());
    let (node, data) = (counters.status().node, config.place());
    let (version, has_tls, has_tokens) =
        (env!("CARGO_PKG_VERSION"), config.tls.is_some(), config.tokens.is_some());
    info!(version, data, node, %http, redis, has_tls, has_tokens, "counterd has started");
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("can't listen on {address}: {error}"))
}

/// Reads the certificate again at each SIGHUP, so that a renewed one is used without a restart. Returns only if it can't.
async fn reload_on_hangup(tls: Option<&Tls>) -> Result<(), String> {
    let mut hangups =
        signal(SignalKind::hangup()).map_err(|error| format!("can't wait for SIGHUP: {error}"))?;
    while hangups.recv().await.is_some() {
        match tls.map(Tls::reload) {
            Some(Ok(())) => info!("the certificate was read again"),
            Some(Err(problem)) => error!("the certificate of before stays in force: {problem}"),
            None => {}
        }
    }
    Err("can't wait for SIGHUP any more".into())
}
