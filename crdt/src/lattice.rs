//! Lattices that compose: small ones, and the standard containers of lattices.
//!
//! Two products of lattices are not offered. *Lexicographic pairs* (the larger first half brings its second half
//! along) are a lattice, but where two first halves are concurrent both second halves are dropped without a word. With a
//! first half that is totally ordered this can't happen, and that pair is [`Lww`]. *`bool`* is [`Max<bool>`] (once true,
//! always true) or [`Min<bool>`].

mod containers;
mod lww;
mod max;
mod min;
mod version_vector;

pub use lww::Lww;
pub use max::Max;
pub use min::Min;
pub use version_vector::VersionVector;
