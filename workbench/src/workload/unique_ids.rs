//! Nodes give out ids, none twice.

use std::collections::BTreeMap;

use super::{Ask, Request, Requests, Rpc, Run, Shape, Workload};
use crate::answer::Answer;
use crate::check::{Check, Violations};
use crate::envelope::short;
use crate::history::Operation;
use crate::json::Json;
use crate::plan::Plan;
use crate::seeds::Random;

/// Nodes give out ids, none twice.
#[derive(Clone, Copy, Debug)]
pub struct UniqueIds;

const GENERATE: Rpc = Rpc {
    name: "generate",
    about: "Give out an id that no node has given out.",
    is_read: false,
    trusts_errors: false,
    asks: &[],
    answers: Some(("id", Shape::Any)),
};

#[derive(Debug)]
struct Generate;

impl Ask for Generate {
    fn rpc(&self) -> &'static Rpc {
        &GENERATE
    }

    fn values(&self) -> Vec<Json> {
        Vec::new()
    }
}

#[derive(Debug)]
struct Mix;

impl Requests for Mix {
    fn next(&mut self, _: usize, _: &mut Random) -> Request {
        Request::new(Generate)
    }
}

impl Workload for UniqueIds {
    fn name(&self) -> &'static str {
        "unique-ids"
    }

    fn about(&self) -> &'static str {
        "Nodes give out ids, none twice"
    }

    fn protocol(&self) -> &'static [&'static Rpc] {
        &[&GENERATE]
    }

    fn requests(&self, _: &Plan) -> Box<dyn Requests> {
        Box::new(Mix)
    }

    fn checks(&self) -> &'static [Check] {
        &[Check::Answers]
    }

    fn judge(&self, run: &Run<'_>, violations: &mut Violations) {
        let mut given: BTreeMap<&Json, &Operation> = BTreeMap::new();
        for operation in run.history.operations() {
            let Some(Answer::Json(id)) = operation.answer() else { continue };
            let Some(first) = given.insert(id, operation) else { continue };
            let (node, id) = (operation.node, short(id.as_str()));
            let text = format!("n{node} gave out the id {id}, which {} had given out before", first.place());
            violations.record(Check::Answers, operation.ended(), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::script::{Script, json};

    #[test]
    fn an_id_that_is_given_out_twice_is_told_with_both_places() {
        let big = "340282366920938463463374607431768211457";
        let generate = || Request::new(Generate);
        let mut script = Script::of(&UniqueIds);
        script
            .run(0, generate(), json(big))
            .run(1, generate(), json("340282366920938463463374607431768211456"))
            .run(2, generate(), json("1"))
            .run(2, generate(), json("1.0"));
        assert_eq!(script.found(), [""; 0]);
        script.run(2, generate(), json(big));
        let text =
            format!("4.500 s answers: n2 gave out the id {big}, which n0 at 0.500 s had given out before");
        assert_eq!(script.found(), [text]);
    }
}
