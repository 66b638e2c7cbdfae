//! The history of a run: every operation of every client, and every act of the nemesis, in order.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::answer::Answer;
use crate::envelope::short;
use crate::json::Json;
use crate::words::Seconds;
use crate::workload::Request;

/// Everything that happened in a run, in order. Times are since the start of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    operations: Vec<Operation>,
    acts: Vec<NemesisAct>,
    deaths: Vec<Death>,
    /// Operations whose request was lost because the process was down.
    never_heard: BTreeSet<usize>,
    order: Vec<Moment>,
}

/// One request and its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Jepsen's process: the worker's number. Each time its operation crashes it grows by the largest number of workers.
    pub process: u64,
    /// The worker, counted from 0.
    pub worker: usize,
    /// The node asked.
    pub node: usize,
    /// The incarnation of the node that was asked, counted from 1.
    pub incarnation: u32,
    /// What was asked.
    pub request: Request,
    /// Whether this is one of the reads that end the run.
    pub is_final: bool,
    /// When it was asked.
    pub invoked: Duration,
    /// Its end, if it ended before the run did.
    pub completion: Option<Completion>,
}

/// The end of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// When it ended.
    pub at: Duration,
    /// The incarnation of the node at that time.
    pub incarnation: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// As asked.
    Ok(Answer),
    /// No answer in time. The operation may have happened, or may happen later.
    Timeout,
    /// An error reply. To Maelstrom's counter clients every error means "may have happened".
    Refused {
        /// The error code.
        code: i64,
        /// Whether that code says that it did not happen and never will.
        definite: bool,
        /// The error's text.
        text: String,
    },
    /// An answer that breaks the workload's schema.
    Malformed(String),
}

/// Something the nemesis did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NemesisAct {
    /// When.
    pub at: Duration,
    /// The act, in Jepsen's words: `start-partition`, `kill`, and so on.
    pub f: &'static str,
    /// The nodes or links that it hits.
    pub detail: String,
}

/// One entry in the order of things that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The operation of that number was invoked.
    Invoked(usize),
    /// The operation of that number ended.
    Completed(usize),
    /// The nemesis acted.
    Nemesis(usize),
}

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    pub(crate) at: Duration,
    pub(crate) node: usize,
    /// The last pause of the process: from when until when.
    pub(crate) last_pause: Option<(Duration, Duration)>,
}

impl Operation {
    /// Whether it succeeded.
    pub fn is_ok(&self) -> bool {
        matches!(self.outcome(), Some(Outcome::Ok(_)))
    }

    /// How it ended, if it did.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.completion.as_ref().map(|completion| &completion.outcome)
    }

    /// Its answer, if it ended well.
    pub fn answer(&self) -> Option<&Answer> {
        match self.outcome()? {
            Outcome::Ok(answer) => Some(answer),
            Outcome::Timeout | Outcome::Refused { .. } | Outcome::Malformed(_) => None,
        }
    }

    /// When it ended, if it did.
    pub fn ended(&self) -> Option<Duration> {
        self.completion.as_ref().map(|completion| completion.at)
    }

    /// The node that was asked, and the time of its answer: `n0 at 1.234 s`.
    pub(crate) fn place(&self) -> String {
        let at = self.ended().map_or_else(String::new, |at| format!(" at {}", Seconds(at)));
        format!("n{}{at}", self.node)
    }

    /// The request for people, cut short: `add 3`, `read`.
    pub(crate) fn asked(&self) -> String {
        let (name, argument) = (self.request.name(), self.request.argument());
        match argument.as_str() {
            "null" => name.to_owned(),
            argument => format!("{name} {}", short(argument)),
        }
    }

    /// The request, and the time of its answer: `add 3 at 1.234 s`.
    pub(crate) fn answered(&self) -> String {
        let at = self.ended().map_or_else(String::new, |at| format!(" at {}", Seconds(at)));
        format!("{}{at}", self.asked())
    }

    /// The value it read, if it is a read of a counter that ended well.
    pub fn value(&self) -> Option<i64> {
        match self.answer()? {
            Answer::Integer(value) => Some(*value),
            Answer::Done | Answer::Huge(_) | Answer::Json(_) | Answer::Elements(_) => None,
        }
    }
}

impl History {
    /// Every operation, in the order of invocation.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// All moments, in order.
    pub fn moments(&self) -> &[Moment] {
        &self.order
    }

    /// Every act of the nemesis.
    pub fn acts(&self) -> &[NemesisAct] {
        &self.acts
    }

    /// The ends of processes, killed or not, in order.
    pub(crate) fn deaths(&self) -> &[Death] {
        &self.deaths
    }

    /// Notes that the request of that operation was lost before any process received it.
    pub(crate) fn never_heard(&mut self, number: usize) {
        self.never_heard.insert(number);
    }

    /// Whether a process may have received the request of that operation.
    pub(crate) fn may_have_been_heard(&self, number: usize) -> bool {
        !self.never_heard.contains(&number)
    }

    /// Records an invocation and returns the operation's number. Whoever asks the nodes calls this before it sends the request.
    pub fn invoke(&mut self, operation: Operation) -> usize {
        let number = self.operations.len();
        self.operations.push(operation);
        self.order.push(Moment::Invoked(number));
        number
    }

