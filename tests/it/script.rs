//! Incarnations of a node. Each runs through a script and may be killed at a crash point.

use std::time::Duration;

use maelstrom_counter::config::Config;
use serde_json::Value;

use crate::cluster::{Cluster, Incarnation, Op, Violation};
use crate::harness::Harness;
use crate::pipes::Process;

/// A step of an incarnation's script.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Asks these at once, and waits until all are answered.
    Ask(&'static [Op]),
    /// Waits until every peer knows all acknowledged adds.
    Gossip,
    StoreFallsSilent,
    StoreAnswersAgain,
    /// Asks these, sends SIGTERM right behind, and waits until the process has ended.
    Terminate(&'static [Op]),
    /// As `Terminate`, but the input ends.
    EndInput(&'static [Op]),
}

/// A crash: the process is killed at the line of that number, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    pub(crate) at_line: usize,
    pub(crate) how: How,
}

/// What happens to the line at which the process is killed, and to its answer. (Later lines of the process are lost.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The line is lost.
    Unheard,
    /// The line arrives, and the answer is lost.
    Performed,
    /// The process gets the answer, and its next lines are lost.
    Answered,
    /// A later incarnation gets the answer, once it has written so many lines.
    AnsweredLate(usize),
    /// The line arrives and is answered once a later incarnation has written so many lines.
    PerformedLate(usize),
}

/// The incarnations of one node.
pub(crate) struct Incarnations<'a> {
    pub(crate) cluster: Cluster,
    start: Box<dyn FnMut() -> Box<dyn Incarnation> + 'a>,
    started: usize,
    adrift: Vec<Stray>,
}

/// A message from or to an incarnation that is over.
struct Stray {
    arrives_at_line: usize,
    incarnation: usize,
    what: Content,
}

enum Content {
    Request(Value),
    Answers(Vec<String>),
}

impl<'a> Incarnations<'a> {
    pub(crate) fn new(nodes: usize, start: impl FnMut() -> Box<dyn Incarnation> + 'a) -> Self {
        Self { cluster: Cluster::new(nodes), start: Box::new(start), started: 0, adrift: Vec::new() }
    }

    /// Runs one incarnation. True if it was killed, false if it came to the end of the script first.
    pub(crate) fn run(&mut self, script: &[Step], crash: Option<Crash>) -> Result<bool, Violation> {
        self.started += 1;
        let process = (self.start)();
        Run { incarnations: self, process, crash, said: 0 }.follow(script)
    }
}

/// A running incarnation.
struct Run<'a, 'b> {
    incarnations: &'a mut Incarnations<'b>,
    process: Box<dyn Incarnation>,
    crash: Option<Crash>,
    /// How many lines the process has written.
    said: usize,
}

