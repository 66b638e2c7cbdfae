//! Lattices that compose: small ones, and the standard containers of lattices.

mod containers;
mod lww;
mod max;
mod min;
mod version_vector;

pub use lww::Lww;
pub use max::Max;
pub use min::Min;
pub use version_vector::VersionVector;
