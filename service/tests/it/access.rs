//! Tokens: who may do what.

use std::io::Write;

use counterd::access::{Scope, new_token};
use serde_json::json;

use crate::harness::{Counterd, Setup};
use crate::web::{Answer, get, send};

/// A server with tokens, and their secrets.
struct Guarded {
    counterd: Counterd,
    _file: tempfile::NamedTempFile,
    adder: String,
    reader: String,
    shop: String,
    admin: String,
}

fn guarded() -> Guarded {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "# who may do what\n").unwrap();
    let mut make = |name: &str, scopes: &[Scope], prefix: &str| {
        let token = new_token(name, scopes, prefix).unwrap();
        writeln!(file, "{}", token.line).unwrap();
        token.secret
    };
    let adder = make("adder", &[Scope::Add], "");
    let reader = make("reader", &[Scope::Read], "");
    let shop = make("shop", &[Scope::Add, Scope::Read], "shop:");
    let admin = make("admin", &[Scope::Admin], "");
    let counterd = Setup::new().with(&["--tokens", file.path().to_str().unwrap()]).start();
    Guarded { counterd, _file: file, adder, reader, shop, admin }
}

impl Guarded {
    fn send(&self, secret: &str, method: &str, path: &str, body: &str) -> Answer {
        let kind = if path == "/v1/import" { "application/x-ndjson" } else { "application/json" };
        let bearer = format!("Bearer {secret}");
        let headers = [("content-type", kind), ("authorization", &*bearer)];
        send(method, &format!("{}{path}", self.counterd.http), &headers, body)
    }
}

#[test]
fn without_a_token_only_health_is_told() {
    let guarded = guarded();
    let http = &guarded.counterd.http;
    for path in ["/v1/counters/a", "/v1/counters", "/v1/sum", "/v1/watch", "/v1/export"] {
        let refused = get(&format!("{http}{path}"));
        refused.problem(401, "token-missing");
        let ways: Vec<_> = refused.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(ways.len(), 2, "{ways:?}");
        guarded.send("a-guess", "GET", path, "").problem(401, "token-missing");
    }
    let json = [("content-type", "application/json")];
    // The body is not even read.
    for (method, path) in [
        ("POST", "/v1/counters/a/add"),
        ("POST", "/v1/counters/a/reset"),
        ("PUT", "/v1/counters/a/sources/s"),
        ("POST", "/v1/batch"),
        ("POST", "/v1/import"),
    ] {
        send(method, &format!("{http}{path}"), &json, "no JSON").problem(401, "token-missing");
    }
    for path in ["/livez", "/readyz", "/openapi.json"] {
        assert_eq!(get(&format!("{http}{path}")).status, 200, "{path}");
    }
}

#[test]
fn a_token_allows_its_scopes_alone() {
    let guarded = guarded();
    let Guarded { adder, reader, admin, .. } = &guarded;
    let changes = [
        ("POST", "/v1/counters/a/add", "{\"delta\": 1}"),
        ("PUT", "/v1/counters/a/sources/s", "{\"total\": 1}"),
        ("POST", "/v1/batch", "{\"adds\": [{\"name\": \"a\", \"delta\": 1}]}"),
        ("POST", "/v1/counters/a/reset", "{}"),
    ];
    for (method, path, body) in changes {
        assert_eq!(guarded.send(adder, method, path, body).status, 200, "{path}");
        assert_eq!(guarded.send(admin, method, path, body).status, 200, "{path}");
        guarded.send(reader, method, path, body).problem(403, "forbidden");
    }
    for path in ["/v1/counters/a", "/v1/counters", "/v1/sum"] {
        assert_eq!(guarded.send(reader, "GET", path, "").status, 200, "{path}");
        assert_eq!(guarded.send(admin, "GET", path, "").status, 200, "{path}");
        guarded.send(adder, "GET", path, "").problem(403, "forbidden");
    }
    for (method, path) in [("GET", "/v1/export"), ("POST", "/v1/import")] {
        for secret in [adder, reader] {
            guarded.send(secret, method, path, "").problem(403, "forbidden");
        }
    }
    let export = guarded.send(admin, "GET", "/v1/export", "");
    assert_eq!(guarded.send(admin, "POST", "/v1/import", &export.text).status, 200);
}

