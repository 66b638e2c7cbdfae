//! `counterd cluster`: who is in the cluster, and how to end a node for good.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Failure, Server, encoded};

/// `counterd cluster`
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cluster {
    #[command(subcommand)]
    action: Option<Action>,
    /// Shows what this server sees, too. May be given several times.
    #[arg(long, value_name = "URL")]
    also: Vec<String>,
    #[command(flatten)]
    server: Server,
}

/// What to do with the cluster.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Ends a node for good. What it has counted stays.
    Forget(Forget),
}

/// `counterd cluster forget`
#[derive(Debug, clap::Args)]
struct Forget {
    /// The name of the node.
    node: String,
    /// Forget it although it was heard within a minute.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    server: Server,
}

/// What a server sees.
#[derive(Debug, Deserialize)]
struct View {
    node: String,
    cluster: Option<String>,
    site: Option<String>,
    ready: bool,
    recovered: bool,
    at_risk: u64,
    namesake: bool,
    members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
struct Member {
    node: String,
    state: String,
    heard_ms: Option<u64>,
    versions: Option<[u8; 2]>,
    site: Option<String>,
    lag: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Forgotten {
    forgotten: String,
}

impl Cluster {
    pub(super) fn run(&self) -> Result<String, Failure> {
        if let Some(Action::Forget(forget)) = &self.action {
            return forget.run();
        }
        let others = self.also.iter().map(|url| Server { url: url.clone(), ..self.server.clone() });
        let views = [self.server.clone()].into_iter().chain(others).map(|server| look(&server));
        let tables = views.map(|view| view.map(|view| view.table())).collect::<Result<Vec<_>, _>>()?;
        Ok(tables.join("\n"))
    }
}

fn look(server: &Server) -> Result<View, Failure> {
    Client::new(server)?.get("/v1/cluster")
}

impl View {
    /// A line on the node that answers, and one for each other node.
    fn table(&self) -> String {
        let Self { node, cluster, site, ready, recovered, at_risk, namesake, members } = self;
        let at = site.as_ref().map(|site| format!(", at the site {site}")).unwrap_or_default();
        let cluster =
            cluster.as_ref().map_or("alone".into(), |cluster| format!("in the cluster {cluster}{at}"));
        let ready = if *ready { "ready" } else { "not ready" };
        let mut table =
            format!("{node} is {cluster}, and {ready}. If it died now, {at_risk} changes would be lost.\n");
        if *namesake {
            let _written = writeln!(table, "ANOTHER PROCESS RUNS UNDER THE NAME {node}: end one of them.");
        }
        if !recovered {
            let _written =
                writeln!(table, "{node} has not read all records since its start. Values may be too low.");
        }
        if !members.is_empty() {
            let site = if site.is_some() { "  site" } else { "" };
            let _written =
                writeln!(table, "{:<32} {:<9} {:>12} {:>12}  format{site}", "node", "state", "heard", "lag");
        }
        for Member { node, state, heard_ms, versions, site, lag } in members {
            let heard = heard_ms.map_or("-".into(), ago);
            let lag = lag.map_or("-".into(), |lag| lag.to_string());
            let format = match versions {
                Some([oldest, newest]) if oldest == newest => oldest.to_string(),
                Some([oldest, newest]) => format!("{oldest} to {newest}"),
                None => "-".into(),
            };
            let row = format!("{node:<32} {state:<9} {heard:>12} {lag:>12}  {format}");
            let _written = match site {
                Some(site) => writeln!(table, "{row:<76}  {site}"),
                None => writeln!(table, "{row}"),
            };
        }
        table
    }
}

/// So many milliseconds ago, in words.
fn ago(ms: u64) -> String {
    let time = Duration::from_millis(ms);
    match time.as_secs() {
        0..60 => format!("{:.1} s ago", time.as_secs_f64()),
        seconds @ 60..7_200 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

impl Forget {
    /// Says what is lost, and has the server forget the node.
    fn run(&self) -> Result<String, Failure> {
        let Self { node, yes, server } = self;
        let told = writeln!(io::stderr(), "{}", what_is_lost(node, &look(server)?));
        told.map_err(|error| Failure::new(format!("can't print: {error}")))?;
        let path = format!("/v1/cluster/{}/forget", encoded(node));
        let done = Client::new(server)?.post(&path, &json!({ "even_if_alive": yes }), None);
        let Forgotten { forgotten } = done.map_err(|failure| {
            let hint = if *yes { "" } else { ". To forget it all the same: --yes" };
            Failure::new(format!("{}{hint}", failure.text()))
        })?;
        Ok(format!("{forgotten} is forgotten. Its counts stay.\n"))
    }
}

/// What an operator must know before a node is forgotten.
fn what_is_lost(node: &str, view: &View) -> String {
    let member = view.members.iter().find(|member| member.node == node);
    let seen = match member {
        None => format!("{} does not know {node}.", view.node),
        Some(Member { state, .. }) if state == "left" => format!("{node} has ended cleanly."),
        Some(Member { heard_ms: None, .. }) => {
            format!("{} has not heard {node} since it started.", view.node)
        }
        Some(Member { heard_ms: Some(heard), state, .. }) => {
            format!("{} has heard {node} {} ({state}).", view.node, ago(*heard))
        }
    };
    format!(
        "{seen} What {node} has counted stays, but for changes that it has neither stored nor told another node. With --ack store \
         and durable, it had acknowledged none of those. If a process of {node} still runs, it ends once it finds out."
    )
}
