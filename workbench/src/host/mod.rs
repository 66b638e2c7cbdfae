//! The two hosts. They carry out the actions that the world decides.

pub(crate) mod machine;
pub(crate) mod node;
#[cfg(feature = "processes")]
pub(crate) mod process;
pub(crate) mod simulation;
