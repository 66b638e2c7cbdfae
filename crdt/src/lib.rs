//! Counter CRDTs.
