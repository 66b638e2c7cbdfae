//! The cluster, as this node sees it.

use std::time::Duration;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, PathName};
use super::counters::json;
use super::health::why_not_ready;
use super::problem::{Kind, Problem};
use crate::access::Scope;

/// A node that was heard so shortly ago is taken to be alive: it is not forgotten by mistake.
const ALIVE_WITHIN: Duration = Duration::from_mins(1);

/// The cluster, as this node sees it. A node alone is a cluster of one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cluster)]
struct View {
    /// The name of this node.
    node: String,
    /// The name of the cluster. `null`: this node is alone.
    #[schema(required)]
    cluster: Option<String>,
    /// The site of this node. `null`: the cluster has no sites.
    #[schema(required)]
    site: Option<String>,
    /// Whether this node answers changes and reads now.
    ready: bool,
    /// Whether all records were read that there were at the start. Until then values may be less than what was shown before.
    recovered: bool,
    /// How many changes would be lost if this node died now: neither the store nor any other node is known to have them.
    at_risk: u64,
    /// Whether another process runs under the name of this node. End one of them.
    namesake: bool,
    /// The other nodes, by name.
    members: Vec<Member>,
}

/// Another node of the cluster.
#[derive(Debug, Serialize, ToSchema)]
struct Member {
    /// Its name.
    node: String,
    /// `alive`: it was heard within 5 s. `silent`: it was not. `left`: it has ended cleanly. `forgotten`: an operator has ended it for
    /// good, and its record is sealed.
    #[schema(value_type = String)]
    state: &'static str,
    /// How long ago it was heard, in milliseconds. `null`: not since this node started.
    #[schema(required)]
    heard_ms: Option<u64>,
    /// The oldest and the newest version of the format that it reads. `null`: not known.
    #[schema(required)]
    versions: Option<[u8; 2]>,
    /// Its site. `null`: not known, or the cluster has no sites.
    #[schema(required)]
    site: Option<String>,
    /// How many changes of this node's process it is not known to have. `null`: it is told nothing.
    #[schema(required)]
    lag: Option<u64>,
}

/// How to forget a node.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"even_if_alive": false}))]
struct Forget {
    /// Forget it although it was heard within a minute. Then what it has neither stored nor told others is lost.
    #[serde(default)]
    even_if_alive: bool,
}

/// A node is forgotten.
#[derive(Debug, Serialize, ToSchema)]
struct Forgotten {
    /// Its name.
    forgotten: String,
}

/// Who is in the cluster, as this node sees it.
#[utoipa::path(
    get, path = "/v1/cluster", tag = "operation",
    responses((status = 200, description = "The cluster.", body = View)),
)]
pub(super) async fn cluster(call: Call) -> Result<Response, Problem> {
    call.demand_any(Scope::Read)?;
    let app = &call.http.app;
    let (seen, status) = (app.peers.look(&app.counters), app.counters.status());
    let members = seen.members.into_iter().map(|member| Member {
        node: member.node,
        state: member.state,
        heard_ms: member.heard.map(millis),
        versions: member.versions.map(|versions| [*versions.start(), *versions.end()]),
        site: member.site,
        lag: member.lag,
    });
    Ok(json(&View {
        ready: why_not_ready(&call.http, &status).is_none(),
        recovered: status.has_recovered,
        node: status.node,
        cluster: app.config.cluster.clone(),
        site: app.config.site.clone(),
        at_risk: seen.at_risk,
        namesake: seen.namesake.is_some(),
        members: members.collect(),
    }))
}

/// End another node for good. What it has counted stays. What it has neither stored nor told others is lost. The answer comes once its
/// record is sealed; to ask again does no harm.
#[utoipa::path(
    post, path = "/v1/cluster/{node}/forget", tag = "operation", request_body = Forget,
    params(("node" = String, Path, description = "The node.")),
    responses((status = 200, description = "It is forgotten.", body = Forgotten)),
)]
pub(super) async fn forget(mut call: Call) -> Result<Response, Problem> {
    let node: PathName = call.path().await?;
    call.demand(Scope::Admin, "")?;
    let Forget { even_if_alive } = call.json().await?;
    let app = &call.http.app;
    let members = app.peers.look(&app.counters).members;
    let heard = members.iter().find(|member| member.node == *node && member.state != "left");
    match heard.and_then(|member| member.heard) {
        Some(heard) if heard < ALIVE_WITHIN && !even_if_alive => Err(Problem::new(
            Kind::Conflict,
            format!(
                "{} was heard {} s ago, so it may be alive. End it first, or set even_if_alive",
                &*node,
                heard.as_secs()
            ),
        )),
        Some(_) | None => {
            app.counters.forget(&node).await?;
            Ok(json(&Forgotten { forgotten: node.to_string() }))
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
