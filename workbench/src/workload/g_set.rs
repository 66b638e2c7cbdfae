//! A set that only grows.

use super::set::{self, Mix};
use super::{Requests, Rpc, Run, Shape, Workload};
use crate::check::{Check, Violations, check_set, set_figures};
use crate::plan::Plan;
use crate::report::Figure;

/// A set that only grows.
#[derive(Clone, Copy, Debug)]
pub struct GSet;

pub(crate) const ADD: Rpc = Rpc {
    name: "add",
    about: "Add an element to the set.",
    is_read: false,
    trusts_errors: false,
    asks: &[("element", "any value; clients here add integers, none twice")],
    answers: None,
};

pub(crate) const READ: Rpc = Rpc {
    name: "read",
    about: "Tell all elements of the set.",
    is_read: true,
    trusts_errors: false,
    asks: &[],
    answers: Some(("value", Shape::Elements)),
};

impl Workload for GSet {
    fn name(&self) -> &'static str {
        "g-set"
    }

    fn about(&self) -> &'static str {
        "A set that only grows"
    }

    fn protocol(&self) -> &'static [&'static Rpc] {
        &[&ADD, &READ]
    }

    fn requests(&self, _: &Plan) -> Box<dyn Requests> {
        Box::new(Mix::new(&ADD, &READ))
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
