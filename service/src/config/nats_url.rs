//! The address of a NATS server.

use std::fmt;

/// What stands for a password where an address is shown.
const HIDDEN: &str = "*****";

/// The address of a NATS server, such as `nats://n1:secret@10.0.0.1:4222`. The password is not shown.
///
/// ```
/// let url: counterd::config::NatsUrl = "nats://n1:secret@10.0.0.1:4222".parse()?;
/// assert_eq!(url.to_string(), "nats://n1:*****@10.0.0.1:4222");
/// assert_eq!(url.with_password(), "nats://n1:secret@10.0.0.1:4222");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NatsUrl(String);

impl NatsUrl {
    /// The address as it was given. Don't show it.
    pub fn with_password(&self) -> &str {
        &self.0
    }

    /// Addresses, with commas between them.
    pub(super) fn list(urls: &[Self]) -> String {
        urls.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

impl std::str::FromStr for NatsUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Self(text.into());
        if url.parts().2 == Some(HIDDEN) {
            return Err(format!(
                "{url} has no password, for it was left out where this was printed: put it in"
            ));
        }
        match text.split_once("://") {
            Some(("nats" | "tls", rest)) if !rest.is_empty() && !rest.ends_with('@') => Ok(url),
            Some(_) | None => {
                let shown = url.to_string();
                Err(format!(
                    "\"{}\" is no address of a NATS server, such as nats://10.0.0.1:4222",
                    shown.escape_debug()
                ))
            }
        }
    }
}

impl NatsUrl {
    /// All before the user, the user, the password or token, and the rest.
    fn parts(&self) -> (&str, &str, Option<&str>, &str) {
        let (scheme, rest) = match self.0.find("://") {
            Some(at) => self.0.split_at(at + 3),
            None => ("", self.0.as_str()),
        };
        match rest.rsplit_once('@') {
            None => (scheme, "", None, rest),
            Some((login, host)) => match login.split_once(':') {
                Some((user, password)) => (scheme, user, Some(password), host),
                None => (scheme, "", Some(login), host),
            },
        }
    }
}

impl fmt::Display for NatsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (scheme, _, None, host) => write!(f, "{scheme}{host}"),
            (scheme, "", Some(_), host) => write!(f, "{scheme}{HIDDEN}@{host}"),
            (scheme, user, Some(_), host) => write!(f, "{scheme}{user}:{HIDDEN}@{host}"),
        }
    }
}

impl fmt::Debug for NatsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for text in
            ["nats://n1:secret@a:1", "tls://secret@a:1", "nats://n1:x:secret@a", "nats://n1:x@secret@a"]
        {
            let url: NatsUrl = text.parse().unwrap();
            assert!(!format!("{url} {url:?}").contains("secret"), "{url}");
            let refused = url.to_string().parse::<NatsUrl>().unwrap_err();
            assert!(refused.contains("put it in"), "{refused}");
        }
        for text in ["n1:secret@a:1", "nats:/n1:secret@a", "ftp://n1:secret@a:1", "nats://secret@"] {
            let refused = text.parse::<NatsUrl>().unwrap_err();
            assert!(!refused.contains("secret") && refused.contains("no address"), "{refused}");
        }
    }
}
