//! `counterd`: parses arguments, sets up the log, and serves.

use std::io::Write;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use counterd::cli;
use counterd::config::Config;
use counterd::server::{self, Listening};
use counterd::{log, supervise};
use tokio::signal::unix::{Signal, SignalKind, signal};

fn main() -> ExitCode {
    let cli::Call { command, settings } =
        cli::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let Some(command) = command else {
        return match serve(settings.config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => fail(&problem, ExitCode::FAILURE),
        };
    };
    match command.run(&settings) {
        Ok((text, status)) => match std::io::stdout().write_all(&text) {
            Ok(()) => status,
            Err(error) => fail(&format!("can't print: {error}"), ExitCode::FAILURE),
        },
        Err(failure) => fail(failure.text(), failure.status()),
    }
}

fn fail(problem: &str, status: ExitCode) -> ExitCode {
    // Where nobody reads it, the status has to do.
    let _told = writeln!(std::io::stderr(), "counterd: {problem}");
    status
}

/// How many threads serve clients. One core is left to the thread that commits. More threads than that would only take the counters'
/// lock from each other.
fn workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    cores.saturating_sub(1).clamp(1, MAX_WORKERS)
}

/// All clients share one lock. Beyond so many threads they wait for each other.
const MAX_WORKERS: usize = 8;

fn serve(config: Config) -> Result<(), String> {
    log::to_stderr(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers()).enable_all().build();
    let runtime = runtime.map_err(|error| format!("can't start threads: {error}"))?;
    let served = runtime.block_on(async {
        let (mut terminate, mut interrupt) =
            signals().map_err(|error| format!("can't wait for signals: {error}"))?;
        let stop = async move {
            either(&mut terminate, &mut interrupt).await;
            supervise::stopping();
            tokio::spawn(async move {
                either(&mut terminate, &mut interrupt).await;
                std::process::exit(fail_now());
            });
        };
        let has_tls = config.tls.is_some();
        let ready = |listening: &Listening| {
            // The server serves also where nobody reads this.
            let _told = std::io::stdout().write_all(greet(listening, has_tls).as_bytes());
            supervise::ready();
        };
        server::run(config, ready, stop).await
    });
    // A disk that hangs can't keep the process.
    runtime.shutdown_background();
    served
}

/// SIGTERM and SIGINT. From now on they do not end the process.
fn signals() -> std::io::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// What is acknowledged is stored, so to end at once loses nothing.
fn fail_now() -> i32 {
    tracing::warn!("a second signal: the end, without answering those who wait");
    1
}

/// What the user sees first.
fn greet(listening: &Listening, has_tls: bool) -> String {
    let secure = if has_tls { "s" } else { "" };
    let http = format!("http{secure}://{}", listening.http);
    let mut lines = vec![format!("counterd listens on {http}")];
    lines.extend(listening.redis.map(|redis| format!("counterd listens on redis{secure}://{redis}")));
    lines.push(format!(
        "add:  curl -X POST {http}/v1/counters/views/add -H 'Content-Type: application/json' -d '{{\"delta\": 3}}'"
    ));
    lines.extend(listening.redis.map(|redis| format!("      redis-cli -p {} INCRBY views 3", redis.port())));
    lines.push(format!("read: curl {http}/v1/counters/views\n"));
    lines.join("\n")
}
