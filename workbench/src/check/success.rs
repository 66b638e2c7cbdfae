//! Checks that enough operations succeeded.

use std::collections::BTreeMap;

use super::{Check, Violations, unanswered};
use crate::history::{History, Operation};
use crate::plan::Plan;
use crate::words::Seconds;

/// The operations of one kind.
#[derive(Default)]
struct Kind<'a> {
    count: u64,
    ok: u64,
    first_failed: Option<&'a Operation>,
}

/// Maelstrom's two demands: of each kind of operation at least one, and of all together the demanded fraction.
pub(crate) fn check_success(history: &History, plan: &Plan, violations: &mut Violations) {
    let mut by_kind: BTreeMap<&str, Kind<'_>> = BTreeMap::new();
    for operation in history.operations() {
        let kind = by_kind.entry(operation.request.name()).or_default();
        kind.count += 1;
        if operation.is_ok() {
            kind.ok += 1;
        } else {
            kind.first_failed.get_or_insert(operation);
        }
    }
    for (name, kind) in by_kind.iter().filter(|(_, kind)| kind.ok == 0 && plan.demand_success) {
        let Some(first) = kind.first_failed else { continue };
        let (count, asked, why) = (kind.count, first.asked(), unanswered(first.outcome()));
        let (node, at) = (first.node, Seconds(first.invoked));
        let text = format!(
            "not one {name} of {count} succeeded; the first one, {asked} on n{node} at {at}, got {why}"
        );
        violations.record(Check::Stats, first.ended(), text);
    }
    let ok = by_kind.values().map(|kind| kind.ok).sum();
    let fraction = ok_fraction(ok, history.operations().len() as u64);
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