    /// Records the end of the operation of that number. Whoever asks the nodes calls this after it has received the answer. A number
    /// that no invocation has is ignored.
    pub fn complete(&mut self, number: usize, completion: Completion) {
        if let Some(operation) = self.operations.get_mut(number) {
            operation.completion = Some(completion);
            self.order.push(Moment::Completed(number));
        }
    }

    pub(crate) fn death(&mut self, death: Death) {
        self.deaths.push(death);
    }

    /// Records an act of the nemesis.
    pub fn nemesis(&mut self, act: NemesisAct) {
        self.order.push(Moment::Nemesis(self.acts.len()));
        self.acts.push(act);
    }

    /// The partition of that time, if there was one.
    pub(crate) fn partition_at(&self, at: Duration) -> Option<&str> {
        let is_about_links = |act: &&NemesisAct| act.f.ends_with("-partition") && act.at <= at;
        let last = self.acts.iter().rev().find(is_about_links)?;
        (last.f == "start-partition").then_some(&last.detail)
    }

    /// When the last final read of a counter ended, if all were answered and showed the same value.
    pub(crate) fn agreement(&self) -> Option<Duration> {
        let finals = || self.operations.iter().filter(|operation| operation.is_final);
        let value = finals().next()?.value()?;
        let ends = finals()
            .map(|read| read.completion.as_ref().filter(|_| read.value() == Some(value)).map(|end| end.at));
        ends.collect::<Option<Vec<Duration>>>()?.into_iter().max()
    }

    /// Writes one JSON object a line and event: `index`, `time` in nanoseconds, `process`, `type` (`invoke`, `ok`,
    /// `fail`, `info`), `f`, `value`, and further fields.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_jsonl(&self, out: &mut impl Write) -> io::Result<()> {
        for (index, moment) in self.order.iter().enumerate() {
            if let Some(event) = self.event(*moment) {
                serde_json::to_writer(&mut *out, &Line { index, event })?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn event(&self, moment: Moment) -> Option<Event> {
        match moment {
            Moment::Invoked(number) => self.operations.get(number).map(invocation),
            Moment::Completed(number) => self.operations.get(number).and_then(completion),
            Moment::Nemesis(number) => self.acts.get(number).map(act),
        }
    }
}

#[derive(Serialize)]
struct Line {
    index: usize,
    #[serde(flatten)]
    event: Event,
}

/// A line of the history, but for its number.
#[derive(Serialize)]
struct Event {
    /// In nanoseconds.
    time: u64,
    process: Json,
    r#type: &'static str,
    f: &'static str,
    value: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#final: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Json>,
}

fn invocation(operation: &Operation) -> Event {
    event(operation, operation.invoked, "invoke", operation.request.argument())
}

fn completion(operation: &Operation) -> Option<Event> {
    let Completion { at, outcome, .. } = operation.completion.as_ref()?;
    let request = &operation.request;
    let error = |code: &str, text: &str| Some(Json::canonical(format!("[{code},{}]", Json::string(text))));
    let failed = if request.rpc().trusts_errors { "fail" } else { "info" };
    let (kind, value, error) = match outcome {
        Outcome::Ok(answer) => ("ok", request.completed(answer), None),
        Outcome::Timeout => ("info", request.argument(), Some(Json::string("timeout"))),
        Outcome::Refused { code, text, definite } => {
            let kind = if *definite { failed } else { "info" };
            (kind, request.argument(), error(&code.to_string(), text))
        }
        Outcome::Malformed(why) => ("info", request.argument(), error("\"malformed\"", why)),
    };
    Some(Event { error, ..event(operation, *at, kind, value) })
}

fn event(operation: &Operation, at: Duration, kind: &'static str, value: Json) -> Event {
    Event {
        time: nanos(at),
        process: Json::canonical(operation.process.to_string()),
        r#type: kind,
        f: operation.request.name(),
        value,
        node: Some(format!("n{}", operation.node)),
        r#final: operation.is_final.then_some(true),
        error: None,
    }
}

fn act(act: &NemesisAct) -> Event {
    Event {
        time: nanos(act.at),
        process: Json::string("nemesis"),
        r#type: "info",
        f: act.f,
        value: Json::string(&act.detail),
        node: None,
        r#final: None,
        error: None,
    }
}

fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_exactly() {
        let id = "340282366920938463463374607431768211457";
        let mut history = History::default();
        let number = history.invoke(Operation {
            process: 3,
            worker: 0,
            node: 0,
            incarnation: 1,
            request: Request::read(),
            is_final: false,
            invoked: Duration::ZERO,
            completion: None,
        });
        let outcome = Outcome::Ok(Answer::Huge(Json::parse(id).unwrap()));
        history.complete(number, Completion { at: Duration::from_nanos(5), incarnation: 1, outcome });
        let mut lines = Vec::new();
        history.write_jsonl(&mut lines).unwrap();
        let expected =
            format!(r#"{{"index":1,"time":5,"process":3,"type":"ok","f":"read","value":{id},"node":"n0"}}"#);
        assert_eq!(String::from_utf8(lines).unwrap().lines().nth(1), Some(expected.as_str()));
    }
}
