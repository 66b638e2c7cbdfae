//! Endpoints: nodes, clients and services can send and receive.

use std::fmt;

use crate::service::ServiceName;

/// An address in the simulated network.
///
/// An endpoint need not exist at the moment, for clients come and go. The network knows which ones do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    /// `n0`, `n1`, …: a server under test.
    Node(usize),
    /// `c0`, `c1`, …: a client of the bench.
    Client(u64),
    /// `seq-kv` and the like.
    Service(ServiceName),
}

impl Endpoint {
    /// The endpoint of that name, or `None` if no endpoint can have it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if let Some(service) = ServiceName::parse(name) {
            return Some(Self::Service(service));
        }
        let number = name.get(1..).filter(|digits| is_canonical(digits))?;
        match name.as_bytes().first()? {
            b'n' => number.parse().ok().map(Self::Node),
            b'c' => number.parse().ok().map(Self::Client),
            _ => None,
        }
    }

    /// Whether this is a client: messages with one at either end have no delay and count apart.
    pub(crate) fn is_client(self) -> bool {
        matches!(self, Self::Client(_))
    }

    /// Whether this is a service.
    #[cfg(feature = "report")]
    pub(crate) fn is_service(self) -> bool {
        matches!(self, Self::Service(_))
    }

    /// Appends the name.
    pub(crate) fn push_to(self, text: &mut String) {
        let (letter, number) = match self {
            Self::Node(index) => ('n', index as u64),
            Self::Client(number) => ('c', number),
            Self::Service(name) => return text.push_str(name.as_str()),
        };
        text.push(letter);
        text.push_str(itoa::Buffer::new().format(number));
    }

    /// The node's index, if this is a node.
    pub(crate) fn node(self) -> Option<usize> {
        match self {
            Self::Node(index) => Some(index),
            Self::Client(_) | Self::Service(_) => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = String::new();
        self.push_to(&mut name);
        f.write_str(&name)
    }
}

/// `n01` is not `n1`: names are compared as strings.
fn is_canonical(digits: &str) -> bool {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain && !digits.is_empty() && (digits == "0" || !digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["n0", "n12", "c0", "c345", "seq-kv"] {
            assert_eq!(Endpoint::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn other_names_are_no_endpoints() {
        for name in ["", "n", "c", "n01", "n-1", "x3", "n1 ", "n99999999999999999999999", "é1", "seq-kv2"] {
            assert_eq!(Endpoint::parse(name), None, "{name}");
        }
    }
}
