//! What is set: by flags, the environment and a file.
//!
//! A flag wins over an environment variable, that wins over a key of the file, and that wins over the default. The table of
//! [settings](Setting) has each of them once: the flag `--max-body`, the variable `COUNTERD_MAX_BODY` and the key `max-body` are the
//! same setting, and the same function reads them.

use std::path::PathBuf;
use std::time::Duration;

use embedded::AckPolicy;

mod load;
mod nats_url;
mod settings;

pub use load::{Loaded, Place, Sources};
pub use nats_url::NatsUrl;
pub use settings::{SETTINGS, Setting};

/// What is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The directory of the database.
    pub data: PathBuf,
    /// Where HTTP is served.
    pub http: String,
    /// Where the Redis protocol is served. `None`: nowhere.
    pub redis: Option<String>,
    /// The name of this node, if it is given.
    pub node: Option<String>,
    /// The NATS servers of the cluster, if this is a node of one.
    pub nats: Vec<NatsUrl>,
    /// The name of the cluster.
    pub cluster: Option<String>,
    /// The site of this node, if the cluster has several.
    pub site: Option<String>,
    /// The file with this node's credentials for NATS.
    pub nats_creds: Option<PathBuf>,
    /// The certificates that those of the NATS servers must come from.
    pub nats_ca: Option<PathBuf>,
    /// The certificate of this node for NATS, and its key.
    pub nats_tls: Option<(PathBuf, PathBuf)>,
    /// When a change is acknowledged.
    pub ack: AckPolicy,
    /// The host names that requests over HTTP may name, beside addresses and `localhost`.
    pub allow_host: Vec<String>,
    /// How many connections there may be, of each protocol.
    pub max_connections: usize,
    /// How many counters there may be.
    pub max_counters: usize,
    /// How many bytes the body of a request may have.
    pub max_body: usize,
    /// How many idempotency keys are remembered.
    pub max_keys: usize,
    /// How long an idempotency key is remembered.
    pub key_window: Duration,
    /// The certificate of the server, and its key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The file of tokens.
    pub tokens: Option<PathBuf>,
    /// Whether it may serve others than this machine without TLS or tokens.
    pub insecure: bool,
    /// What is logged: a level, or a filter.
    pub log: String,
    /// How a line of the log looks.
    pub log_format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line that a person reads.
    Text,
    /// An object of JSON.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        let embedded::Options { ack, max_counters, max_keys, key_window, .. } = embedded::Options::default();
        Self {
            data: "./counterd-data".into(),
            http: "127.0.0.1:7170".into(),
            redis: Some("127.0.0.1:7171".into()),
            node: None,
            nats: Vec::new(),
            cluster: None,
            site: None,
            nats_creds: None,
            nats_ca: None,
            nats_tls: None,
            ack,
            allow_host: Vec::new(),
            max_connections: 10_000,
            max_counters,
            max_body: 1 << 20,
            max_keys,
            key_window,
            tls: None,
            tokens: None,
            insecure: false,
            log: "info".into(),
            log_format: LogFormat::Text,
        }
    }
}

impl Config {
    /// Where the counters are, in words: the directory, or the cluster.
    pub fn place(&self) -> String {
        let site = self.site.as_ref().map(|site| format!(", site {site},")).unwrap_or_default();
        match &self.cluster {
            Some(cluster) => format!("cluster {cluster}{site} on {}", NatsUrl::list(&self.nats)),
            None => self.data.display().to_string(),
        }
    }

    /// How this node joins its cluster.
    #[cfg(feature = "nats")]
    pub fn of_cluster(&self) -> cluster::Settings {
        cluster::Settings {
            servers: self.nats.iter().map(|url| url.with_password().to_owned()).collect(),
            cluster: self.cluster.clone().unwrap_or_default(),
            site: self.site.clone(),
            credentials: self.nats_creds.clone(),
            ca: self.nats_ca.clone(),
            certificate: self.nats_tls.clone(),
            ..cluster::Settings::default()
        }
    }
}
