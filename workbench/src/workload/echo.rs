//! Nodes answer with the content of the request.

use rand::RngExt;

use super::{Ask, Request, Requests, Rpc, Run, Shape, Workload};
use crate::answer::Answer;
use crate::check::{Check, Violations, unanswered};
use crate::envelope::short;
use crate::history::Outcome;
use crate::json::Json;
use crate::plan::Plan;
use crate::seeds::Random;

/// Nodes answer with the content of the request.
#[derive(Clone, Copy, Debug)]
pub struct Echo;

const ECHO: Rpc = Rpc {
    name: "echo",
    about: "Answer with the same content.",
    is_read: false,
    trusts_errors: false,
    asks: &[("echo", "any value")],
    answers: Some(("echo", Shape::Any)),
};

/// "Please echo", and a number.
#[derive(Debug)]
struct Words(u32);

impl Ask for Words {
    fn rpc(&self) -> &'static Rpc {
        &ECHO
    }

    fn values(&self) -> Vec<Json> {
        vec![Json::string(&format!("Please echo {}", self.0))]
    }
}

#[derive(Debug)]
struct Mix;

impl Requests for Mix {
    fn next(&mut self, _: usize, random: &mut Random) -> Request {
        Request::new(Words(random.random_range(0..128)))
    }
}

impl Workload for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn about(&self) -> &'static str {
        "Nodes answer with the content of the request"
    }

    fn protocol(&self) -> &'static [&'static Rpc] {
        &[&ECHO]
    }

    fn requests(&self, _: &Plan) -> Box<dyn Requests> {
        Box::new(Mix)
    }

    fn checks(&self) -> &'static [Check] {
        &[Check::Answers]
    }

    /// Every echo is answered, with the same content.
    fn judge(&self, run: &Run<'_>, violations: &mut Violations) {
        for operation in run.history.operations() {
            let (node, said) = (operation.node, operation.request.argument());
            let text = match operation.outcome() {
                Some(Outcome::Ok(Answer::Json(echo))) if *echo == said => continue,
                Some(Outcome::Ok(Answer::Json(echo))) => {
                    format!("n{node} answered {said} with {}", short(echo.as_str()))
                }
                other => format!("n{node} did not echo {said}, but gave {}", unanswered(other)),
            };
            violations.record(Check::Answers, operation.ended(), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::script::{Script, json};

    #[test]
    fn echoes_that_are_wrong_or_missing_are_told_in_words() {
        let echo = |number| Request::new(Words(number));
        let mut script = Script::of(&Echo);
        let refused = Outcome::Refused { code: 13, definite: false, text: "no".into() };
        script
            .run(0, echo(1), json(r#""Please\u0020echo 1""#))
            .run(1, echo(2), json(r#""x""#))
            .run(2, echo(3), Outcome::Timeout)
            .run(0, echo(4), refused)
            .run(0, echo(5), Outcome::Malformed("echo is missing".into()));
        assert_eq!(
            script.found(),
            [
                r#"1.500 s answers: n1 answered "Please echo 2" with "x""#,
                r#"2.500 s answers: n2 did not echo "Please echo 3", but gave no answer"#,
                r#"3.500 s answers: n0 did not echo "Please echo 4", but gave error 13: no"#,
                r#"4.500 s answers: n0 did not echo "Please echo 5", but gave a wrong answer: echo is missing"#,
            ]
        );
    }
}
