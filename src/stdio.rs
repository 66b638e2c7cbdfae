//! Standard input and output, without a thread between them and the node.
//!
//! Tokio's own standard input reads on a thread, which may hold bytes that it has read. So a pending read there does not
//! mean that the input is empty. Here a pending read means that a system call has just found the input empty. A write
//! that was accepted is in the pipe.

use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

/// How many bytes a pipe that is ready accepts without blocking (Linux's `PIPE_BUF`).
const PIECE: usize = 4096;

/// Standard input. A pending read has found it empty.
#[derive(Debug)]
pub struct Stdin(Source<io::Stdin>);

/// Standard output. Whole lines are written in one piece if they fit.
#[derive(Debug)]
pub struct Stdout(Source<io::Stdout>);

/// A file descriptor, and how to wait for it.
#[derive(Debug)]
enum Source<T: AsFd + std::os::fd::AsRawFd> {
    /// A pipe, a socket or a terminal.
    Waits(AsyncFd<T>),
    /// A file, which is ready at any time.
    Ready(T),
}

impl Stdin {
    /// Standard input. Call it within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the system can't watch it.
    pub fn new() -> io::Result<Self> {
        Source::new(io::stdin, Interest::READABLE).map(Self)
    }
}

impl Stdout {
    /// Standard output. Call it within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the system can't watch it.
    pub fn new() -> io::Result<Self> {
        Source::new(io::stdout, Interest::WRITABLE).map(Self)
    }
}

impl<T: AsFd + std::os::fd::AsRawFd> Source<T> {
    fn new(open: fn() -> T, interest: Interest) -> io::Result<Self> {
        #[expect(
            deprecated,
            reason = "there is no other without unsafe code; what it needs, that the descriptor \
            stays open, holds for standard input and output, which nothing here closes"
        )]
        let waits = AsyncFd::with_interest(open(), interest);
        match waits {
            Ok(waits) => Ok(Self::Waits(waits)),
            // epoll refuses files: they have nothing to wait for.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Self::Ready(open())),
            Err(error) => Err(error),
        }
    }

    fn get(&self) -> &T {
        match self {
            Self::Waits(waits) => waits.get_ref(),
            Self::Ready(file) => file,
        }
    }

    /// Whether the system would do this now without blocking. It asks the system each time.
    fn is_ready(&self, what: PollFlags) -> io::Result<bool> {
        let mut asked = [PollFd::new(self.get(), what)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let ready = rustix::io::retry_on_intr(|| poll(&mut asked, Some(&at_once)))?;
        Ok(ready > 0)
    }

    /// Does `act` once the system is ready for `what`.
    fn poll_until_done<R>(
        &self,
        what: PollFlags,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&T) -> rustix::io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            if self.is_ready(what)? {
                let done = rustix::io::retry_on_intr(|| act(self.get()));
                return Poll::Ready(done.map_err(Into::into));
            }
            match self {
                Self::Waits(waits) if what == PollFlags::IN => {
                    ready!(waits.poll_read_ready(cx))?.clear_ready();
                }
                Self::Waits(waits) => ready!(waits.poll_write_ready(cx))?.clear_ready(),
                Self::Ready(_) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }
}

impl AsyncRead for Stdin {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.initialize_unfilled();
        let read =
            ready!(self.0.poll_until_done(PollFlags::IN, cx, |stdin| rustix::io::read(stdin, &mut *room)))?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stdout {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let piece = whole_lines(bytes);
        self.0.poll_until_done(PollFlags::OUT, cx, |stdout| rustix::io::write(stdout, piece))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// As many whole lines as fit into a piece. If the first line does not fit, a piece of it.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let piece = bytes.get(..PIECE).unwrap_or(bytes);
    match memchr::memrchr(b'\n', piece) {
        Some(end) => piece.get(..=end).unwrap_or(piece),
        None => piece,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_not_cut_where_they_fit() {
        let line = |length: usize| [vec![b'x'; length - 1], vec![b'\n']].concat();
        let [short, half, long] = [100, PIECE / 2 + 1, PIECE + 1].map(line);
        assert_eq!(whole_lines(&short), short);
        assert_eq!(whole_lines(&[&half[..], &half].concat()), half);
        assert_eq!(whole_lines(&long), &long[..PIECE]);
        assert_eq!(whole_lines(b"no end"), b"no end");
    }
}
