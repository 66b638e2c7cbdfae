//! What a node says of itself.

use serde::Serialize;

/// What a node claims, and the bench holds it to. By default nothing but what every counter must do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Promises {
    /// Which deaths an acknowledged add survives.
    pub durability: Durability,
    /// What a node has let read it never takes back, not in a later incarnation of its process either:
    /// [`Check::MonotonicReadsAcrossCrashes`](crate::Check::MonotonicReadsAcrossCrashes).
    pub reads_survive_crashes: bool,
}

/// Which deaths an acknowledged add survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// Any, of all nodes at once too.
    #[default]
    AnyDeaths,
    /// Any while the services are in order; one node's while they are not. They are out of order from the
    /// beginning of a [store fault](crate::Fault::Store) until there has been none for 2 s, for a node that is paused
    /// meanwhile until it has run for 2 s since, and all the time with [`Plan::cut_store`](crate::Plan::cut_store). An add
    /// that was acknowledged in such a time counts as indeterminate if in the same time the node that acknowledged it died
    /// after that, and another one after the add had been asked for.
    OneDeathWithoutServices,
}
