//! Speaks HTTP to a `counterd` that runs.

use std::fmt::Write;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Error, SendBody, Timeout};

/// How long a request may take, but for an export or an import.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many bytes a short answer may have.
const MAX_ANSWER: u64 = 64 << 20;

/// Which server to speak to.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Server {
    /// Where counterd listens, as it says at its start.
    #[arg(long, env = "COUNTERD_URL", default_value = "http://127.0.0.1:7170")]
    pub url: String,
    /// The secret of a token. Other users of this machine can see a command line: better set the variable.
    #[arg(long, env = "COUNTERD_TOKEN", hide_env_values = true, value_name = "SECRET")]
    pub token: Option<String>,
    /// The certificates that the server's must come from, as PEM. [default: the well-known authorities]
    #[arg(long, env = "COUNTERD_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    text: String,
    may_count: bool,
}

impl Failure {
    /// Nothing was changed.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), may_count: false }
    }

    /// In words.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The exit status: 3 if a change may count all the same, else 1.
    pub fn status(&self) -> ExitCode {
        ExitCode::from(if self.may_count { 3 } else { 1 })
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// A connection to a server.
#[derive(Debug)]
pub(super) struct Client {
    server: Server,
    agent: Agent,
}

/// The members of a problem that are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    counted: String,
}

impl Client {
    pub(super) fn new(server: &Server) -> Result<Self, Failure> {
        let mut tls = TlsConfig::builder();
        if let Some(file) = &server.ca {
            let wrong = |problem: String| Failure::new(format!("--ca {}: {problem}", file.display()));
            let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
            let mut certificates = Vec::new();
            for item in parse_pem(&pem) {
                if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(error.to_string()))? {
                    certificates.push(certificate);
                }
            }
            if certificates.is_empty() {
                return Err(wrong("there is no certificate in it".into()));
            }
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
        }
        let agent =
            Agent::config_builder().http_status_as_error(false).max_redirects(0).tls_config(tls.build());
        Ok(Self { server: server.clone(), agent: agent.build().new_agent() })
    }

    /// Asks for something, and reads the answer as JSON.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let (status, text) = self.look(path)?;
        if status == 200 { read(&text) } else { Err(refused(status, &text)) }
    }

    /// Asks for something short, and returns the status and the text of the answer.
    pub(super) fn look(&self, path: &str) -> Result<(u16, String), Failure> {
        let mut request = self.agent.get(self.url(path));
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        let answer = request.config().timeout_global(Some(PATIENCE)).build().call();
        let answer = answer.map_err(|error| self.unreached(&error, false))?;
        self.short(answer, false)
    }

    /// Asks for something long, and reads it as it comes.
    pub(super) fn stream(&self, path: &str) -> Result<impl Read + use<>, Failure> {
        let mut request = self.agent.get(self.url(path));
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        let answer = request.call().map_err(|error| self.unreached(&error, false))?;
        if answer.status() != 200 {
            let (status, text) = self.short(answer, false)?;
            return Err(refused(status, &text));
        }
        Ok(answer.into_body().into_reader())
    }

    /// Changes something, and reads the answer as JSON.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        let mut request = self.agent.post(self.url(path)).header("Content-Type", "application/json");
        for (name, value) in [("Authorization", self.bearer().as_deref()), ("Idempotency-Key", key)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let answer = request.config().timeout_global(Some(PATIENCE)).build().send(body.to_string());
        let answer = answer.map_err(|error| self.unreached(&error, true))?;
        let (status, text) = self.short(answer, true)?;
        if status == 200 { read(&text) } else { Err(refused(status, &text)) }
    }

    /// Sends something long, and reads the answer as JSON.
    pub(super) fn send<T: DeserializeOwned>(&self, path: &str, mut body: impl Read) -> Result<T, Failure> {
        let mut request = self.agent.post(self.url(path)).header("Content-Type", "application/x-ndjson");
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        let answer = request.send(SendBody::from_reader(&mut body));
        let answer = answer.map_err(|error| self.unreached(&error, true))?;
        let (status, text) = self.short(answer, true)?;
        if status == 200 { read(&text) } else { Err(refused(status, &text)) }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url.trim_end_matches('/'))
    }

    fn bearer(&self) -> Option<String> {
        self.server.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    fn short(&self, mut answer: Response<Body>, is_change: bool) -> Result<(u16, String), Failure> {
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
        text.map(|text| (status, text)).map_err(|error| self.unreached(&error, is_change))
    }

    /// There was no answer. A change may have been done, unless the connection was never there.
    fn unreached(&self, error: &Error, is_change: bool) -> Failure {
        use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
        let was_sent = match error {
            Error::Io(error) => {
                ![ConnectionRefused, HostUnreachable, NetworkUnreachable].contains(&error.kind())
            }
            Error::Timeout(Timeout::Resolve | Timeout::Connect)
            | Error::HostNotFound
            | Error::ConnectionFailed
            | Error::BadUri(_)
            | Error::Tls(_)
            | Error::Rustls(_) => false,
            _ => true,
        };
        let url = &self.server.url;
        let text =
            format!("no answer from {url}: {error}. Is counterd running there? Name its address with --url");
        let may_count = is_change && was_sent;
        let text = if may_count { format!("{text} (counted: maybe)") } else { text };
        Failure { text, may_count }
    }
}

/// A text as a part of a path or a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    let read = serde_json::from_str(text);
    read.map_err(|error| Failure::new(format!("the answer is not of a counterd of this version: {error}")))
}

/// The answer was an error, in words.
fn refused(status: u16, text: &str) -> Failure {
    let problem: Problem = serde_json::from_str(text).unwrap_or_default();
    let mut words =
        if problem.title.is_empty() { format!("the server answers {status}") } else { problem.title };
    if !problem.detail.is_empty() {
        let _written = write!(words, ": {}", problem.detail);
    }
    if !problem.counted.is_empty() {
        let _written = write!(words, " (counted: {})", problem.counted);
    }
    Failure { text: words, may_count: problem.counted == "maybe" }
}
