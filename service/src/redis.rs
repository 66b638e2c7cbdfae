//! The Redis protocol.

mod batch;
mod connection;
mod counting;
mod describe;
mod glob;
mod handshake;
mod inline;
mod lists;
mod refusals;
mod replies;
mod requests;
mod stream;
mod table;
mod unsupported;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use crate::app::App;
use crate::metrics::Protocol;
use crate::tls;
use connection::Connection;

/// Serves the Redis protocol until `stop` says so. Connections that are idle then are closed, the others once they are answered.
pub async fn serve(listener: TcpListener, app: App, tls: Option<TlsAcceptor>, stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(app.config.max_connections));
    let mut connections = JoinSet::new();
    let mut id = 0;
    let mut stopping = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_ended) = connections.join_next() => continue,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // No more files may be open, for instance. It would fail again at once.
                warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            app.metrics.refused("too-many-connections");
            refuse(stream);
            continue;
        };
        id += 1;
        let (app, tls, stop) = (app.clone(), tls.clone(), stop.clone());
        connections.spawn(async move {
            let _place = place;
            let connection = Connection::new(&app, id);
            if let Err(error) = serve_client(stream, tls.as_ref(), connection, stop).await {
                debug!(%error, "a connection has ended");
            }
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve_client(
    stream: TcpStream,
    tls: Option<&TlsAcceptor>,
    connection: Connection<'_>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let _open = connection.app.metrics.connection(Protocol::Redis);
    stream.set_nodelay(true)?;
    stream::serve(tls::accept(stream, tls).await?, connection, stop).await
}

fn refuse(stream: TcpStream) {
    // A new connection has room for it, and nobody may wait for a client here.
    let _is_gone =
        stream.into_std().and_then(|mut stream| stream.write(b"-ERR max number of clients reached\r\n"));
}
