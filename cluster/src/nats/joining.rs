//! Connects to the servers, and opens the stream.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, ServerAddr, jetstream};
use percent_encoding::percent_decode_str;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::clock::Stopwatch;
use super::refusals::Refusals;
use super::stream::{NoStream, open_stream};
use super::watching::Watch;
use super::{JoinError, Settings, Store};
use crate::Names;

/// How long an append and a request to the stream may take. After that it is not known whether it was done.
const STORE_WITHIN: Duration = Duration::from_secs(5);

/// How long to wait before the next try to join or to connect.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// How often the log says what this node waits for; and how often, if that changes all the time.
const TELL_EVERY: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(1));

/// How often the connection is tried out. A server that does not answer for three times as long is left for another one. Meanwhile the
/// node is cut off from the store and from all peers.
const PING_EVERY: Duration = Duration::from_millis(500);

/// How many messages of a subject may wait for this node. Further ones are lost, and frames are sent again.
const MOST_WAITING: usize = 4_096;

/// How long a server may take to answer a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// How many bytes a file of credentials or certificates may have.
const MAX_FILE: u64 = 1 << 20;

/// A node that joins.
pub(super) struct Joining<'a> {
    settings: &'a Settings,
    names: &'a Names,
    begun: Stopwatch,
    refusals: Arc<Refusals>,
}

impl<'a> Joining<'a> {
    pub(super) fn begin(settings: &'a Settings, names: &'a Names) -> Self {
        Self { settings, names, begun: Stopwatch::start(), refusals: Arc::new(Refusals::new()) }
    }

    fn is_late(&self) -> bool {
        self.settings.join_within.is_some_and(|within| self.begun.elapsed() >= within)
    }

    /// Connects to any server. Tries again while there is time.
    pub(super) async fn connect(&self) -> Result<Client, JoinError> {
        let mut told = Told::default();
        loop {
            let (addresses, options) = self.options().await.map_err(JoinError::Servers)?;
            let shown: Vec<_> = addresses.iter().map(|address| address.as_url_str().to_owned()).collect();
            let shown = shown.join(",");
            match options.connect(addresses).await {
                Ok(client) => return Ok(client),
                Err(error) => match error.kind() {
                    ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                        return Err(JoinError::Servers("they do not let this node in".into()));
                    }
                    _ if self.is_late() => return Err(JoinError::Servers(format!("{shown}: {error}"))),
                    _ => told.tell(format!("can't connect to NATS: {shown}: {error}")),
                },
            }
            sleep(RETRY_AFTER).await;
        }
    }

    /// The servers, and how to connect to them.
    async fn options(&self) -> Result<(Vec<ServerAddr>, ConnectOptions), String> {
        let (addresses, login) = addresses(&self.settings.servers)?;
        let mut options = match login {
            None => ConnectOptions::new(),
            Some(Login { user, password: Some(password) }) => {
                ConnectOptions::new().user_and_password(user, password)
            }
            Some(Login { user: token, password: None }) => ConnectOptions::new().token(token),
        };
        if let Some(file) = &self.settings.credentials {
            options = with_credentials(options, file).await?;
        }
        if let Some(ca) = &self.settings.ca {
            read(ca).await?;
            options = options.add_root_certificates(ca.clone()).require_tls(true);
        }
        if let Some((certificate, key)) = &self.settings.certificate {
            read(certificate).await?;
            read(key).await?;
            options = options.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
        }
        let refusals = self.refusals.clone();
        let options = options
            .name(format!("counterd {}", self.names.me()))
            .custom_inbox_prefix(self.names.answers())
            .ping_interval(PING_EVERY)
            .connection_timeout(CONNECT_WITHIN)
            .subscription_capacity(MOST_WAITING)
            .reconnect_delay_callback(reconnect_after)
            .event_callback(move |event| {
                let refusals = refusals.clone();
                async move { refusals.hear(&event) }
            });
        Ok((addresses, options))
    }

    /// Waits until the servers refuse a right, and says which.
    pub(super) async fn refused(&self) -> String {
        self.refusals.any().await
    }

    /// Opens the stream. Tries again while there is time.
    pub(super) async fn open(&self, client: &Client) -> Result<(Store, Watch), JoinError> {
        let context = context_of(client);
        let server = client.server_info();
        let replicas = self.settings.replicas.unwrap_or(if server.cluster.is_some() { 3 } else { 1 });
        let mut told = Told::default();
        loop {
            let opened = tokio::select! {
                opened = open_stream(&context, self.names, replicas) => opened,
                refusal = self.refused() => return Err(JoinError::Right(refusal)),
            };
            match (opened, self.refusals.first()) {
                (_, Some(refusal)) => return Err(JoinError::Right(refusal)),
                (Ok(stream), None) => {
                    let watch = Watch::new(context.clone(), self.names.clone(), &stream);
                    let store = Store::new(context, stream, self.names.clone(), server.max_payload);
                    return Ok((store, watch));
                }
                (Err(NoStream::Never(problem)), None) => return Err(JoinError::Stream(problem)),
                (Err(NoStream::NotNow(problem)), None) if self.is_late() => {
                    return Err(JoinError::Stream(problem));
                }
                (Err(NoStream::NotNow(problem)), None) => told.tell(problem),
            }
            sleep(RETRY_AFTER).await;
        }
    }
}

