//! A request, and what handlers ask of it.

use std::convert::Infallible;
use std::ops::Deref;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use embedded::{Change, Counters, Done, Group, Name};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_util::either::Either;

use super::Http;
use super::forward::{COUNTER_NODE, Made, make_at};
use super::problem::{Kind, Problem};
use super::token::{self, permit};
use crate::access::{Client, Scope};

/// How long the body of a request may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// A request, and what handlers ask of it.
pub(super) struct Call {
    pub(super) http: Http,
    parts: Parts,
    body: Body,
}

impl FromRequest<Http> for Call {
    type Rejection = Infallible;

    async fn from_request(request: Request, http: &Http) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        Ok(Self { http: http.clone(), parts, body })
    }
}

impl Call {
    pub(super) fn counters(&self) -> &Counters {
        &self.http.app.counters
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The names in the path: a [`PathName`] or several.
    pub(super) async fn path<T: DeserializeOwned + Send>(&mut self) -> Result<T, Problem> {
        let path = Path::<T>::from_request_parts(&mut self.parts, &()).await;
        let problem = "a name is UTF-8, percent-encoded, and not empty";
        path.map(|Path(names)| names).map_err(|_| Problem::malformed(problem))
    }

    /// The parameters behind the `?`.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let query = Query::<T>::try_from_uri(&self.parts.uri);
        let Query(parameters) = query.map_err(|error| Problem::malformed(error.body_text()))?;
        Ok(parameters)
    }

    /// Refuses clients that may not do this to this counter, or to all counters with this prefix.
    pub(super) fn demand(&self, scope: Scope, counter: &str) -> Result<(), Problem> {
        permit(self.client(&self.http)?, scope, counter)
    }

    /// Refuses clients that may do this to no counter. For what names none: who may read some may read it.
    pub(super) fn demand_any(&self, scope: Scope) -> Result<(), Problem> {
        let client = self.client(&self.http)?;
        permit(client, scope, client.prefix())
    }

    /// The client, as its token says.
    pub(super) fn client<'a>(&self, http: &'a Http) -> Result<Client<'a>, Problem> {
        token::client(&http.app.access, &self.parts.headers)
    }

    /// Refuses a body of another media type. A page of another site can't send one of these types without asking first.
    pub(super) fn must_be(&self, media_type: &str) -> Result<(), Problem> {
        let given = self.parts.headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok());
        let given = given.unwrap_or_default().split(';').next().unwrap_or_default();
        if given.trim().eq_ignore_ascii_case(media_type) {
            return Ok(());
        }
        Err(Problem::new(Kind::WrongType, format!("send Content-Type: {media_type}")))
    }

    /// The body, which must be JSON.
    pub(super) async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        self.must_be("application/json")?;
        let most = self.http.app.config.max_body;
        let body = axum::body::to_bytes(std::mem::take(&mut self.body), most);
        let body: Bytes = match tokio::time::timeout(BODY_WITHIN, body).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => {
                let detail = format!("the body has more than {most} bytes, or was cut off");
                return Err(Problem::new(Kind::TooLarge, detail));
            }
            Err(_) => return Err(Problem::new(Kind::TooSlow, "the body did not come in 30 s")),
        };
        serde_json::from_slice(&body).map_err(|error| Problem::malformed(format!("the body: {error}")))
    }

    /// The body, piece by piece.
    pub(super) fn stream(&mut self) -> BodyDataStream {
        std::mem::take(&mut self.body).into_data_stream()
    }

    /// Changes counters, once if the request has an idempotency key. If it says that another node has the key, that node does it.
    pub(super) fn change(&self, change: Change) -> impl Future<Output = Result<Made, Problem>> + use<> {
        let http = self.http.clone();
        let begun = self.key().and_then(|key| match (key, self.other_node()?) {
            (Some(key), Some(node)) => Ok(Either::Right(make_at(http.clone(), node, key.to_owned(), change))),
            (Some(key), None) => {
                Ok(Either::Left(self.counters().submit(|session| session.change_once(key, change))))
            }
            (None, _) => Ok(Either::Left(self.counters().submit(|session| session.change(change)))),
        });
        async move {
            match begun? {
                Either::Left(group) => Ok(Made::here(&http, Group::only(group.await)?)),
                Either::Right(elsewhere) => elsewhere.await,
            }
        }
    }

    /// The node that has the key of this request, if that is another one.
    fn other_node(&self) -> Result<Option<String>, Problem> {
        let Some(node) = self.parts.headers.get(COUNTER_NODE) else { return Ok(None) };
        let node = node.to_str().ok().filter(|node| embedded::is_node_name(node));
        let node = node.ok_or_else(|| Problem::malformed("Counter-Node is the name of a node"))?;
        Ok((node.as_bytes() != self.http.node.as_bytes()).then(|| node.to_owned()))
    }

    /// Reads a counter.
    pub(super) fn read(&self, name: &Name) -> impl Future<Output = Result<Done, Problem>> + use<> {
        let group = self.counters().submit(|session| session.read(name));
        async { Group::only(group.await).map_err(Problem::from) }
    }

    fn key(&self) -> Result<Option<&str>, Problem> {
        let mut keys = self.parts.headers.get_all("idempotency-key").iter();
        let key = keys.next().map(|key| key.to_str());
        match (key.transpose(), keys.next()) {
            (Ok(key), None) => Ok(key),
            (Err(_), _) => Err(Problem::malformed("an Idempotency-Key has visible ASCII characters only")),
            (_, Some(_)) => Err(Problem::malformed("there is more than one Idempotency-Key")),
        }
    }
}

/// A name in a path. It is not empty.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct PathName(String);

impl TryFrom<String> for PathName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        if name.is_empty() { Err("the name is empty") } else { Ok(Self(name)) }
    }
}

impl Deref for PathName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<PathName> for Name {
    fn from(name: PathName) -> Self {
        name.0.into()
    }
}
