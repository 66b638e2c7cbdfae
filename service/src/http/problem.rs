//! Errors, as problem documents (RFC 9457).

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use embedded::{Counted, Refusal, Refused};
use serde::Serialize;
use utoipa::ToSchema;

/// An error of a request. It knows whether the change that was asked for counts.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    counted: Counted,
}

/// What kind of error: each has a page in `docs/http.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Malformed,
    TokenMissing,
    Forbidden,
    OtherOrigin,
    NoRoute,
    WrongMethod,
    TooSlow,
    Conflict,
    TooLarge,
    HeadTooLarge,
    WrongType,
    UnexpectedHost,
    KeyReused,
    TooMany,
    Full,
    Connections,
    Unavailable,
    NotReached,
    Indeterminate,
}

impl Kind {
    /// The last part of its type, its title, and its status.
    pub(super) const fn describe(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Malformed => ("malformed", "The request can't be understood", StatusCode::BAD_REQUEST),
            Self::TokenMissing => ("token-missing", "A token is needed", StatusCode::UNAUTHORIZED),
            Self::Forbidden => ("forbidden", "The token does not allow this", StatusCode::FORBIDDEN),
            Self::OtherOrigin => ("other-origin", "The page is of another site", StatusCode::FORBIDDEN),
            Self::NoRoute => ("no-route", "There is no such route", StatusCode::NOT_FOUND),
            Self::WrongMethod => {
                ("wrong-method", "The route has no such method", StatusCode::METHOD_NOT_ALLOWED)
            }
            Self::TooSlow => ("too-slow", "The body came too slowly", StatusCode::REQUEST_TIMEOUT),
            Self::Conflict => ("conflict", "The state does not allow this", StatusCode::CONFLICT),
            Self::TooLarge => ("too-large", "The request is too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::HeadTooLarge => (
                "head-too-large",
                "The head of the request is too large",
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ),
            Self::WrongType => {
                ("wrong-type", "The body is of another type", StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::UnexpectedHost => {
                ("unexpected-host", "The host is not expected", StatusCode::MISDIRECTED_REQUEST)
            }
            Self::KeyReused => {
                ("key-reused", "The key was used with another request", StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::TooMany => ("too-many", "Too many at once", StatusCode::TOO_MANY_REQUESTS),
            Self::Full => ("full", "There is no room", StatusCode::SERVICE_UNAVAILABLE),
            Self::Connections => {
                ("too-many-connections", "Too many connections", StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Unavailable => ("unavailable", "Not now", StatusCode::SERVICE_UNAVAILABLE),
            Self::NotReached => ("not-reached", "Not known here yet", StatusCode::SERVICE_UNAVAILABLE),
            Self::Indeterminate => ("indeterminate", "It may count", StatusCode::GATEWAY_TIMEOUT),
        }
    }

    /// Whether the same request may succeed in a moment.
    const fn is_passing(self) -> bool {
        match self {
            Self::TooMany | Self::Connections | Self::Unavailable | Self::NotReached => true,
            Self::Malformed
            | Self::TokenMissing
            | Self::Forbidden
            | Self::OtherOrigin
            | Self::NoRoute
            | Self::WrongMethod
            | Self::TooSlow
            | Self::Conflict
            | Self::TooLarge
            | Self::HeadTooLarge
            | Self::WrongType
            | Self::UnexpectedHost
            | Self::KeyReused
            | Self::Full
            // Whoever sends it again without an idempotency key may count twice.
            | Self::Indeterminate => false,
        }
    }
}

impl Problem {
    /// An error that occurs before anything is counted.
    pub(super) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), counted: Counted::No }
    }

    pub(super) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    /// It is not known whether the change counts.
    #[cfg(feature = "nats")]
    pub(super) fn indeterminate(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { counted: Counted::Maybe, ..Self::new(Kind::Indeterminate, detail) }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// The status, and the document.
    pub(super) fn document(self) -> (StatusCode, Vec<u8>) {
        let (name, title, status) = self.kind.describe();
        let counted = match self.counted {
            Counted::No => CountedAnyway::No,
            Counted::Maybe => CountedAnyway::Maybe,
        };
        let r#type = format!("/problems/{name}");
        let document = Document { r#type, title, status: status.as_u16(), detail: self.detail, counted };
        // A document of texts and a number can be written.
        (status, serde_json::to_vec(&document).unwrap_or_default())
    }
}

/// An error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document {
    /// What kind of error. `docs/http.md` has them all.
    #[schema(example = "/problems/too-many")]
    r#type: String,
    /// The kind in words.
    #[schema(value_type = String)]
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is wrong, and what to do.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    counted: CountedAnyway,
}

/// Whether the change that the request asked for counts all the same. Only an answer 504 says `maybe`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Counts)]
enum CountedAnyway {
    /// It does not count.
    No,
    /// It may count.
    Maybe,
    /// It counts.
    #[expect(dead_code, reason = "clients must know it before there are clusters")]
    Yes,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.kind;
        let (status, text) = self.document();
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        // The connection counts it.
        response.extensions_mut().insert(kind);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if kind.is_passing() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if kind == Kind::TokenMissing {
            // A browser asks for a password, and shows the dashboard to whoever gives the secret of a token.
            for scheme in ["Bearer realm=\"counterd\"", "Basic realm=\"counterd\", charset=\"UTF-8\""] {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
            }
        }
        response
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::Refusal(refusal) => kind_of(refusal),
            Refused::KeyReused => Kind::KeyReused,
            Refused::KeyTooLong => Kind::Malformed,
            Refused::KeyBusy => Kind::Conflict,
            Refused::TooManyKeys => Kind::TooMany,
            Refused::GroupTooLong => Kind::TooLarge,
            Refused::KeysUnread | Refused::NameShared | Refused::Failed => Kind::Unavailable,
            Refused::FailedMeanwhile => Kind::Indeterminate,
        };
        let mut detail = refused.to_string();
        if kind == Kind::Indeterminate {
            detail.push_str(": read the counter, or send the request again with the same Idempotency-Key");
        }
        Self { kind, detail: detail.into(), counted: refused.counted() }
    }
}

fn kind_of(refusal: Refusal) -> Kind {
    match refusal {
        Refusal::TooManyAdds | Refusal::TooManyReads | Refusal::TooManyForgets => Kind::TooMany,
        Refusal::Overflow | Refusal::TooManySources | Refusal::Copied | Refusal::ForgetsItself => {
            Kind::Conflict
        }
        Refusal::NameTooLong | Refusal::BatchTooLong => Kind::TooLarge,
        Refusal::TooManyCounters | Refusal::TooManyReplicas => Kind::Full,
        Refusal::OneCounterOnly | Refusal::Incomplete | Refusal::NoSuchNode => Kind::Malformed,
        Refusal::ShuttingDown
        | Refusal::StoreSilent
        | Refusal::NotRecovered
        | Refusal::EndedBeforeRecovered
        | Refusal::EndedBeforeReached
        | Refusal::Forgotten
        | Refusal::NotForgotten => Kind::Unavailable,
        Refusal::NotKnownDurable | Refusal::EndedBeforeDurable => Kind::Indeterminate,
    }
}
