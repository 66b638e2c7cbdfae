//! Connections: how many, how long, and how they end.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;
use tower_service::Service as _;
use tracing::{debug, warn};

use super::Http;
use super::explain::Explain;
use super::forward::COUNTER_NODE;
use super::problem::Kind as Problem;
use crate::clock::Stopwatch;
use crate::metrics::{Kind, Protocol};
use crate::tls;

/// How long a connection may be idle, and how long the head of a request may take to come.
const IDLE: Duration = Duration::from_mins(1);

/// How long a client may take to read the next piece of an answer.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// How many bytes the head of a request may have. What comes with one read may be more.
const MAX_HEAD: u32 = 64 << 10;

/// How many requests one connection of HTTP/2 may have open.
const MAX_STREAMS: u32 = 256;

/// How many clients beyond the bound are told so at once. More are just cut off.
const MAX_TOLD: usize = 64;

/// What a client beyond the bound is told.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 172\r\n\r\n\
    {\"type\":\"/problems/too-many-connections\",\"title\":\"Too many connections\",\"status\":503,\
    \"detail\":\"the server has as many connections as it may have: try again\",\"counted\":\"no\"}";

/// What each connection needs.
#[derive(Clone)]
struct Front {
    http: Http,
    router: Router,
    tls: Option<TlsAcceptor>,
}

/// Accepts connections until the server ends, and then waits until open requests are answered. The [server](crate::server) bounds
/// that wait.
pub(super) async fn serve(listener: TcpListener, http: Http, router: Router, tls: Option<TlsAcceptor>) {
    let most = http.app.config.max_connections;
    let (permits, told) = (Arc::new(Semaphore::new(most)), Arc::new(Semaphore::new(MAX_TOLD)));
    let mut stopping = http.stopping.clone();
    let front = Front { http, router, tls };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        match (accepted, permits.clone().try_acquire_owned()) {
            (Ok((stream, _)), Ok(permit)) => {
                tokio::spawn(front.clone().connection(stream, permit));
            }
            (Ok((stream, _)), Err(_)) => {
                // Without a handshake a client of TLS can't be told.
                if let (None, Ok(permit)) = (&front.tls, told.clone().try_acquire_owned()) {
                    tokio::spawn(refuse(stream, permit));
                }
            }
            (Err(error), _) => {
                warn!(%error, "can't accept a connection");
                // It is out of files, most likely: to try again at once would only burn time.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    let _all_have_ended = permits.acquire_many(all).await;
}

impl Front {
    async fn connection(self, stream: TcpStream, _permit: OwnedSemaphorePermit) {
        let _open = self.http.app.metrics.connection(Protocol::Http);
        if let Err(error) = self.serve(stream).await {
            debug!(%error, "a connection has ended");
        }
    }

    async fn serve(self, stream: TcpStream) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        stream.set_nodelay(true)?;
        let stream = tls::accept(stream, self.tls.as_ref()).await?;
        let is_http2 = match &stream {
            Either::Left(_) => false,
            Either::Right(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_WITHIN));
        let stream = Box::pin(stream);
        let mut stopping = self.http.stopping.clone();
        let stopped = async move {
            let _ended = stopping.wait_for(|stopping| *stopping).await;
        };
        let http = self.http.clone();
        let service = service_fn(move |request| self.clone().answer(request));
        if is_http2 {
            let mut http2 = http2::Builder::new(TokioExecutor::new());
            http2.timer(TokioTimer::new()).keep_alive_interval(IDLE).keep_alive_timeout(WRITE_WITHIN);
            http2.max_concurrent_streams(MAX_STREAMS).max_header_list_size(MAX_HEAD);
            let mut connection = pin!(http2.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                ended = connection.as_mut() => return Ok(ended?),
                () = stopped => connection.as_mut().graceful_shutdown(),
            }
            Ok(connection.await?)
        } else {
            let mut http1 = http1::Builder::new();
            http1.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(MAX_HEAD as usize);
            let io = TokioIo::new(Explain::new(stream, http));
            let mut connection = pin!(http1.serve_connection(io, service));
            tokio::select! {
                ended = connection.as_mut() => return Ok(ended?),
                () = stopped => connection.as_mut().graceful_shutdown(),
            }
            Ok(connection.await?)
        }
    }

    async fn answer(mut self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let (kind, begun) = (kind(&request), Stopwatch::start());
        let mut response = match self.http.hosts.check(&request) {
            Ok(()) => self.router.call(request.map(Body::new)).await?,
            Err(problem) => problem.into_response(),
        };
        response.headers_mut().entry(COUNTER_NODE).or_insert_with(|| self.http.node.clone());
        let metrics = &self.http.app.metrics;
        metrics.http(kind, begun.elapsed());
        if let Some(problem) = response.extensions().get::<Problem>() {
            metrics.refused(problem.describe().0);
        }
        Ok(response)
    }
}

/// What a request does, for the metrics.
fn kind<B>(request: &Request<B>) -> Kind {
    match (request.uri().path(), request.method()) {
        ("/v1/batch", _) => Kind::Batch,
        ("/v1/counters" | "/v1/sum", _) => Kind::List,
        (path, &Method::GET) if path.starts_with("/v1/counters/") => Kind::Read,
        (path, _) if path.starts_with("/v1/counters/") => Kind::Change,
        _ => Kind::Other,
    }
}

/// Tells a client that there are too many connections.
async fn refuse(mut stream: TcpStream, _permit: OwnedSemaphorePermit) {
    let tell = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // To close while the request is not read would throw away the answer.
        let mut request = [0; 1024];
        while stream.read(&mut request).await? > 0 {}
        io::Result::Ok(())
    };
    let _told_or_gone = tokio::time::timeout(Duration::from_secs(1), tell).await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket, TcpStream};
    use tokio::sync::watch;

    use super::{FULL, IDLE, WRITE_WITHIN};
    use crate::access::Access;
    use crate::app::{App, Parts};
    use crate::clock::Stopwatch;
    use crate::config::Config;
    use crate::metrics::{Metrics, Protocol};
    use crate::peers::Peers;

    /// A server: its address, its metrics, and its directory, which is to be kept.
    async fn start() -> (SocketAddr, Metrics, TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let counters = embedded::Counters::open(directory.path()).unwrap();
        let (config, metrics, access) = (Config::default(), Metrics::default(), Access::default());
        let peers = Peers::default();
        let seen = metrics.clone();
        let app = App::new(Parts { counters, peers, access, config, metrics, started: Stopwatch::start() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async {
            let (_never, stopping) = watch::channel(false);
            crate::http::serve(listener, app, None, stopping).await
        });
        (address, seen, directory)
    }

    /// What the server says to these bytes until it closes the connection. Time is virtual: it passes as soon as both wait.
    async fn until_closed(bytes: &[u8]) -> String {
        let (address, _, _directory) = start().await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(bytes).await.unwrap();
        tokio::time::pause();
        let mut said = Vec::new();
        let closed = tokio::time::timeout(Duration::from_hours(1), client.read_to_end(&mut said)).await;
        closed.expect("the connection stays open").unwrap();
        String::from_utf8(said).unwrap()
    }

    /// Its answers are more than the system keeps for a connection.
    #[tokio::test]
    async fn a_client_that_does_not_read_is_closed() {
        let (address, metrics, _directory) = start().await;
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(4096).unwrap();
        let mut client = client.connect(address).await.unwrap();
        client.write_all("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(500).as_bytes()).await.unwrap();
        let until_open = |number| {
            let metrics = &metrics;
            async move {
                while metrics.open(Protocol::Http) != number {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        tokio::time::timeout(WRITE_WITHIN, until_open(1)).await.expect("it is accepted");
        tokio::time::pause();
        // An idle connection would be kept longer.
        let closed = tokio::time::timeout(IDLE, until_open(0)).await;
        closed.expect("the connection stays open");
    }

    #[tokio::test]
    async fn a_client_that_sends_nothing_is_closed() {
        assert_eq!(until_closed(b"").await, "");
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_is_closed() {
        let said = until_closed(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ").await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }

    #[tokio::test]
    async fn a_connection_that_is_idle_is_closed_after_its_answer() {
        let said = until_closed(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 200") && said.ends_with('}'), "{said}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_refused() {
        let head = "POST /v1/counters/a/add HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                    content-length: 100\r\n\r\n{";
        let said = until_closed(head.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 408") && said.contains("/problems/too-slow"), "{said}");
    }

    #[test]
    fn the_answer_to_clients_beyond_the_bound_is_whole() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{}", body.len());
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["type"], "/problems/too-many-connections");
    }
}
