//! The document that describes the routes (`OpenAPI` 3.1).
//!
//! Each handler says what it takes and answers. What all of them share is added here: errors, headers and tokens.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::call::Call;
use super::problem::{self, Kind};

/// What the document says of the whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "counterd", description = "Counters that never lose an acknowledged add. See docs/http.md."),
    components(schemas(problem::Document)),
    tags(
        (name = "counters", description = "Count, read and watch."),
        (name = "operation", description = "Health, export and import."),
    )
)]
pub(super) struct About;

/// The document of these routes, in the form of the file `service/openapi.json`.
pub(super) fn write(routes: &Document) -> String {
    // A document of texts as keys can be written.
    let mut document = serde_json::to_value(routes).unwrap_or_default();
    if let Some(paths) = document.pointer_mut("/paths").and_then(Value::as_object_mut) {
        for (path, methods) in paths {
            for (method, operation) in methods.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
            }
        }
    }
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        components.insert(
            "securitySchemes".into(),
            json!({
                "bearer": {"type": "http", "scheme": "bearer", "description": "The secret of a token."},
                "basic": {"type": "http", "scheme": "basic", "description": "The same, as the password of any user."},
            }),
        );
    }
    format!("{document:#}\n")
}

/// Adds what all operations share.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let kinds = kinds(path, method);
    let Some(operation) = operation.as_object_mut() else { return };
    if kinds.contains(&Kind::TokenMissing) {
        operation.insert("security".into(), json!([{"bearer": []}, {"basic": []}, {}]));
    }
    let (is_keyed, is_read) = (kinds.contains(&Kind::KeyReused), is_read(path, method));
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        if is_keyed {
            parameters.extend([idempotency_key(), counter_node()]);
        }
        parameters.extend((is_keyed || is_read).then(counter_version));
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let mut problems: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for kind in kinds {
        let (_, title, status) = kind.describe();
        problems.entry(status.as_u16()).or_default().push(title);
    }
    for (status, titles) in problems {
        let content =
            json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
        let problem = json!({"description": format!("{}.", titles.join("; ")), "content": content});
        responses.insert(status.to_string(), problem);
    }
    for (status, response) in responses {
        let mut headers = Map::new();
        headers.insert(
            "Counter-Node".into(),
            text_header("The name of the node that answers, or that has made the change."),
        );
        if (is_keyed || is_read) && status == "200" {
            let version = "What the client has seen now. Send it with the next request, to any node.";
            headers.insert("Counter-Version".into(), text_header(version));
        }
        if is_read && status == "200" {
            let fresh = "How old the values may be, in milliseconds: all that any node had acknowledged so long ago is in them. Or `unknown`.";
            headers.insert("Counter-Fresh".into(), text_header(fresh));
        }
        if is_keyed && status == "200" {
            let replayed = "`true` if an earlier request with the same key did it.";
            headers.insert("Idempotency-Replayed".into(), text_header(replayed));
        }
        if let Some(response) = response.as_object_mut() {
            response.insert("headers".into(), headers.into());
        }
    }
}

fn text_header(description: &str) -> Value {
    json!({"description": description, "schema": {"type": "string"}})
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The change is done once for each key, within the window that the server is set to (24 h). \
                        Send retries to the same node, or with its name in Counter-Node.",
        "schema": {"type": "string", "minLength": 1, "maxLength": embedded::MAX_KEY},
    })
}

fn counter_node() -> Value {
    json!({
        "name": "Counter-Node",
        "in": "header",
        "description": "The node that got the Idempotency-Key first, as its answer said. Another node passes the request to it.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,32}$"},
    })
}

/// Whether an operation reads counters, at a level.
fn is_read(path: &str, method: &str) -> bool {
    method == "get" && ["/v1/counters/{name}", "/v1/counters", "/v1/sum"].contains(&path)
}

fn counter_version() -> Value {
    json!({
        "name": "Counter-Version",
        "in": "header",
        "description": "What the client has seen: the header of an earlier answer, of any node. A read waits until this node shows it.",
        "schema": {"type": "string", "maxLength": embedded::Version::MAX_TEXT},
    })
}

/// The errors that an operation may answer.
fn kinds(path: &str, method: &str) -> Vec<Kind> {
    let mut kinds = vec![Kind::UnexpectedHost, Kind::OtherOrigin, Kind::Connections];
    match path {
        "/openapi.json" => return kinds,
        "/livez" | "/readyz" => {
            kinds.push(Kind::Unavailable);
            return kinds;
        }
        "/v1/watch" => kinds.push(Kind::TooMany),
        _ if is_read(path, method) => kinds.extend([Kind::TooMany, Kind::NotReached]),
        _ => {}
    }
    kinds.extend([Kind::TokenMissing, Kind::Forbidden, Kind::Unavailable]);
    if !["/v1/export", "/v1/status", "/v1/cluster", "/metrics"].contains(&path) {
        kinds.push(Kind::Malformed);
    }
    if method != "get" {
        kinds.extend([Kind::TooSlow, Kind::Conflict, Kind::WrongType, Kind::TooMany]);
        let (is_import, is_forget) = (path == "/v1/import", path == "/v1/cluster/{node}/forget");
        if !is_import {
            kinds.push(Kind::TooLarge);
        }
        if !is_forget {
            kinds.extend([Kind::Full, Kind::Indeterminate]);
        }
        if !is_import && !is_forget {
            kinds.push(Kind::KeyReused);
        }
    }
    kinds
}

/// This document. Needs no token.
#[utoipa::path(
    get, path = "/openapi.json", tag = "operation",
    responses((status = 200, description = "This document.", content((Object = "application/json")))),
)]
pub(super) async fn openapi(call: Call) -> Response {
    let document: Bytes = call.http.document.clone();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], document).into_response()
}