/// What the log says that this node waits for.
#[derive(Default)]
struct Told(Option<(String, Stopwatch)>);

impl Told {
    /// Says it when it is new, and now and then.
    fn tell(&mut self, problem: String) {
        let is_due = self.0.as_ref().is_none_or(|(told, at)| {
            let (same, other) = TELL_EVERY;
            at.elapsed() >= if *told == problem { same } else { other }
        });
        if is_due {
            warn!(problem, "this node waits for NATS");
            self.0 = Some((problem, Stopwatch::start()));
        } else {
            debug!(problem, "this node waits for NATS");
        }
    }
}

/// Requests to JetStream.
pub(super) fn context_of(client: &Client) -> Context {
    jetstream::ContextBuilder::new().timeout(STORE_WITHIN).ack_timeout(STORE_WITHIN).build(client.clone())
}

/// How long to wait before a server is tried. The other servers are there, most likely: clients of this node wait.
fn reconnect_after(attempts: usize) -> Duration {
    RETRY_AFTER.min(
        Duration::from_millis(10)
            .saturating_mul(u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX)),
    )
}

/// What stands before the host in an address. Without a password it is a token.
#[derive(PartialEq, Eq)]
struct Login {
    user: String,
    password: Option<String>,
}

/// The addresses, and the login in them. The client would ignore it, and would log it.
fn addresses(servers: &[String]) -> Result<(Vec<ServerAddr>, Option<Login>), String> {
    let mut logins = Vec::new();
    let mut addresses = Vec::new();
    for server in servers {
        // The error may quote the address, and that may have a password.
        let address: ServerAddr =
            server.parse().map_err(|_| "an address is none: it looks like nats://10.0.0.1:4222")?;
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(std::borrow::Cow::into_owned).map_err(|_| "a password in an address is not UTF-8")
        };
        if let Some(user) = address.username() {
            let password = address.password().map(decoded).transpose()?;
            logins.push(Login { user: decoded(user)?, password });
        }
        let mut url = address.into_inner();
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            return Err("an address has no host".into());
        }
        addresses.push(ServerAddr::from_url(url).map_err(|error| error.to_string())?);
    }
    logins.dedup();
    match logins.len() {
        0 | 1 => Ok((addresses, logins.pop())),
        _ => Err("the addresses have different users or passwords, and a node has one".into()),
    }
}

/// With a JWT and its key, or with an nkey.
async fn with_credentials(options: ConnectOptions, file: &Path) -> Result<ConnectOptions, String> {
    let text = read(file).await?;
    let seed = text.trim();
    if seed.starts_with("SU") && seed.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(options.nkey(seed.into()));
    }
    let problem = |_| format!("{} has neither a JWT with its key nor the seed of an nkey", file.display());
    options.credentials(&text).map_err(problem)
}

/// The text of a file. The client reads some of them itself, but would not say which one is wrong.
async fn read(file: &Path) -> Result<String, String> {
    use tokio::io::AsyncReadExt;
    let mut text = String::new();
    let reading = async {
        let opened = tokio::fs::File::open(file).await?;
        opened.take(MAX_FILE).read_to_string(&mut text).await
    };
    match reading.await {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("{} can't be read: {error}", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(servers: &[&str]) -> Result<(Vec<ServerAddr>, Option<Login>), String> {
        addresses(&servers.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn check(servers: [&str; 2], expected: [&str; 2], user: &str, password: Option<&str>) {
        let (addresses, login) = read(&servers).unwrap();
        let addresses: Vec<_> = addresses.iter().map(ServerAddr::as_url_str).collect();
        assert_eq!(addresses, expected);
        let login = login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_deref()), (user, password));
    }

    #[test]
    fn a_login_is_not_in_the_addresses() {
        let plain = ["nats://a:1", "tls://b:2"];
        check(["nats://n1:p%40ss@a:1", "tls://n1:p%40ss@b:2"], plain, "n1", Some("p@ss"));
        check(["nats://token@a:1", "tls://b:2"], plain, "token", None);
    }

    #[test]
    fn errors_have_no_passwords() {
        for servers in [
            &["nats://n1:secret@a:1", "nats://n2:secret@b:2"][..],
            &["nats://n1:secret@a:port"],
            &["x://n1:secret@a"],
        ] {
            let problem = read(servers).err().unwrap();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
