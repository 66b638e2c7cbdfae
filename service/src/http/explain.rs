//! Documents for the errors that hyper answers by itself.
//!
//! A request whose head can't be read reaches no handler: hyper answers it with a status and nothing else, and closes the connection.
//! It has no setting for that. So [`Explain`] stands between hyper and the connection, and puts a problem document in the place of
//! such an answer. It knows one by three marks that no answer of ours has together: a status of hyper's, `content-length: 0`, and
//! no bytes after the head. No body of ours can look like it, for none has a carriage return.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Http;
use super::problem::{Kind, Problem};

/// A connection of HTTP/1.
pub(super) struct Explain<S> {
    stream: S,
    http: Http,
    /// What is not written yet of an answer in the place of hyper's.
    left: Bytes,
}

impl<S: AsyncWrite + Unpin> Explain<S> {
    pub(super) fn new(stream: S, http: Http) -> Self {
        Self { stream, http, left: Bytes::new() }
    }

    /// If hyper writes an answer of its own, takes one with a document instead. Hyper closes the connection after it.
    fn replaces(&mut self, written: &[u8]) -> bool {
        let Some((problem, others)) = explain(written) else { return false };
        self.http.app.metrics.refused(problem.kind().describe().0);
        let (status, body) = problem.document();
        let mut lines = vec![
            format!("HTTP/1.1 {status}"),
            "content-type: application/problem+json".into(),
            format!("content-length: {}", body.len()),
            format!("counter-node: {}", self.http.node.to_str().unwrap_or_default()),
        ];
        lines.extend(others.into_iter().map(Into::into));
        let head = lines.join("\r\n") + "\r\n\r\n";
        self.left = [head.into_bytes(), body].concat().into();
        true
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.left.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.left))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => drop(self.left.split_to(written)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The problem that hyper means, and its other headers, if it wrote this by itself.
fn explain(written: &[u8]) -> Option<(Problem, Vec<&str>)> {
    const NO_BODY: &str = "content-length: 0";

    // Most answers leave here: they have a body in the same piece, or another status.
    let head = written.strip_suffix(b"\r\n\r\n")?;
    let problem = match head.strip_prefix(b"HTTP/1.")?.get(2..5)? {
        b"400" => {
            Problem::malformed("the head of the request is no HTTP/1.1, or one of its headers is malformed")
        }
        b"414" | b"431" => {
            Problem::new(Kind::HeadTooLarge, "path and headers have at most some 64 KiB, and 100 headers")
        }
        _ => return None,
    };
    let lines = std::str::from_utf8(head).ok()?.split("\r\n").skip(1);
    let (no_body, others): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| line.eq_ignore_ascii_case(NO_BODY));
    (!no_body.is_empty()).then_some((problem, others))
}

impl<S: AsyncRead + Unpin> AsyncRead for Explain<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Explain<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_left(cx))?;
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_left(cx))?;
        if let [piece] = pieces
            && self.replaces(piece)
        {
            return Poll::Ready(Ok(piece.len()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_left(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_left(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn only_an_answer_without_a_body_is_explained() {
        let bare =
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: today\r\n\r\n";
        let (_, headers) = explain(bare.as_bytes()).unwrap();
        assert_eq!(headers, ["connection: close", "date: today"]);
        for other in [
            bare.replace("content-length: 0", "content-length: 10"),
            bare.replace("400", "200"),
            bare.replace("\r\n\r\n", "\r\n\r\n{}"),
            bare.replace("HTTP/1.1", "{\"name\":\"HTTP/1.1"),
            String::new(),
        ] {
            assert!(explain(other.as_bytes()).is_none(), "{other}");
        }
    }
}
