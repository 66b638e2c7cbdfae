//! Nodes spread messages, which all nodes must know in the end.

use super::set::{self, Mix};
use super::{Ask, Request, Requests, Rpc, Run, Shape, Workload};
use crate::check::{Check, Violations, check_set, set_figures};
use crate::json::Json;
use crate::plan::Plan;
use crate::report::Figure;

/// Nodes spread messages, which all nodes must know in the end. Each node is told its neighbours: see
/// [`Plan::topology`].
#[derive(Clone, Copy, Debug)]
pub struct Broadcast;

const TOPOLOGY: Rpc = Rpc {
    name: "topology",
    about: "Know your neighbours. It comes once, before all others. A node may do without them.",
    is_read: false,
    trusts_errors: false,
    asks: &[("topology", "an object: the name of each node, with the list of its neighbours")],
    answers: None,
};

const BROADCAST: Rpc = Rpc {
    name: "broadcast",
    about: "Spread this message to all nodes.",
    is_read: false,
    trusts_errors: false,
    asks: &[("message", "any value; clients here send integers, none twice")],
    answers: None,
};

pub(crate) const READ: Rpc = Rpc {
    name: "read",
    about: "Tell all messages that the node knows.",
    is_read: true,
    trusts_errors: false,
    asks: &[],
    answers: Some(("messages", Shape::Elements)),
};

/// The neighbours of all nodes.
#[derive(Debug)]
struct Neighbours(Json);

impl Ask for Neighbours {
    fn rpc(&self) -> &'static Rpc {
        &TOPOLOGY
    }

    fn values(&self) -> Vec<Json> {
        vec![self.0.clone()]
    }
}

impl Workload for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn about(&self) -> &'static str {
        "Nodes spread messages, which all nodes must know in the end. Each node is told its neighbours"
    }

    fn protocol(&self) -> &'static [&'static Rpc] {
        &[&TOPOLOGY, &BROADCAST, &READ]
    }

    fn requests(&self, _: &Plan) -> Box<dyn Requests> {
        Box::new(Mix::new(&BROADCAST, &READ))
    }

    fn setup(&self, plan: &Plan) -> Option<Request> {
        Some(Request::new(Neighbours(plan.topology.of(&plan.nodes()))))
    }

    fn has_end(&self) -> bool {
        true
    }

    fn checks(&self) -> &'static [Check] {
        set::CHECKS
    }

    fn judge(&self, run: &Run<'_>, violations: &mut Violations) {
        if run.is_complete {
            check_set(run.history, violations);
        }
    }

    fn figures(&self, run: &Run<'_>) -> Vec<Figure> {
        set_figures(run.history)
    }
}
