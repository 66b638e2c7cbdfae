//! `counterd`: counters as a service, over HTTP and the Redis protocol.
//!
//! The program is a thin shell around [`embedded`]. [`server`] opens the counters, listens, and ends cleanly. [`http`] and
//! [`redis`] translate their protocol to [`embedded::Counters::submit`] and back; neither knows of the other. [`access`] says
//! who may do what, [`config`] what is set, [`metrics`] what is measured.

pub mod access;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod disk;
pub mod http;
pub mod log;
pub mod metrics;
pub mod peers;
pub mod redis;
pub mod server;
pub mod supervise;
pub mod tls;