impl Run<'_, '_> {
    fn follow(mut self, script: &[Step]) -> Result<bool, Violation> {
        self.deliver_strays()?;
        if self.ask(&[Op::Init])? {
            return Ok(true);
        }
        for step in script {
            let was_killed = match step {
                Step::Ask(ops) => self.ask(ops)?,
                Step::Gossip => self.hear_until(Cluster::all_peers_know)?,
                Step::StoreFallsSilent => self.set_store_silent(true),
                Step::StoreAnswersAgain => self.set_store_silent(false),
                Step::Terminate(ops) => {
                    self.tell(ops);
                    self.process.terminate();
                    // It may end before it has read what was asked.
                    self.hear_to_the_end(&[])?
                }
                Step::EndInput(ops) => {
                    let ids = self.tell(ops);
                    self.process.close_input();
                    self.hear_to_the_end(&ids)?
                }
            };
            if was_killed {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn set_store_silent(&mut self, is_silent: bool) -> bool {
        self.incarnations.cluster.store.is_silent = is_silent;
        false
    }

    fn tell(&mut self, ops: &[Op]) -> Vec<i64> {
        let asked: Vec<_> =
            ops.iter().map(|op| self.incarnations.cluster.ask(self.incarnations.started, *op)).collect();
        let (ids, lines): (Vec<i64>, Vec<String>) = asked.into_iter().unzip();
        self.process.tell_all(&lines);
        ids
    }

    fn ask(&mut self, ops: &[Op]) -> Result<bool, Violation> {
        let ids = self.tell(ops);
        self.hear_until(|cluster| ids.iter().all(|id| cluster.is_answered(*id)))
    }

    fn hear_until(&mut self, is_over: impl Fn(&Cluster) -> bool) -> Result<bool, Violation> {
        while !is_over(&self.incarnations.cluster) {
            let Some(message) = self.process.hear() else {
                return Err("it falls silent, and somebody waits".into());
            };
            if self.act(&message)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn hear_to_the_end(&mut self, ids: &[i64]) -> Result<bool, Violation> {
        while let Some(message) = self.process.hear() {
            if self.act(&message)? {
                return Ok(true);
            }
        }
        if !self.process.has_ended_well() {
            return Err("it does not end as it should".into());
        }
        match ids.iter().find(|id| !self.incarnations.cluster.is_answered(**id)) {
            Some(id) => Err(format!("it ends, and request {id} is not answered")),
            None => Ok(false),
        }
    }

    /// Acts on one line. True if the process is killed at it.
    fn act(&mut self, message: &Value) -> Result<bool, Violation> {
        self.said += 1;
        match self.crash {
            Some(Crash { at_line, how }) if at_line == self.said => self.crash(message, how).map(|()| true),
            _ => {
                let answers = self.incarnations.cluster.act(self.incarnations.started, message)?;
                self.process.tell_all(&answers);
                self.deliver_strays().map(|()| false)
            }
        }
    }

    fn crash(&mut self, message: &Value, how: How) -> Result<(), Violation> {
        let incarnation = self.incarnations.started;
        let (arrives_at_line, what) = match how {
            How::Unheard => return Ok(()),
            How::Performed => return self.incarnations.cluster.act(incarnation, message).map(drop),
            How::Answered => {
                let answers = self.incarnations.cluster.act(incarnation, message)?;
                self.process.tell_all(&answers);
                return Ok(());
            }
            How::AnsweredLate(lines) => {
                (lines, Content::Answers(self.incarnations.cluster.act(incarnation, message)?))
            }
            How::PerformedLate(lines) => (lines, Content::Request(message.clone())),
        };
        self.incarnations.adrift.push(Stray { arrives_at_line, incarnation, what });
        Ok(())
    }

    fn deliver_strays(&mut self) -> Result<(), Violation> {
        let (due, adrift) = std::mem::take(&mut self.incarnations.adrift).into_iter().partition(|stray| {
            stray.arrives_at_line <= self.said && stray.incarnation < self.incarnations.started
        });
        self.incarnations.adrift = adrift;
        let due: Vec<Stray> = due;
        for Stray { incarnation, what, .. } in due {
            let answers = match what {
                Content::Answers(answers) => answers,
                Content::Request(message) => self.incarnations.cluster.act(incarnation, &message)?,
            };
            self.process.tell_all(&answers);
        }
        Ok(())
    }
}

/// An incarnation in virtual time.
pub(crate) struct Virtual(Harness);

impl Virtual {
    pub(crate) fn start(config: Config, seed: u64) -> Self {
        Self(Harness::new(config, seed))
    }
}

/// How long a process in virtual time may be silent.
const SILENCE: Duration = Duration::from_secs(10);

impl Incarnation for Virtual {
    fn tell(&mut self, line: &str) {
        if !self.0.endpoint.is_done() {
            self.0.line(line.as_bytes());
        }
    }

    fn hear(&mut self) -> Option<Value> {
        self.0.next_said(SILENCE)
    }

    fn terminate(&mut self) {
        self.0.terminate();
    }

    fn close_input(&mut self) {
        self.0.close_input();
    }

    fn has_ended_well(&mut self) -> bool {
        self.0.endpoint.is_done()
    }
}

impl Incarnation for Process {
    fn tell(&mut self, line: &str) {
        // It fails if the process has ended. Other checks tell whether it should have.
        let _ = self.write(line);
    }

    fn hear(&mut self) -> Option<Value> {
        self.next_line()
    }

    fn terminate(&mut self) {
        self.signal("TERM");
    }

    fn close_input(&mut self) {
        self.stdin = None;
    }

    fn has_ended_well(&mut self) -> bool {
        self.wait().success()
    }
}
