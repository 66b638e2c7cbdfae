//! HTTP: counters as JSON. `docs/http.md` is for users; `service/openapi.json` describes each route.
//!
//! A request passes [`serve`] (connections and their bounds), `guard` (no page of another site has caused it) and the router. Its
//! handler asks `call::Call` for what it needs: first whether the client may do this (`token`), then the body. Every error is
//! a `problem::Problem`, which knows whether the change counts. `explain` puts problems in the place of hyper's own answers.

mod batch;
mod call;
mod cluster;
mod counters;
mod dashboard;
mod explain;
mod forward;
mod guard;
mod health;
mod levels;
mod list;
mod number;
mod openapi;
mod problem;
mod serve;
mod status;
mod token;
mod transfer;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, Uri};
use axum::routing::get;
use embedded::Counters;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch as stop};
use tokio_rustls::TlsAcceptor;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::guard::Hosts;
use self::problem::{Kind, Problem};
use crate::app::App;

/// How many requests may look through all counters at once. The others wait for them.
const MAX_SCANS: usize = 4;

/// What all requests share. A clone is the same.
#[derive(Debug, Clone)]
struct Http(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    app: App,
    /// The name of this node, which every answer has.
    node: HeaderValue,
    hosts: Hosts,
    /// The document that describes the routes.
    document: Bytes,
    /// Whether the server ends.
    stopping: stop::Receiver<bool>,
    watchers: Arc<Semaphore>,
    scans: Semaphore,
    /// One import at a time: it is held in memory before it is merged.
    importing: Semaphore,
}

impl std::ops::Deref for Http {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Http {
    fn new(app: App, document: String, stopping: stop::Receiver<bool>) -> Result<Self, String> {
        let node = HeaderValue::try_from(app.counters.status().node);
        let node = node.map_err(|_| "the name of the node has no place in a header")?;
        Ok(Self(Arc::new(Shared {
            node,
            hosts: Hosts::new(&app.config),
            document: document.into(),
            stopping,
            watchers: Arc::new(Semaphore::new(watch::MAX_WATCHERS)),
            scans: Semaphore::new(MAX_SCANS),
            importing: Semaphore::new(1),
            app,
        })))
    }

    /// Does something that may take long, on a thread where nothing else waits for it.
    async fn scan<T: Send + 'static>(
        &self,
        scan: impl FnOnce(&Counters) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let broken = || Problem::new(Kind::Unavailable, "the server is broken: start it again");
        let _turn = self.scans.acquire().await.map_err(|_| broken())?;
        let counters = self.app.counters.clone();
        tokio::task::spawn_blocking(move || scan(&counters)).await.map_err(|_| broken())
    }
}

/// The routes, each with its description.
fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::with_openapi(openapi::About::openapi())
        .routes(routes!(counters::add))
        .routes(routes!(counters::read))
        .routes(routes!(counters::reset))
        .routes(routes!(counters::report))
        .routes(routes!(batch::batch))
        .routes(routes!(list::list))
        .routes(routes!(list::sum))
        .routes(routes!(watch::watch))
        .routes(routes!(transfer::export))
        .routes(routes!(transfer::import))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(status::status))
        .routes(routes!(cluster::cluster))
        .routes(routes!(cluster::forget))
        .routes(routes!(openapi::openapi))
}

/// The document that describes the routes: the file `service/openapi.json`.
///
/// ```
/// assert!(counterd::http::document().contains("/v1/counters/{name}/add"));
/// ```
pub fn document() -> String {
    openapi::write(&routes().into_openapi())
}

/// Serves HTTP until `stopping` says so, and then until open requests are answered.
///
/// # Errors
///
/// In words, before it has served anything.
pub async fn serve(
    listener: TcpListener,
    app: App,
    tls: Option<TlsAcceptor>,
    stopping: stop::Receiver<bool>,
) -> Result<(), String> {
    let (router, api) = routes().split_for_parts();
    let http = Http::new(app, openapi::write(&api), stopping)?;
    let router: Router = router
        .route("/", get(dashboard::dashboard))
        .fallback(async |uri: Uri| Problem::new(Kind::NoRoute, no_route(uri.path())))
        .method_not_allowed_fallback(async || {
            Problem::new(Kind::WrongMethod, "the header Allow says which methods the route has")
        })
        .with_state(http.clone());
    serve::serve(listener, http, router, tls).await;
    Ok(())
}

fn no_route(path: &str) -> &'static str {
    if path.starts_with("/v1/counters/") {
        "there is no such route: a name is not empty, and a / in it is written %2F. /openapi.json has the routes"
    } else {
        "there is no such route: /openapi.json has the routes"
    }
}
