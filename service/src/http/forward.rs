//! Changes with a key that another node has: they are passed to it.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use embedded::{Change, Done, Version};

use super::Http;
use super::counters::{Durability, durability};
use super::levels::mark_change;
use super::problem::{Kind, Problem};

/// The name of the node that has the key of a change, in a request. In an answer: of the node that has made the change.
pub(super) const COUNTER_NODE: HeaderName = HeaderName::from_static("counter-node");

/// A change was made, here or at another node.
pub(super) struct Made {
    pub(super) done: Done,
    /// How safe it is where it was made.
    pub(super) durability: Durability,
    /// The other node that has made it, and what a client has seen that was told of it.
    by: Option<(HeaderValue, Version)>,
}

impl Made {
    pub(super) fn here(http: &Http, done: Done) -> Self {
        Self { done, durability: durability(http), by: None }
    }

    /// Says in headers which node has made the change, whether an earlier request has, and what the client has seen now, beside what it
    /// had `seen` before.
    pub(super) fn mark(self, mut response: Response, http: &Http, mut seen: Version) -> Response {
        if let Some((node, version)) = self.by {
            response.headers_mut().insert(COUNTER_NODE, node);
            seen.merge(&version);
        } else {
            seen = http.app.counters.written(&self.done, seen);
        }
        mark_change(&mut response, &seen);
        if self.done.is_replayed {
            let name = HeaderName::from_static("idempotency-replayed");
            response.headers_mut().insert(name, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Makes a change at the node that has its key.
#[cfg(feature = "nats")]
pub(super) async fn make_at(http: Http, node: String, key: String, change: Change) -> Result<Made, Problem> {
    let Some(cluster) = http.app.peers.joined() else { return Err(no_cluster(&http, &node)) };
    let cluster::Elsewhere { done, in_memory, seen } =
        cluster.change_at(&node, &key, change).await.map_err(|not_made| problem(&node, not_made))?;
    let ack = if in_memory { embedded::AckPolicy::Memory } else { embedded::AckPolicy::Durable };
    let by = HeaderValue::try_from(node).ok().map(|node| (node, seen));
    Ok(Made { done, durability: ack.into(), by })
}

#[cfg(not(feature = "nats"))]
pub(super) async fn make_at(
    http: Http,
    node: String,
    _key: String,
    _change: Change,
) -> Result<Made, Problem> {
    Err(no_cluster(&http, &node))
}

fn no_cluster(http: &Http, node: &str) -> Problem {
    let detail = format!(
        "the header Counter-Node names {node}, and this node is {}, which is alone: it does not know the keys of others",
        http.app.counters.status().node
    );
    Problem::new(Kind::Unavailable, detail)
}

/// Why a change was not made at another node. A request that was not made says nothing of earlier ones with its key.
#[cfg(feature = "nats")]
fn problem(node: &str, not_made: cluster::NotMade) -> Problem {
    use cluster::NotMade;

    let detail = format!("the node {node} has this key. {not_made}");
    let again = format!(
        "send it again with the same Idempotency-Key and Counter-Node: only {node} knows whether the change counts"
    );
    match not_made {
        NotMade::Refused(refused) => Problem::from(refused),
        NotMade::TooMany => Problem::new(Kind::TooMany, detail),
        NotMade::TooLong => Problem::new(Kind::TooLarge, detail),
        NotMade::Silent | NotMade::Late | NotMade::RefusedOtherwise { may_count: false } => {
            Problem::new(Kind::Unavailable, format!("{detail}. If an earlier request may count, {again}"))
        }
        NotMade::NoAnswer | NotMade::RefusedOtherwise { may_count: true } => {
            Problem::indeterminate(format!("{detail}: {again}"))
        }
    }
}

#[cfg(all(test, feature = "nats"))]
mod tests {
    use axum::http::StatusCode;
    use cluster::NotMade;
    use embedded::{Refusal, Refused};

    use super::problem;

    /// A client must not repeat without its key what may count.
    #[test]
    fn only_what_may_count_is_told_as_that() {
        let not_made = [
            (NotMade::Silent, StatusCode::SERVICE_UNAVAILABLE),
            (NotMade::TooMany, StatusCode::TOO_MANY_REQUESTS),
            (NotMade::TooLong, StatusCode::PAYLOAD_TOO_LARGE),
            (NotMade::Refused(Refused::KeyReused), StatusCode::UNPROCESSABLE_ENTITY),
            (NotMade::Refused(Refused::Refusal(Refusal::NotKnownDurable)), StatusCode::GATEWAY_TIMEOUT),
            (NotMade::RefusedOtherwise { may_count: false }, StatusCode::SERVICE_UNAVAILABLE),
            (NotMade::RefusedOtherwise { may_count: true }, StatusCode::GATEWAY_TIMEOUT),
            (NotMade::Late, StatusCode::SERVICE_UNAVAILABLE),
            (NotMade::NoAnswer, StatusCode::GATEWAY_TIMEOUT),
        ];
        for (not_made, status) in not_made {
            let (told, document) = problem("n2", not_made).document();
            let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
            assert_eq!(told, status, "{not_made}");
            assert_eq!(document["counted"], if not_made.may_count() { "maybe" } else { "no" }, "{not_made}");
        }
    }
}
