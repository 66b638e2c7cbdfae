//! The counter node.
