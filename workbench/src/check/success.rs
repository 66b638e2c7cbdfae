//! Checks that enough operations succeeded.

use std::collections::BTreeMap;

use super::{Check, Violations};
use crate::history::History;
use crate::plan::Plan;

/// Maelstrom's two demands: of each kind of operation at least one, and of all together the demanded fraction.
pub(crate) fn check_success(history: &History, plan: &Plan, violations: &mut Violations) {
    let mut by_kind: BTreeMap<&str, u64> = BTreeMap::new();
    for operation in history.operations() {
        *by_kind.entry(operation.request.name()).or_default() += u64::from(operation.is_ok());
    }
    for (kind, _) in by_kind.iter().filter(|(_, ok)| **ok == 0 && plan.demand_success) {
        violations.record(Check::Stats, None, format!("not one {kind} succeeded"));
    }
    let fraction = ok_fraction(by_kind.values().sum(), history.operations().len() as u64);
    if let Some(wanted) = plan.availability.filter(|wanted| fraction < *wanted) {
        violations.record(
            Check::Availability,
            None,
            format!("{fraction:.4} succeeded, {wanted} were demanded"),
        );
    }
}

/// The part of the operations that succeeded; 1 if there were none.
#[expect(clippy::cast_precision_loss, reason = "counts of operations are far below 2^52")]
pub(crate) fn ok_fraction(ok: u64, all: u64) -> f64 {
    if all == 0 { 1.0 } else { ok as f64 / all as f64 }
}
