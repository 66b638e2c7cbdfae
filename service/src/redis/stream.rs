//! The bytes of a connection: reads requests, writes replies.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

use super::connection::Connection;
use super::lists;
use super::replies::Replies;
use super::requests::Requests;
use crate::clock::Stopwatch;

/// So many bytes are read at a time: at first, and from a client that fills it.
const LEAST: usize = 4 << 10;
const MOST: usize = 64 << 10;

/// A client that does not read its replies for so long is given up.
const READS_WITHIN: Duration = Duration::from_mins(1);
/// Replies are sent before the next request is handled once there are so many bytes.
const MOST_UNSENT: usize = 256 << 10;

/// Serves a client until it leaves, is told to, or `stop` says so while it is idle.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mut connection: Connection<'_>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut stopped = pin!(stop.wait_for(|stop| *stop));
    let mut requests = Requests::new(connection.app.config.max_body);
    let mut replies = Replies::default();
    let mut window = LEAST;
    loop {
        let needs_more = requests.parse(connection.is_known());
        handle_all(&mut stream, &mut connection, &requests, &mut replies).await?;
        if let Some(bad) = requests.bad().filter(|_| !connection.is_closing()) {
            connection.fail(bad, &mut replies);
        }
        requests.clear();
        send(&mut stream, &mut replies).await?;
        if connection.is_closing() {
            return stream.shutdown().await;
        }
        if !needs_more {
            continue;
        }
        requests.space().reserve(window);
        let read = tokio::select! {
            read = stream.read_buf(requests.space()) => read?,
            _ = &mut stopped => return Ok(()),
        };
        if read == 0 {
            return Ok(());
        }
        window = if read >= window { MOST } else { window };
    }
}

/// Handles all requests. Their replies are left to be sent, or most of them.
async fn handle_all<S: AsyncWrite + Unpin>(
    stream: &mut S,
    connection: &mut Connection<'_>,
    requests: &Requests,
    replies: &mut Replies,
) -> io::Result<()> {
    let watch = Stopwatch::start();
    let mut next = 0;
    while next < requests.len() && !connection.is_closing() {
        let handled = connection.handle(requests, next, replies);
        if replies.has_waiting() {
            let answers = handled.answers.await;
            connection.note(&answers);
            replies.settle(&answers);
        }
        next = handled.next;
        if let Some(list) = handled.apart {
            lists::handle(list, requests.command(next), connection, replies).await;
            next += 1;
        }
        if replies.len() > MOST_UNSENT {
            send(stream, replies).await?;
        }
    }
    if next > 0 {
        connection.app.metrics.redis(next as u64, watch.elapsed());
    }
    Ok(())
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, replies: &mut Replies) -> io::Result<()> {
    if replies.len() > 0 {
        timeout(READS_WITHIN, stream.write_all(replies.bytes())).await??;
        replies.clear();
    }
    Ok(())
}
