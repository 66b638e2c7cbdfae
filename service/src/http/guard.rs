//! Which requests are heard at all: those that no page of another site can have caused.
//!
//! A browser on this machine reaches the server too, and runs the pages of strangers. Such a page can send requests here (and is
//! not shown the answers), or make its own host name mean this machine ("DNS rebinding", then it is shown them). So each
//! request must name a host that is expected, and the origin, if the request has one, must be that host.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Request, header};

use super::problem::{Kind, Problem};
use crate::config::Config;

/// The hosts that requests may name.
#[derive(Debug)]
pub(super) struct Hosts {
    /// Host names in lower case.
    names: Vec<String>,
    is_tls: bool,
}

impl Hosts {
    pub(super) fn new(config: &Config) -> Self {
        let address = config.http.rsplit_once(':').map(|(host, _)| host);
        let names = address.into_iter().chain(config.allow_host.iter().map(String::as_str));
        Self { names: names.map(str::to_ascii_lowercase).collect(), is_tls: config.tls.is_some() }
    }

    /// Refuses a request that a page of another site may have caused.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        // HTTP/2 has the host in its URI.
        let headers = request.headers();
        let host = request.uri().authority().map(Authority::as_str);
        let host = host.or_else(|| text(headers, header::HOST)).unwrap_or_default();
        if !self.expects(host) {
            return Err(Problem::new(
                Kind::UnexpectedHost,
                "the header Host names a host that is not expected: if it is this server, start it with --allow-host",
            ));
        }
        match headers.get(header::ORIGIN).map(HeaderValue::as_bytes) {
            Some(origin) if !self.is_origin_of(origin, host) => Err(Problem::new(
                Kind::OtherOrigin,
                "the header Origin names another site: pages of other sites are not served",
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether requests may name this host.
    ///
    /// With TLS any: the browser has compared the name with the certificate. Without it: an address, for no name was looked up;
    /// this machine's own name; and the names that are set.
    fn expects(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        let is_address = || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        self.is_tls
            || is_address()
            || name.eq_ignore_ascii_case("localhost")
            || self.names.iter().any(|expected| name.eq_ignore_ascii_case(expected))
    }

    /// Whether the origin is the site with this host. Without TLS it may have either scheme: a proxy may add TLS.
    fn is_origin_of(&self, origin: &[u8], host: &str) -> bool {
        let plain = origin.strip_prefix(b"http://").filter(|_| !self.is_tls);
        let site = origin.strip_prefix(b"https://").or(plain);
        site.is_some_and(|site| site.eq_ignore_ascii_case(host.as_bytes()))
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::Hosts;
    use crate::config::Config;

    fn is_heard(config: &Config, host: &str, origin: Option<&str>) -> bool {
        let mut request = Request::builder().header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        Hosts::new(config).check(&request.body(()).unwrap()).is_ok()
    }

    #[test]
    fn addresses_and_names_that_are_set_are_expected() {
        let config = Config {
            http: "counters.lan:7170".into(),
            allow_host: vec!["Shop.example".into()],
            ..Config::default()
        };
        for host in [
            "127.0.0.1:7170",
            "127.0.0.1",
            "[::1]:7170",
            "10.1.2.3:80",
            "localhost:7170",
            "LOCALHOST",
            "counters.lan:7170",
            "counters.lan",
            "shop.EXAMPLE:8443",
        ] {
            assert!(is_heard(&config, host, None), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:7170",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "a b",
        ] {
            assert!(!is_heard(&config, host, None), "{host}");
        }
    }

    #[test]
    fn over_tls_the_certificate_is_the_check() {
        let config = Config { tls: Some(("cert".into(), "key".into())), ..Config::default() };
        assert!(is_heard(&config, "counters.example", Some("https://counters.example")));
        assert!(!is_heard(&config, "counters.example", Some("http://counters.example")));
        assert!(!is_heard(&config, "counters.example", Some("https://evil.example")));
    }

    #[test]
    fn only_the_own_origin_is_heard() {
        let config = Config::default();
        let host = "127.0.0.1:7170";
        for origin in ["http://127.0.0.1:7170", "https://127.0.0.1:7170"] {
            assert!(is_heard(&config, host, Some(origin)), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://127.0.0.1:7171",
            "http://127.0.0.1",
            "http://evil.example",
            "127.0.0.1:7170",
            "file://127.0.0.1:7170",
        ] {
            assert!(!is_heard(&config, host, Some(origin)), "{origin}");
        }
    }
}
