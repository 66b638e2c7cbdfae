//! The shell around the node: stdin, stdout, signals, the clock and the generator, and nothing else.
//!
//! The shell reads all input that is there in one go, and handles it as one batch. It writes all answers before it reads
//! more, so a reader that stalls can't make the node grow. It reads the clock before each look at the input, and once
//! more before each piece of output: the process may have been stopped at any point in between.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::Clock;
use crate::config::{Config, MAX_LINE, SHUT_DOWN_WITHIN};
use crate::endpoint::Endpoint;
use crate::lines::{Line, Lines};
use crate::stdio::{Stdin, Stdout};

/// How much is read at once, in bytes.
const READ_SIZE: usize = 64 << 10;

/// Output is written before more is handled once there is this much of it, in bytes: a small message can have a long
/// answer. The buffer keeps that much room for the next batch.
const ENOUGH: usize = 1 << 20;

/// Runs a node on stdin and stdout until its input ends or it is told to stop.
///
/// # Errors
///
/// If the runtime can't be set up, or stdin or stdout fails.
pub fn run(config: Config) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = Shutdown::listen()?;
        serve(config, Stdin::new()?, Stdout::new()?, shutdown).await
    })
}

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Shutdown {
    terminate: Signal,
    interrupt: Signal,
}

impl Shutdown {
    /// Listens for both signals from now on.
    ///
    /// # Errors
    ///
    /// If the signals can't be listened to.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Drives a node with the lines of `input`, the wall clock and a generator seeded by the system.
///
/// A pending read of `input` must mean that the input is empty, as with [`Stdin`]: the node dates its requests by that.
/// (Tokio's own standard input has a thread, which may hold bytes that it has read.)
///
/// # Errors
///
/// If `input` can't be read or `output` can't be written.
pub async fn serve(
    config: Config,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    shutdown: Shutdown,
) -> io::Result<()> {
    let node = Driver {
        clock: Clock::start(),
        endpoint: Endpoint::new(config, SmallRng::from_rng(&mut rand::rng())),
        out: Vec::new(),
        told: false,
    };
    Shell { node, lines: Lines::new(MAX_LINE), input, output, shutdown }.run().await
}

/// A node with its clock and its output.
struct Driver {
    clock: Clock,
    endpoint: Endpoint<SmallRng>,
    /// Output that is not written yet.
    out: Vec<u8>,
    /// The node has been told to stop.
    told: bool,
}

impl Driver {
    fn receive(&mut self, now: Duration, line: &Line<'_>) {
        match line {
            Line::Whole(line) => self.endpoint.receive(now, line, &mut self.out),
            Line::TooLong(length) => self.endpoint.skipped(*length),
        }
    }

    fn wake(&mut self) {
        if !self.endpoint.is_done() {
            self.endpoint.wake(self.clock.now(), &mut self.out);
        }
    }

    fn terminate(&mut self) {
        self.told = true;
        self.endpoint.terminate(self.clock.now(), &mut self.out);
    }

