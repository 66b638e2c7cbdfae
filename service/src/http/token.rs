//! Who asks, and whether they may.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::problem::{Kind, Problem};
use crate::access::{Access, Client, Scope};

/// The client whose token the request presents.
pub(super) fn client<'a>(access: &'a Access, headers: &HeaderMap) -> Result<Client<'a>, Problem> {
    let secret = secret(headers);
    access.client(secret.as_deref()).ok_or_else(|| {
        let detail = match secret {
            Some(_) => "no token has this secret",
            None => "send a token: Authorization: Bearer SECRET",
        };
        Problem::new(Kind::TokenMissing, detail)
    })
}

/// Refuses a client that may not do this to this counter, or to all counters with this prefix.
pub(super) fn permit(client: Client<'_>, scope: Scope, counter: &str) -> Result<(), Problem> {
    if client.may(scope, counter) {
        return Ok(());
    }
    let (token, prefix) = (client.name().unwrap_or_default(), client.prefix());
    let detail = if counter.starts_with(prefix) {
        format!("the token {token} does not have the scope {scope}")
    } else {
        format!("the token {token} is for counters whose names begin with \"{prefix}\"")
    };
    Err(Problem::new(Kind::Forbidden, detail))
}

/// The secret of a token: as it is, or as the password that a browser asks for.
fn secret(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(credentials).ok()?).ok()?;
    pair.split_once(':').map(|(_user, password)| password.to_owned())
}
