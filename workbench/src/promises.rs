//! Extra promises of nodes.

use serde::Serialize;

/// What nodes promise beyond Maelstrom's demands. The bench holds them to it. The default is what every counter must do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Promises {
    /// Which deaths an acknowledged add survives.
    pub durability: Durability,
    /// Reads on a node never go back, over its crashes too. The check is
    /// [`Check::MonotonicReadsAcrossCrashes`](crate::Check::MonotonicReadsAcrossCrashes).
    pub reads_survive_crashes: bool,
}

/// Which deaths an acknowledged add survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// Any deaths, also those of all nodes at once.
    #[default]
    AnyDeaths,
    /// Any deaths while the services are in order, and one node's death while they are not.
    ///
    /// The services are out of order from the beginning of a [store fault](crate::Fault::Store) until there has been none
    /// for 2 s. For a node that is paused meanwhile they are out of order until it has run for 2 s. With
    /// [`Plan::cut_store`](crate::Plan::cut_store) they always are.
    ///
    /// An acknowledged add is excused (it counts as indeterminate) if all of this happened in one such time: it was
    /// acknowledged, the node that acknowledged it died after that, and another node died after the request.
    OneDeathWithoutServices,
}