    /// Looks at the input, and reads what is there. It reads the clock first: input that is found later was handed in
    /// later.
    fn look(
        &mut self,
        input: &mut (impl AsyncRead + Unpin),
        buffer: &mut [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let at = self.clock.now();
        let mut buffer = ReadBuf::new(buffer);
        let read = match Pin::new(input).poll_read(cx, &mut buffer) {
            Poll::Ready(done) => Poll::Ready(done.map(|()| buffer.filled().len())),
            Poll::Pending => Poll::Pending,
        };
        // An input that has ended is not empty: nothing will ever come.
        match &read {
            Poll::Ready(Ok(0) | Err(_)) => {}
            Poll::Ready(Ok(bytes)) => self.endpoint.looked(at, *bytes),
            Poll::Pending => self.endpoint.looked(at, 0),
        }
        read
    }

    /// Writes more of the output, after the first `written` bytes and without answers that are too late.
    fn write(
        &mut self,
        output: &mut (impl AsyncWrite + Unpin),
        written: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.endpoint.withdraw(self.clock.now(), written, &mut self.out);
        match self.out.get(written..) {
            None | Some([]) => Poll::Ready(Ok(0)),
            Some(rest) => match ready!(Pin::new(output).poll_write(cx, rest)) {
                Ok(0) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                done => Poll::Ready(done),
            },
        }
    }
}

/// A node between its input and its output.
struct Shell<I, O> {
    node: Driver,
    lines: Lines,
    input: I,
    output: O,
    shutdown: Shutdown,
}

/// How a write ended.
#[derive(PartialEq, Eq)]
enum Written {
    /// Everything is written.
    All,
    /// The node was told to stop, and then its output was not read for too long.
    Stalled,
}

impl<I: AsyncRead + Unpin, O: AsyncWrite + Unpin> Shell<I, O> {
    async fn run(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; READ_SIZE];
        self.node.wake();
        while !self.node.endpoint.is_done() {
            // Input that never ends must not keep the runtime from its other work, such as signals.
            tokio::task::consume_budget().await;
            let read = self.wait(&mut buffer).await?;
            let written = match read {
                None => Written::All,
                Some(0) => {
                    self.close_input();
                    Written::All
                }
                Some(read) => self.handle(buffer.get(..read).unwrap_or_default()).await?,
            };
            self.node.wake();
            if written == Written::Stalled || self.write().await? == Written::Stalled {
                tracing::warn!("shut down without the last words: nobody reads them");
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits for input and reads it. `None` once something else is to be done. Each time that it wakes up it looks at the
    /// input first.
    async fn wait(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Self { node, input, shutdown, .. } = self;
        let sleep = node.clock.sleep_until(node.endpoint.next_wake());
        tokio::select! {
            biased;
            () = shutdown.told() => node.terminate(),
            read = poll_fn(|cx| node.look(input, buffer, cx)) => return read.map(Some),
            () = sleep => {}
        }
        Ok(None)
    }

    /// Handles the bytes that were read. If there is much output, it writes some of it in between.
    async fn handle(&mut self, mut bytes: &[u8]) -> io::Result<Written> {
        let mut now = self.node.clock.now();
        while let Some(line) = self.lines.next(&mut bytes) {
            self.node.receive(now, &line);
            if self.node.out.len() >= ENOUGH {
                if self.write().await? == Written::Stalled {
                    return Ok(Written::Stalled);
                }
                // The rest of the batch has waited while that was written.
                now = self.node.clock.now();
            }
        }
        Ok(Written::All)
    }

    fn close_input(&mut self) {
        let now = self.node.clock.now();
        if let Some(line) = self.lines.finish() {
            self.node.receive(now, &line);
        }
        self.node.endpoint.input_closed(now, &mut self.node.out);
    }

    /// Writes the output, without answers that have become too late. Once the node is told to stop, it waits only a
    /// bounded time for a reader that has stalled.
    async fn write(&mut self) -> io::Result<Written> {
        let Self { node, output, shutdown, .. } = self;
        let (mut written, was_told) = (0, node.told);
        let mut give_up = node.told.then(|| node.clock.now() + SHUT_DOWN_WITHIN);
        while written < node.out.len() {
            let sleep = node.clock.sleep_until(give_up);
            tokio::select! {
                biased;
                more = poll_fn(|cx| node.write(output, written, cx)) => written += more?,
                () = shutdown.told(), if !node.told => {
                    node.told = true;
                    give_up = Some(node.clock.now() + SHUT_DOWN_WITHIN);
                }
                () = sleep => return Ok(Written::Stalled),
            }
        }
        output.flush().await?;
        node.out.clear();
        node.endpoint.written();
        node.out.shrink_to(ENOUGH);
        if node.told && !was_told {
            node.terminate();
        }
        Ok(Written::All)
    }
}
