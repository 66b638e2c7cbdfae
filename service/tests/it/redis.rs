//! The Redis protocol: beside a real Redis, by its usual clients, and with hostile bytes.

mod access;
mod beside;
mod clients;
mod hostile;
mod kills;
mod tls;
pub(crate) mod wire;
