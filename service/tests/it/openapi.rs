//! The document that describes the routes is what is served.

use std::io::{BufRead, BufReader, Write};

use counterd::access::{Scope, new_token};
use serde_json::{Value, json};

use crate::harness::{Counterd, Setup};
use crate::web::{Answer, PATIENCE, get, post, send};

const COMMITTED: &str = include_str!("../../openapi.json");

/// The errors that each operation documents and that can be caused by one request. Other tests cause 429 and 503. 408 and 504 need a
/// slow client and a slow disk.
const CAUSED: [&str; 8] = ["200", "400", "401", "403", "413", "415", "421", "422"];
/// The operations that a node alone can't do.
const FOR_CLUSTERS: [&str; 1] = ["/v1/cluster/{node}/forget"];
const CAUSED_ELSEWHERE: [&str; 5] = ["408", "409", "429", "503", "504"];

#[test]
fn the_document_is_up_to_date_and_served() {
    assert!(
        COMMITTED == counterd::http::document(),
        "run: cargo run -p counterd --example openapi > service/openapi.json"
    );
    let counterd = Setup::new().start();
    assert!(get(&format!("{}/openapi.json", counterd.http)).text == COMMITTED);
}

/// An operation of the document.
struct Operation<'a> {
    document: &'a Value,
    path: &'a str,
    method: String,
    described: &'a Value,
}

#[test]
fn each_operation_answers_as_described() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let open = Setup::new().start();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}", new_token("t", &[Scope::Read], "").unwrap().line).unwrap();
    let guarded = Setup::new().with(&["--tokens", file.path().to_str().unwrap()]).start();
    post(&format!("{}/v1/counters/views/add", open.http), &json!({"delta": 1}));
    let mut seen = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let operation = Operation { document: &document, path, method: method.to_uppercase(), described };
            for status in described["responses"].as_object().unwrap().keys() {
                let Some(answer) = operation.cause(status, &open, &guarded) else {
                    let is_caused_elsewhere = CAUSED_ELSEWHERE.contains(&&**status)
                        || FOR_CLUSTERS.contains(&path.as_str()) && status == "200";
                    assert!(is_caused_elsewhere, "nothing causes {method} {path} {status}");
                    continue;
                };
                assert_eq!(answer.status.to_string(), *status, "{method} {path}: {answer:?}");
                operation.check(status, &answer);
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

impl Operation<'_> {
    /// Sends a request that is answered with this status.
    fn cause(&self, status: &str, open: &Counterd, guarded: &Counterd) -> Option<Answer> {
        let kind = self.described["requestBody"]["content"].as_object();
        let kind = kind.map_or("", |content| content.keys().next().unwrap());
        let example = self.example(open);
        let key = format!("{} {}", self.method, self.path);
        let given = [("content-type", kind), ("idempotency-key", &*key)];
        let given = &given[..if kind.is_empty() { 0 } else { 2 }];
        let with = |header| [given, &[header]].concat();
        let query = |query: &str| format!("{}{query}", self.url(open));
        Some(match status {
            "200" if FOR_CLUSTERS.contains(&self.path) => return None,
            "200" if self.path == "/v1/watch" => first_event(&self.url(open)),
            "200" => send(&self.method, &self.url(open), given, &example),
            "400" if kind.is_empty() => send(&self.method, &query("?nonsense=1"), given, ""),
            "400" => send(&self.method, &self.url(open), given, "{\"nonsense\": 1}\n"),
            "401" => send(&self.method, &self.url(guarded), given, &example),
            "403" => send(&self.method, &self.url(open), &with(("origin", "http://evil.example")), &example),
            "413" => send(&self.method, &self.url(open), given, &" ".repeat((1 << 20) + 1)),
            "415" => send(&self.method, &self.url(open), &[("content-type", "text/plain")], &example),
            "421" => send(&self.method, &self.url(open), &with(("host", "evil.example")), &example),
            "422" => {
                let other = format!("{}/v1/counters/other/sources/other", open.http);
                send("PUT", &other, &[("content-type", kind), ("idempotency-key", "used")], "{\"total\": 1}");
                let used = [("content-type", kind), ("idempotency-key", "used")];
                send(&self.method, &self.url(open), &used, &example)
            }
            _ => {
                assert!(!CAUSED.contains(&status));
                return None;
            }
        })
    }

    fn url(&self, counterd: &Counterd) -> String {
        let path = self.path.replace("{name}", "views").replace("{source}", "web").replace("{node}", "n2");
        format!("{}{path}", counterd.http)
    }

    /// A body that is taken.
    fn example(&self, open: &Counterd) -> String {
        if self.path == "/v1/import" {
            return get(&format!("{}/v1/export", open.http)).text;
        }
        let schema = &self.described["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let schema =
            schema.as_str().map(|name| self.document.pointer(name.strip_prefix('#').unwrap()).unwrap());
        schema.map_or_else(String::new, |schema| schema["example"].to_string())
    }

    /// The answer has the headers and the body that the document says.
    fn check(&self, status: &str, answer: &Answer) {
        let described = &self.described["responses"][status];
        assert!(!answer.header("counter-node").is_empty());
        let kind = answer.header("content-type");
        let schema = &described["content"][kind]["schema"];
        assert!(schema.is_object(), "{} {} answers {status} as {kind}", self.method, self.path);
        let body = match kind {
            "application/json" | "application/problem+json" | "text/event-stream" => answer.json(),
            _ => Value::String(answer.text.clone()),
        };
        let root = json!({"allOf": [schema], "components": self.document["components"]});
        let schema = jsonschema::validator_for(&root).unwrap();
        let problems: Vec<_> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{} {} {status}: {problems:?} in {body}", self.method, self.path);
        if let (Some(members), Some(properties)) = (body.as_object(), self.properties(described, kind)) {
            for member in members.keys() {
                assert!(
                    properties.contains_key(member),
                    "{} {} does not document {member}",
                    self.method,
                    self.path
                );
            }
        }
    }

    fn properties(&self, described: &Value, kind: &str) -> Option<&serde_json::Map<String, Value>> {
        let name = described["content"][kind]["schema"]["$ref"].as_str()?.strip_prefix('#')?;
        self.document.pointer(name)?["properties"].as_object()
    }
}

/// What a watch tells first, as if it were the whole answer.
fn first_event(url: &str) -> Answer {
    let config = ureq::Agent::config_builder().timeout_connect(Some(PATIENCE)).build();
    let mut answer = ureq::Agent::from(config).get(url).call().unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let lines = BufReader::new(answer.body_mut().as_reader()).lines();
    let data = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("data: ").map(String::from));
    Answer { status, headers, text: data.unwrap() }
}
