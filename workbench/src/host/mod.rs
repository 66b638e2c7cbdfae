//! The two hosts: who performs what the world decides.

pub(crate) mod machine;
pub(crate) mod process;
pub(crate) mod simulation;
