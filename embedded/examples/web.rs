//! A web server that counts the visits of each page: `cargo run -p counter-embedded --example web`, then
//! `curl http://127.0.0.1:8080/some/page`
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use embedded::{Counters, Refused};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counters = Counters::open("./visits")?;
    let router = Router::new().fallback(get(visit)).with_state(counters.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://127.0.0.1:8080/ counts its visits");
    axum::serve(listener, router).with_graceful_shutdown(stop()).await?;
    counters.close()?;
    Ok(())
}

/// Counts a visit. The answer leaves once the visit is on the disk.
async fn visit(State(counters): State<Counters>, page: Uri) -> Result<String, (StatusCode, String)> {
    let visits = counters.add(page.path(), 1).await.map_err(explain)?;
    Ok(format!("{}: {visits} visits\n", page.path()))
}

fn explain(refused: Refused) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{refused}\n"))
}

async fn stop() {
    let _interrupted = tokio::signal::ctrl_c().await;
}
