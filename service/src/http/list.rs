//! Many counters: lists and sums.

use axum::response::Response;
use embedded::{Counters, Name};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Http;
use super::call::Call;
use super::counters::json;
use super::levels::{Level, Read, Timeout, mark_read};
use super::number::{Number, Numbers};
use super::problem::Problem;
use crate::access::Scope;

/// How many counters a page may have.
pub(super) const MAX_PAGE: usize = 1_000;

/// Which counters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// What their names begin with.
    #[param(example = "shop:")]
    pub(super) prefix: String,
    /// The name that the page comes behind: `next` of the page before.
    #[param(required = false)]
    after: Option<String>,
    /// How many counters a page has.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
    /// `string`: values are texts, for programs that lose integers beyond 2^53.
    pub(super) numbers: Numbers,
    /// `all`: wait until all nodes have told what they show. The values have every change that was acknowledged before.
    #[param(inline, required = false)]
    read: Read,
    /// How long to wait, for this and for what `Counter-Version` names.
    #[param(value_type = String, required = false, default = "1s", example = "500ms")]
    timeout: Timeout,
}

impl Default for Which {
    fn default() -> Self {
        let (read, timeout) = (Read::default(), Timeout::default());
        Self { prefix: String::new(), after: None, limit: 100, numbers: Numbers::default(), read, timeout }
    }
}

impl Which {
    /// What a page of these must have.
    fn level(&self) -> Level {
        Level { read: self.read, timeout: self.timeout, at_least: None }
    }
}

/// Which counters to sum up.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct All {
    /// What their names begin with.
    #[param(example = "shop:")]
    prefix: String,
    /// `string`: the sum is a text, for programs that lose integers beyond 2^53.
    numbers: Numbers,
    /// `all`: wait until all nodes have told what they show. The sum has every change that was acknowledged before.
    #[param(inline)]
    read: Read,
    /// How long to wait, for this and for what `Counter-Version` names.
    #[param(value_type = String, default = "1s", example = "500ms")]
    timeout: Timeout,
}

/// A page of counters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// The counters, in the order of their names by bytes. Counters that nobody has counted since they were reset are left out.
    counters: Vec<Counter>,
    /// Ask for the next page with `after=` this name. `null`: this is the last page.
    #[schema(required)]
    next: Option<String>,
}

/// A counter and its value.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Counter {
    /// Its name.
    name: String,
    /// Its value.
    value: Number,
}

/// The sum of many counters.
#[derive(Debug, Serialize, ToSchema)]
struct Sum {
    /// The sum of their values.
    sum: Number,
    /// How many they are.
    counters: usize,
}

/// List counters, a page at a time.
#[utoipa::path(
    get, path = "/v1/counters", tag = "counters", params(Which),
    responses((status = 200, description = "A page of counters.", body = Page)),
)]
pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    let which: Which = call.query()?;
    call.demand(Scope::Read, &which.prefix)?;
    let (http, reach) = (call.http.clone(), call.reach(which.level()));
    drop(call);
    let seen = reach.await?;
    Ok(mark_read(json(&page(&http, which).await?), &http.app.counters, None, &seen))
}

/// Add up the values of all counters with a prefix. Adds that come meanwhile may be in the sum or not.
#[utoipa::path(
    get, path = "/v1/sum", tag = "counters", params(All),
    responses((status = 200, description = "The sum.", body = Sum)),
)]
pub(super) async fn sum(call: Call) -> Result<Response, Problem> {
    let All { prefix, numbers, read, timeout } = call.query()?;
    call.demand(Scope::Read, &prefix)?;
    let reach = call.reach(Level { read, timeout, at_least: None });
    let http = call.http.clone();
    drop(call);
    let seen = reach.await?;
    let (sum, counters) = http.scan(move |counters| counters.sum(&prefix)).await?;
    Ok(mark_read(json(&Sum { sum: Number(sum, numbers), counters }), &http.app.counters, None, &seen))
}

/// A page of counters.
pub(super) async fn page(http: &Http, which: Which) -> Result<Page, Problem> {
    let Which { prefix, after, limit, numbers, .. } = which;
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::malformed(format!("limit is a number from 1 to {MAX_PAGE}")));
    }
    // One more, to know whether there is a next page.
    let list = move |counters: &Counters| counters.list(&prefix, after.as_deref(), limit + 1);
    let mut counters = http.scan(list).await?;
    let has_more = counters.len() > limit;
    counters.truncate(limit);
    let next = counters.last().filter(|_| has_more).map(|(name, _)| name.to_string());
    Ok(Page { counters: with_numbers(counters, numbers), next })
}

/// The same, as it is written.
pub(super) fn with_numbers(
    counters: impl IntoIterator<Item = (Name, i128)>,
    numbers: Numbers,
) -> Vec<Counter> {
    let written =
        |(name, value): (Name, i128)| Counter { name: name.to_string(), value: Number(value, numbers) };
    counters.into_iter().map(written).collect()
}
