//! Lives of a node's process, each run through a script and, if wanted, killed at the nth line that it says.

use std::time::Duration;

use maelstrom_counter::config::Config;
use serde_json::Value;

use crate::cluster::{Cluster, Life, Op, Violation};
use crate::harness::Harness;
use crate::pipes::Process;

/// What a life is taken through.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// These are asked at once; all of them are answered.
    Ask(&'static [Op]),
    /// Until every peer knows what has been acknowledged.
    Gossip,
    StoreFallsSilent,
    StoreAnswersAgain,
    /// These are asked, and SIGTERM comes right behind; it goes on until the process has ended.
    Terminate(&'static [Op]),
    /// As above, but the input ends.
    EndInput(&'static [Op]),
}

/// When a process is killed: at so many lines that it has said, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    pub(crate) at_line: usize,
    pub(crate) how: How,
}

/// What becomes of the line at which the process is killed, and of what answers it. (What the process has said after
/// that is lost.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The line is lost.
    Unheard,
    /// It is acted upon; the answer is lost.
    Performed,
    /// The process gets the answer, and has its last word lost.
    Answered,
    /// The answer comes to a later life, once that has said so many lines.
    AnsweredLate(usize),
    /// The line arrives, is acted upon and answered once a later life has said so many lines.
    PerformedLate(usize),
}

/// The lives of one node.
pub(crate) struct Lives<'a> {
    pub(crate) cluster: Cluster,
    start: Box<dyn FnMut() -> Box<dyn Life> + 'a>,
    started: usize,
    adrift: Vec<Stray>,
}

/// On its way from or to a life that is over.
struct Stray {
    arrives_at_line: usize,
    life: usize,
    what: Content,
}

enum Content {
    Request(Value),
    Answers(Vec<String>),
}

impl<'a> Lives<'a> {
    pub(crate) fn new(nodes: usize, start: impl FnMut() -> Box<dyn Life> + 'a) -> Self {
        Self { cluster: Cluster::new(nodes), start: Box::new(start), started: 0, adrift: Vec::new() }
    }

    /// One life. True: it was killed; false: it came to the end of the script first.
    pub(crate) fn live(&mut self, script: &[Step], crash: Option<Crash>) -> Result<bool, Violation> {
        self.started += 1;
        let process = (self.start)();
        Run { lives: self, process, crash, said: 0 }.follow(script)
    }
}

/// A life as it goes on.
struct Run<'a, 'b> {
    lives: &'a mut Lives<'b>,
    process: Box<dyn Life>,
    crash: Option<Crash>,
    /// How many lines the process has said.
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
        self.lives.cluster.store.is_silent = is_silent;
        false
    }

    fn tell(&mut self, ops: &[Op]) -> Vec<i64> {
        let asked: Vec<_> = ops.iter().map(|op| self.lives.cluster.ask(self.lives.started, *op)).collect();
        let (ids, lines): (Vec<i64>, Vec<String>) = asked.into_iter().unzip();
        self.process.tell_all(&lines);
        ids
    }

    fn ask(&mut self, ops: &[Op]) -> Result<bool, Violation> {
        let ids = self.tell(ops);
        self.hear_until(|cluster| ids.iter().all(|id| cluster.is_answered(*id)))
    }

    fn hear_until(&mut self, is_over: impl Fn(&Cluster) -> bool) -> Result<bool, Violation> {
        while !is_over(&self.lives.cluster) {
            let Some(message) = self.process.hear() else {
                return Err("it falls silent, and somebody waits".into());
            };
            if self.take(&message)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn hear_to_the_end(&mut self, ids: &[i64]) -> Result<bool, Violation> {
        while let Some(message) = self.process.hear() {
            if self.take(&message)? {
                return Ok(true);
            }
        }
        if !self.process.has_ended_well() {
            return Err("it does not end as it should".into());
        }
        match ids.iter().find(|id| !self.lives.cluster.is_answered(**id)) {
            Some(id) => Err(format!("it ends, and request {id} is not answered")),
            None => Ok(false),
        }
    }

    /// Takes one line. True: that was the last, the process is killed.
    fn take(&mut self, message: &Value) -> Result<bool, Violation> {
        self.said += 1;
        match self.crash {
            Some(Crash { at_line, how }) if at_line == self.said => self.crash(message, how).map(|()| true),
            _ => {
                let answers = self.lives.cluster.act(self.lives.started, message)?;
                self.process.tell_all(&answers);
                self.deliver_strays().map(|()| false)
            }
        }
    }

    fn crash(&mut self, message: &Value, how: How) -> Result<(), Violation> {
        let life = self.lives.started;
        let (arrives_at_line, what) = match how {
            How::Unheard => return Ok(()),
            How::Performed => return self.lives.cluster.act(life, message).map(drop),
            How::Answered => {
                let answers = self.lives.cluster.act(life, message)?;
                self.process.tell_all(&answers);
                return Ok(());
            }
            How::AnsweredLate(lines) => (lines, Content::Answers(self.lives.cluster.act(life, message)?)),
            How::PerformedLate(lines) => (lines, Content::Request(message.clone())),
        };
        self.lives.adrift.push(Stray { arrives_at_line, life, what });
        Ok(())
    }

    fn deliver_strays(&mut self) -> Result<(), Violation> {
        let (due, adrift) = std::mem::take(&mut self.lives.adrift)
            .into_iter()
            .partition(|stray| stray.arrives_at_line <= self.said && stray.life < self.lives.started);
        self.lives.adrift = adrift;
        let due: Vec<Stray> = due;
        for Stray { life, what, .. } in due {
            let answers = match what {
                Content::Answers(answers) => answers,
                Content::Request(message) => self.lives.cluster.act(life, &message)?,
            };
            self.process.tell_all(&answers);
        }
        Ok(())
    }
}

/// A life in virtual time.
pub(crate) struct Virtual(Harness);

impl Virtual {
    pub(crate) fn start(config: Config, seed: u64) -> Self {
        Self(Harness::new(config, seed))
    }
}

/// As long as nothing is said, time passes, but no more than this.
const SILENCE: Duration = Duration::from_secs(10);

impl Life for Virtual {
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

impl Life for Process {
    fn tell(&mut self, line: &str) {
        // It fails if the process has ended; whether it should have is checked elsewhere.
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
