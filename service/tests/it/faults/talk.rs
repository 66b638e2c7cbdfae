//! Speaking to the server, over both protocols, and telling how a request ended.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;

use crate::harness::Address;
use crate::history::Reply;

/// The server's own bound is 5 s. A client waits longer: for a server that is paused, too.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection over each protocol.
pub(crate) struct Talk {
    address: Address,
    agent: ureq::Agent,
    redis: Option<redis::Connection>,
}

impl Talk {
    pub(crate) fn to(address: Address) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Self { address, agent: config.build().into(), redis: None }
    }

    /// Speaks to this address from now on.
    pub(crate) fn turn_to(&mut self, address: Address) {
        if self.address != address {
            *self = Self::to(address);
        }
    }

    pub(crate) fn read(&self, counter: &str) -> Reply {
        reply(self.agent.get(format!("{}/v1/counters/{counter}", self.address.http)).call())
    }

    pub(crate) fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Reply {
        let request = self.agent.post(format!("{}/v1/{path}", self.address.http));
        let request = request.header("Content-Type", "application/json");
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        reply(request.send(body.to_string()))
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Reply {
        let request = self.agent.put(format!("{}/v1/{path}", self.address.http));
        reply(request.header("Content-Type", "application/json").send(body.to_string()))
    }

    /// Asks over the Redis protocol. Of several values in the answer the last one is told.
    pub(crate) fn redis(&mut self, pipeline: &redis::Pipeline) -> Reply {
        match self.query(pipeline) {
            Ok(values) => Reply::Done(values.last().copied().flatten().unwrap_or_default()),
            Err(error) if error.is_connection_refusal() => Reply::NotDone(error.to_string()),
            // An error of the server says whether it may be counted.
            Err(error) if error.code().is_some() && error.to_string().contains("not counted") => {
                Reply::NotDone(error.to_string())
            }
            Err(error) => {
                self.redis = None;
                Reply::Maybe(error.to_string())
            }
        }
    }

    fn query(&mut self, pipeline: &redis::Pipeline) -> redis::RedisResult<Vec<Option<i64>>> {
        let connection = match &mut self.redis {
            Some(connection) => connection,
            none => {
                let client = redis::Client::open(format!("redis://{}/", self.address.redis))?;
                let connection =
                    client.get_connection_with_timeout(PATIENCE).map_err(|error| not_connected(&error))?;
                connection.set_read_timeout(Some(PATIENCE))?;
                none.insert(connection)
            }
        };
        pipeline.query(connection)
    }
}

/// Before there is a connection nothing was asked.
fn not_connected(error: &redis::RedisError) -> redis::RedisError {
    std::io::Error::new(ErrorKind::ConnectionRefused, error.to_string()).into()
}

fn reply(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Reply {
    let mut response = match response {
        Ok(response) => response,
        Err(ureq::Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            return Reply::NotDone(error.to_string());
        }
        Err(error) => return Reply::Maybe(error.to_string()),
    };
    let text = match response.body_mut().read_to_string() {
        Ok(text) => text,
        Err(error) => return Reply::Maybe(error.to_string()),
    };
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    if response.status().is_success() {
        return Reply::Done(body["value"].as_i64().unwrap_or_default());
    }
    match body["counted"].as_str() {
        Some("no") => Reply::NotDone(text),
        _ => Reply::Maybe(text),
    }
}