#[test]
fn a_token_with_a_prefix_touches_its_counters_alone() {
    let guarded = guarded();
    let shop = &guarded.shop;
    let add = |name: &str| guarded.send(shop, "POST", &format!("/v1/counters/{name}/add"), "{\"delta\": 1}");
    assert_eq!(add("shop:views").status, 200);
    for name in ["views", "shop", "Shop:views", "xshop:views"] {
        add(name).problem(403, "forbidden");
    }
    let batch = json!({"adds": [{"name": "shop:views", "delta": 1}, {"name": "views", "delta": 1}]});
    guarded.send(shop, "POST", "/v1/batch", &batch.to_string()).problem(403, "forbidden");
    let read = |path: &str| guarded.send(shop, "GET", path, "");
    assert_eq!(read("/v1/counters/shop:views").json()["value"], 1);
    assert_eq!(read("/v1/counters?prefix=shop:").status, 200);
    assert_eq!(read("/v1/sum?prefix=shop:v").status, 200);
    for path in
        ["/v1/counters/views", "/v1/counters", "/v1/counters?prefix=sho", "/v1/sum", "/v1/watch?prefix=x"]
    {
        let problem = read(path).problem(403, "forbidden");
        assert!(problem["detail"].as_str().unwrap().contains("\"shop:\""), "{problem}");
    }
}

#[test]
fn a_browser_gives_the_secret_as_a_password() {
    let guarded = guarded();
    let url = guarded.counterd.http.replace("http://", &format!("http://anybody:{}@", guarded.reader));
    let answer = ureq::get(format!("{url}/v1/counters/a")).call();
    // A client that does not turn this into a header is told so by the server.
    match answer {
        Ok(answer) => assert_eq!(answer.status(), 200),
        Err(error) => assert!(matches!(error, ureq::Error::StatusCode(401)), "{error}"),
    }
    // "anybody:wrong", and what is no pair.
    for credentials in
        ["Basic YW55Ym9keTp3cm9uZw==", "Basic YW55Ym9keQ==", "Basic %%%", "Digest x", "Bearer", ""]
    {
        let headers = [("authorization", credentials)];
        let refused = send("GET", &format!("{}/v1/counters/a", guarded.counterd.http), &headers, "");
        refused.problem(401, "token-missing");
    }
}

#[test]
fn a_file_of_tokens_that_is_wrong_is_refused_with_its_line() {
    let good = new_token("good", &[Scope::Add], "").unwrap().line;
    for (text, problem) in [
        ("", "it has no token"),
        ("# nothing\n", "it has no token"),
        ("name", "line 1: it is not of the form"),
        (&*format!("{good}\nname abc add"), "line 2: the second word is no SHA-256"),
        (&good.replace(" add", " write"), "line 1: \"write\" is no scope"),
        (&format!("{good}\n\n{good}"), "line 3: there are two tokens named good"),
        (&good.replace("good", "a/b"), "line 1: a token's name has"),
    ] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let setup = Setup::new().with(&["--tokens", file.path().to_str().unwrap()]);
        let Err(ended) = setup.try_start() else { panic!("it starts with: {text}") };
        let said = ended.log;
        assert!(!ended.status.success() && said.contains(problem), "{text}: {said}");
        assert!(said.contains(file.path().to_str().unwrap()), "{said}");
    }
}

#[test]
fn no_secret_is_logged() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let token = new_token("t", &[Scope::Read], "").unwrap();
    writeln!(file, "{}", token.line).unwrap();
    let setup = Setup::new().with(&["--tokens", file.path().to_str().unwrap(), "--log", "trace"]);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = setup.command();
    command.stderr(log.reopen().unwrap());
    let counterd = Counterd::of(command).unwrap();
    let bearer = format!("Bearer {}", token.secret);
    for secret in [&*bearer, "Bearer a-wrong-secret-of-somebody"] {
        send("GET", &format!("{}/v1/counters/a", counterd.http), &[("authorization", secret)], "");
    }
    counterd.kill();
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(!log.is_empty());
    let digest = token.line.split(' ').nth(1).unwrap();
    for secret in [&*token.secret, "a-wrong-secret-of-somebody", digest] {
        assert!(!log.contains(secret), "{log}");
    }
}
