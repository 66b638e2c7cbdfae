//! The shell around the node: stdin, stdout, signals, the clock and the generator, and nothing else.
//!
//! Whatever is there to be read is taken in one go, handled as one batch, and all answers go out in one
//! write, or several, if there is much to say. While a write blocks nothing is read and nothing said, so a reader
//! that stalls can't make the node grow.

use std::io;
use std::pin::pin;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{Config, MAX_LINE, SHUT_DOWN_WITHIN};
use crate::endpoint::Endpoint;
use crate::lines::{Line, Lines};

/// How much is read in one go, in bytes.
const READ_SIZE: usize = 64 << 10;

/// Once so much is to be said it is written before more is handled, in bytes: a small message can have a long answer.
/// That much room is kept for the next batch.
const ENOUGH: usize = 1 << 20;

/// Runs a node on stdin and stdout until its input ends or it is told to stop.
///
/// # Errors
///
/// If the runtime can't be set up, or stdin or stdout fails.
pub fn run(config: Config) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let shutdown = Shutdown::listen()?;
        serve(config, tokio::io::stdin(), tokio::io::stdout(), shutdown).await
    });
    // The thread that reads stdin may be blocked for ever: don't wait for it.
    runtime.shutdown_background();
    result
}

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Shutdown {
    terminate: Signal,
    interrupt: Signal,
}

impl Shutdown {
    /// Listens from now on.
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
/// # Errors
///
/// If `input` can't be read or `output` can't be written.
pub async fn serve(
    config: Config,
    mut input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
    mut shutdown: Shutdown,
) -> io::Result<()> {
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let clock = Clock::start();
    let mut endpoint = Endpoint::new(config);
    let mut lines = Lines::new(MAX_LINE);
    let mut buffer = vec![0; READ_SIZE];
    let mut out = Vec::new();
    let (mut unread, mut now) = (0..0, clock.now());
    let mut told = false;
    endpoint.wake(now, &mut rng, &mut out);
    while !endpoint.is_done() {
        if unread.is_empty() {
            tokio::select! {
                read = input.read(&mut buffer) => {
                    (unread, now) = (0..read?, clock.now());
                    if unread.is_empty() {
                        if let Some(line) = lines.finish() {
                            take(&mut endpoint, now, &line, &mut rng, &mut out);
                        }
                        endpoint.input_closed(now, &mut rng, &mut out);
                    }
                }
                () = clock.sleep_until(endpoint.next_wake()) => {}
                () = shutdown.told() => {
                    told = true;
                    endpoint.terminate(clock.now(), &mut rng, &mut out);
                }
            }
        }
        let mut bytes = buffer.get(unread.clone()).unwrap_or_default();
        while out.len() < ENOUGH
            && let Some(line) = lines.next(&mut bytes)
        {
            take(&mut endpoint, now, &line, &mut rng, &mut out);
        }
        unread.start = unread.end - bytes.len();
        if unread.is_empty() && !endpoint.is_done() {
            endpoint.wake(clock.now(), &mut rng, &mut out);
        }
        let written = write(&mut output, &out, &mut shutdown, told).await?;
        out.clear();
        out.shrink_to(ENOUGH);
        match written {
            // What is still unread here has waited as long as that took.
            // What is still unread here has waited as long as that took.
            Written::All => now = clock.now(),
            Written::AndTold => {
                (told, now) = (true, clock.now());
                endpoint.terminate(now, &mut rng, &mut out);
            }
            Written::Stalled => {
                tracing::warn!("shut down without the last words: nobody reads them");
                break;
            }
        }
    }
    Ok(())
}

fn take(endpoint: &mut Endpoint, now: Duration, line: &Line<'_>, rng: &mut StdRng, out: &mut Vec<u8>) {
    match line {
        Line::Whole(line) => endpoint.receive(now, line, rng, out),
        Line::TooLong(length) => endpoint.skipped(*length),
    }
}

/// How a write ended.
enum Written {
    /// All is out.
    All,
    /// All is out, and meanwhile the node was told to stop.
    AndTold,
    /// The node was told to stop, and then nobody read for too long.
    Stalled,
}

/// Writes the answers of a batch. Once the node is told to stop, a reader that has stalled gets a bounded time.
async fn write(
    output: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    shutdown: &mut Shutdown,
    told: bool,
) -> io::Result<Written> {
    if bytes.is_empty() {
        return Ok(Written::All);
    }
    let mut writing = pin!(async {
        output.write_all(bytes).await?;
        output.flush().await
    });
    if !told {
        tokio::select! {
            biased;
            written = &mut writing => return written.map(|()| Written::All),
            () = shutdown.told() => {}
        }
    }
    match tokio::time::timeout(SHUT_DOWN_WITHIN, writing).await {
        Ok(written) => written.map(|()| if told { Written::All } else { Written::AndTold }),
        Err(_) => Ok(Written::Stalled),
    }
}

/// The time since the node started.
#[expect(clippy::disallowed_types, reason = "the shell is where the clock is read")]
struct Clock(tokio::time::Instant);

#[expect(clippy::disallowed_types, reason = "the shell is where the clock is read")]
impl Clock {
    fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep_until(&self, wake: Option<Duration>) {
        match wake {
            Some(wake) => tokio::time::sleep_until(self.0 + wake).await,
            None => std::future::pending().await,
        }
    }
}
