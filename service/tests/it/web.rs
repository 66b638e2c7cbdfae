//! A client of HTTP that takes any status for an answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Request};

/// How long a test waits for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body, which is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?} is no JSON"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The error, which must be a problem document with this status.
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["counted"], if status == 504 { "maybe" } else { "no" });
        problem
    }
}

/// How requests are sent.
pub(crate) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(PATIENCE)).build().into()
}

/// Sends a request.
pub(crate) fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    send_by(&agent(), method, url, headers, body)
}

pub(crate) fn send_by(
    agent: &ureq::Agent,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let request =
        headers.iter().fold(Request::builder().method(method).uri(url), |request, (name, value)| {
            request.header(*name, *value)
        });
    let answer = if matches!(method, "GET" | "HEAD" | "DELETE" | "OPTIONS") {
        agent.run(request.body(()).unwrap())
    } else {
        agent.run(request.body(body).unwrap())
    };
    let mut answer = answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let text = answer.body_mut().with_config().limit(1 << 30).read_to_string().unwrap();
    Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), text }
}

pub(crate) fn get(url: &str) -> Answer {
    send("GET", url, &[], "")
}

/// Sends JSON.
pub(crate) fn post(url: &str, body: &Value) -> Answer {
    send("POST", url, &[("content-type", "application/json")], &body.to_string())
}

/// Sends bytes, whatever they are, and returns the connection.
pub(crate) fn raw(address: &str, bytes: &[u8]) -> TcpStream {
    let address = address.strip_prefix("http://").unwrap_or(address);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// Reads one answer with a length.
pub(crate) fn read_answer(stream: &TcpStream) -> Answer {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("{line:?} is no answer")).parse().unwrap();
    let mut headers = HeaderMap::new();
    loop {
        line.clear();
        lines.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        let name: ureq::http::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    let length = headers.get("content-length").map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    let mut text = vec![0; length];
    lines.read_exact(&mut text).unwrap();
    Answer { status, headers, text: String::from_utf8(text).unwrap() }
}
