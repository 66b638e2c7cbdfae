//! Checkers of transactions: how well were they isolated from each other?
//!
//! A history is a list of [`Transaction`]s, as clients saw them. [`check_list_append`] and [`check_rw_register`] find the
//! anomalies in it. [`Model::forbids`] says which of them a consistency model forbids.
//!
//! The checkers follow Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (VLDB 2020).
//! From the values that were read they infer which transaction depends on which. A cycle of dependencies is an anomaly, and its
//! kind tells which models it breaks. Each finding tells a shortest cycle in words, as data and as a drawing.
//!
//! A history of n operations takes O(n log n) time and O(n) memory. Only a broken history takes more, up to a bound, for the
//! search of the shortest cycles. At most eight findings of each kind are kept.

mod components;
mod cycles;
mod findings;
mod graph;
mod history;
mod links;
mod list_append;
mod models;
mod own;
mod rw_register;
mod tell;
#[cfg(test)]
mod tests;
mod walk;

pub use self::findings::{Finding, Findings, Participant, Step};
pub use self::history::{HistoryError, Op, Transaction, TransactionOutcome};
pub use self::links::Dependency;
pub use self::list_append::check_list_append;
pub use self::models::{Anomaly, Cycle, Model, Order, UnknownModel};
pub use self::rw_register::check_rw_register;
