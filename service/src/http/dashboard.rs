//! The dashboard: one page, live, without a build step.
//!
//! The page has its style and its script inside, and loads nothing from elsewhere. It is served to everybody: it holds no secret,
//! and asks for a token itself. The policy that comes with it lets it run this script, use this style and talk to this server, and
//! nothing else.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const FRAME: &str = include_str!("../../assets/dashboard.html");
const STYLE: &str = include_str!("../../assets/dashboard.css");

/// The parts of the script, each after those that it uses.
const SCRIPT: &str = concat!(
    include_str!("../../assets/words.js"),
    include_str!("../../assets/api.js"),
    include_str!("../../assets/board.js"),
    include_str!("../../assets/table.js"),
    include_str!("../../assets/status.js"),
    include_str!("../../assets/page.js"),
);

static PAGE: LazyLock<String> =
    LazyLock::new(|| FRAME.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT));

/// No markup can become script by mistake: the browser refuses that too ("trusted types").
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// A source in a policy that allows this text.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// The page.
pub(super) async fn dashboard() -> impl IntoResponse {
    // A policy of ASCII letters is a header; without one a browser loads nothing.
    let policy = HeaderValue::from_str(&POLICY).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // A server that was updated has another page.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, Html(PAGE.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{FRAME, PAGE, POLICY, SCRIPT, STYLE};

    #[test]
    fn the_page_is_whole() {
        assert!(PAGE.contains(STYLE) && PAGE.contains(SCRIPT));
        assert!(!PAGE.contains("{{"), "each place is filled");
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        for text in [FRAME, STYLE, SCRIPT] {
            let urls = ["http://", "https://", "//cdn", "url(", "@import", "import("];
            let found =
                urls.iter().find(|url| text.replace("http://www.w3.org/2000/svg", "").contains(**url));
            assert_eq!(found, None);
        }
    }

    /// What a policy can't forbid, since it is not script.
    #[test]
    fn names_of_counters_are_text() {
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "setHTML"] {
            assert!(!SCRIPT.contains(way), "{way}");
        }
    }

    #[test]
    fn the_policy_allows_only_the_script_of_the_page() {
        assert!(POLICY.starts_with("default-src 'none'; script-src 'sha256-"));
        for weak in ["unsafe", "*", "http", "nonce"] {
            assert!(!POLICY.contains(weak), "{weak}");
        }
    }
}
