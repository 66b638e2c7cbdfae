//! Many adds as one change.

use std::fmt;

use axum::response::Response;
use embedded::{Change, MAX_BATCH, Name, Step};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::call::Call;
use super::counters::{Durability, json};
use super::problem::{Kind, Problem};
use super::token::permit;
use crate::access::Scope;

/// Adds that count together: all or none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"adds": [{"name": "views", "delta": 3}, {"name": "likes", "delta": 1}]}))]
struct Batch {
    /// The adds. A counter may be among them several times.
    #[serde(deserialize_with = "adds")]
    #[schema(value_type = Vec<OneAdd>, max_items = 10_000)]
    adds: Adds,
}

/// An add to a counter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OneAdd {
    /// The counter.
    #[serde(deserialize_with = "name")]
    #[schema(value_type = String, min_length = 1)]
    name: Name,
    /// How much.
    delta: i64,
}

/// The answer to a batch.
#[derive(Debug, Serialize, ToSchema)]
struct Batched {
    /// How many adds it had.
    counted: usize,
    durability: Durability,
    /// Whether an earlier request with the same `Idempotency-Key` did it, so that this one changed nothing.
    replayed: bool,
}

#[derive(Debug)]
struct Adds {
    steps: Vec<(Name, Step)>,
    /// Whether there are more than a batch may have.
    has_more: bool,
}

/// Count many adds together: all or none, with one name several times or many names.
#[utoipa::path(
    post, path = "/v1/batch", tag = "counters", request_body = Batch,
    responses((status = 200, description = "All are counted.", body = Batched)),
)]
pub(super) async fn batch(mut call: Call) -> Result<Response, Problem> {
    let http = call.http.clone();
    let client = call.client(&http)?;
    let Batch { adds: Adds { steps, has_more } } = call.json().await?;
    if has_more {
        return Err(Problem::new(Kind::TooLarge, format!("a batch has at most {MAX_BATCH} adds")));
    }
    for (name, _) in &steps {
        permit(client, Scope::Add, name)?;
        if name.is_empty() {
            return Err(Problem::malformed("the name of a counter is empty"));
        }
    }
    let counted = steps.len();
    let seen = call.seen_before_change()?;
    let made = call.change(Change::Batch(steps)).await?;
    let body = json(&Batched { counted, durability: made.durability, replayed: made.done.is_replayed });
    Ok(made.mark(body, &http, seen))
}

/// Reads adds straight into the steps of a change.
fn adds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Adds, D::Error> {
    struct Visit;

    impl<'de> Visitor<'de> for Visit {
        type Value = Adds;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of adds")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Adds, A::Error> {
            let mut steps = Vec::new();
            while let Some(OneAdd { name, delta }) = list.next_element()? {
                steps.push((name, Step::Add(delta)));
                if steps.len() == MAX_BATCH {
                    break;
                }
            }
            let mut has_more = false;
            while list.next_element::<IgnoredAny>()?.is_some() {
                has_more = true;
            }
            Ok(Adds { steps, has_more })
        }
    }

    deserializer.deserialize_seq(Visit)
}

/// Reads a name without a copy in between.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    struct Visit;

    impl Visitor<'_> for Visit {
        type Value = Name;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name of a counter")
        }

        fn visit_str<E>(self, name: &str) -> Result<Name, E> {
            Ok(name.into())
        }
    }

    deserializer.deserialize_str(Visit)
}
