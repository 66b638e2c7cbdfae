//! The pipe test, also called flood: one node, and requests as fast as it reads them.

mod awaited;

use std::fmt::{self, Display, Formatter};
use std::io::{BufRead, BufReader, Write};
use std::process::ChildStdin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use self::awaited::{Awaited, Expected, Mix};
use super::child::{Process, read_line};
use super::tree::list;
use super::unfinished::Unfinished;
use super::{Clock, Interrupt, LOOK_UP, NodeCommand};
use crate::check::{Check, Violations};
use crate::endpoint::Endpoint;
use crate::envelope::{self, Envelope, excerpt, short};
use crate::error::BenchError;
use crate::reply::{Reply, ReplyContent};
use crate::seeds::Seeds;
use crate::service::Services;
use crate::workload::{INIT, Request, Workload};

/// How long the node may be silent before the test gives up.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most lines that are read and not handled yet.
const LINES: usize = 1 << 16;
/// Bytes handed to the pipe at once.
const CHUNK: usize = 1 << 16;
/// The most answers of services that wait to be written. Further ones are lost, for the test does not wait for a node that
/// does not read them.
const REPLIES: usize = 1 << 16;
const CLIENT: Endpoint = Endpoint::Client(1);
const NODE: Endpoint = Endpoint::Node(0);

/// A pipe test, decided in advance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FloodPlan {
    /// How many requests there are: the workload's mix, and a read at the end. At least 1. They take no memory, for the
    /// right answers are computed as answers come.
    pub requests: u32,
    /// Seed of the mix.
    pub seed: u64,
    /// The workload.
    pub workload: &'static dyn Workload,
    /// Upper bound on CPU time a request, in microseconds.
    #[serde(rename = "max_cpu", serialize_with = "crate::units::optional_micros")]
    pub max_cpu_us: Option<f64>,
    /// Upper bound on peak memory, in MiB.
    pub max_rss_mb: Option<u64>,
}

/// The outcome of a pipe test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FloodReport {
    /// Whether every answer was right and no bound passed.
    pub valid: bool,
    /// The plan of the test.
    pub plan: FloodPlan,
    /// Requests answered, rightly or not.
    pub answered: u64,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Requests a second.
    pub per_second: f64,
    /// CPU time of the node for each request, user and system, in microseconds: that of its processes and of the children
    /// that they have waited for.
    #[serde(rename = "cpu", serialize_with = "crate::units::optional_micros")]
    pub cpu_us: Option<f64>,
    /// Peak resident memory of the node, in KiB: see [`NodeUsage`](crate::NodeUsage).
    pub max_rss_kb: Option<u64>,
    /// The rules that were broken.
    pub violations: Violations,
}

/// Hands one node many requests as fast as it reads them, and checks every answer exactly. A node that handles its input in
/// order shows in each read the sum of all adds before it.
///
/// The services answer the node. There are no other nodes.
///
/// # Errors
/// If the program can't be started, does not answer `init`, or the test was interrupted.
pub fn flood_process(plan: &FloodPlan, command: &NodeCommand) -> Result<FloodReport, BenchError> {
    if plan.workload.counter().is_none() {
        return Err(BenchError::Usage("the pipe test is for counters: g-counter or pn-counter".into()));
    }
    command.create_directory()?;
    let interrupt = Interrupt::watch()?;
    let (process, pipes) = Process::start(command, 0, false)?;
    let (stdin, stdout) = pipes.copy_log(());
    let (to_bench, lines) = sync_channel(LINES);
    let (to_node, replies) = sync_channel(REPLIES);
    let unfinished = Unfinished::default();
    let stdout = unfinished.watch(stdout);
    thread::spawn(move || read_all(BufReader::with_capacity(CHUNK, stdout), &to_bench));
    let mut seeds = Seeds::new(plan.seed);
    let random = seeds.generator();
    let mix = || Mix::new(random.clone(), plan.workload, plan.requests);
    let (mix, awaited) = (mix(), Awaited::new(mix()));
    let (start, started) = sync_channel(1);
    thread::spawn(move || write_all(stdin, mix, &started, &replies));
    let services = Services::new(seeds.generator());
    let mut flood = Flood {
        command,
        process,
        lines,
        to_node,
        services,
        interrupt,
        clock: Clock::start(),
        next_look: Duration::ZERO,
        max_rss_kb: None,
        violations: Violations::default(),
        answered: 0,
    };
    flood.init(&unfinished)?;
    let (begun, cpu) = (flood.clock.now(), flood.process.cpu_time());
    let _ = start.send(());
    flood.check_answers(awaited, plan.requests)?;
    let took = flood.clock.now().saturating_sub(begun);
    let used = flood.process.cpu_time().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    Ok(flood.into_report(plan, took, used))
}

struct Flood<'a> {
    command: &'a NodeCommand,
    process: Process,
    lines: Receiver<Vec<u8>>,
    to_node: SyncSender<Vec<u8>>,
    services: Services,
    interrupt: Interrupt,
    clock: Clock,
    /// When to look for the node's processes, and to measure their memory, again.
    next_look: Duration,
    max_rss_kb: Option<u64>,
    violations: Violations,
    answered: u64,
}

impl Flood<'_> {
    fn init(&mut self, unfinished: &Unfinished) -> Result<(), BenchError> {
        let body = r#"{"type":"init","node_id":"n0","node_ids":["n0"],"msg_id":1}"#;
        let _ = self.to_node.try_send(envelope::encode(0, CLIENT, NODE, body));
        let command = self.command.clone();
        let failure = |text: String| command.setup_error(0, text);
        let silent = || failure(format!("did not answer init within 10 s{}", unfinished.note()));
        let answer = self.next_answer()?.ok_or_else(silent)?;
        match Reply::to(&INIT, &answer) {
            Reply { in_reply_to: Some(1), content: ReplyContent::Fits { .. } } => Ok(()),
            _ => Err(failure(format!("answered init with {}", short(&answer)))),
        }
    }

    /// Checks an answer for each request, in any order.
    fn check_answers(&mut self, mut awaited: Awaited, requests: u32) -> Result<(), BenchError> {
        while self.answered < u64::from(requests) {
            let Some(answer) = self.next_answer()? else {
                let text = format!("{} of {requests} requests were answered, then nothing", self.answered);
                self.violations.record(Check::FinalReadsAnswered, None, text);
                break;
            };
            self.answered += 1;
            self.check_answer(&answer, &mut awaited);
        }
        if awaited.given_up() > 0 {
            let text =
                format!("{} requests had no answer while many later ones had theirs", awaited.given_up());
            self.violations.record(Check::FinalReadsAnswered, None, text);
        }
        Ok(())
    }

    fn check_answer(&mut self, answer: &str, awaited: &mut Awaited) {
        let reply = Reply::to(Request::read().rpc(), answer);
        let Some(Expected { request, value }) = reply.in_reply_to.and_then(|number| awaited.take(number))
        else {
            let text = format!("n0 sent {}, which answers nothing that was asked", short(answer));
            self.violations.record(Check::Replies, None, text);
            return;
        };
        let content =
            if request.is_read() { reply.content } else { Reply::to(request.rpc(), answer).content };
        if content != (ReplyContent::Fits { value }) {
            let expected = value.map_or("add_ok".to_owned(), |value| value.to_string());
            let text =
                format!("n0 answered {} with {} in the place of {expected}", request.name(), short(answer));
            self.violations.record(Check::FinalReads, None, text);
        }
    }

    /// The body of the next message to the client. It answers requests to services meanwhile. `None` if no message comes.
    fn next_answer(&mut self) -> Result<Option<String>, BenchError> {
        let until = self.clock.now() + PATIENCE;
        loop {
            let now = self.clock.now();
            if now >= until {
                return Ok(None);
            }
            if self.interrupt.is_set() {
                return Err(BenchError::Interrupted);
            }
            if now >= self.next_look {
                self.next_look = now + LOOK_UP;
                self.process.update(&list());
                self.measure();
            }
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => {
                    if let Some(body) = self.route(&line) {
                        return Ok(Some(body));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn measure(&mut self) {
        self.max_rss_kb = self.max_rss_kb.max(self.process.memory_kb());
    }

    fn route(&mut self, line: &[u8]) -> Option<String> {
        let envelope = match Envelope::parse(line) {
            Ok(envelope) => envelope,
            Err(error) => {
                let text = format!("n0 printed {error}: {}", excerpt(line));
                self.violations.record(Check::Output, None, text);
                return None;
            }
        };
        match Endpoint::parse(&envelope.dest) {
            Some(CLIENT) => return Some(envelope.body.to_owned()),
            Some(Endpoint::Service(name)) => {
                if let Some(answer) = self.services.handle(name, NODE, envelope.body) {
                    let line = envelope::encode(0, Endpoint::Service(name), NODE, &answer);
                    let _ = self.to_node.try_send(line);
                }
            }
            _ => self.violations.record(Check::Destination, None, format!("nobody awaits {}", excerpt(line))),
        }
        None
    }

    #[expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^52")]
    fn into_report(mut self, plan: &FloodPlan, took: Duration, cpu: Option<Duration>) -> FloodReport {
        self.measure();
        let (answered, max_rss_kb) = (self.answered, self.max_rss_kb);
        let cpu_us = cpu.filter(|_| answered > 0).map(|cpu| cpu.as_micros() as f64 / answered as f64);
        if let Some((used, bound)) = cpu_us.zip(plan.max_cpu_us).filter(|(used, bound)| used > bound) {
            self.violations.record(
                Check::Cpu,
                None,
                format!("{used:.2} us of CPU a request, {bound} are allowed"),
            );
        }
        let bound = plan.max_rss_mb.map(|mb| mb.saturating_mul(1024));
        if let Some((used, bound)) = max_rss_kb.zip(bound).filter(|(used, bound)| used > bound) {
            self.violations.record(Check::Memory, None, format!("{used} KiB of memory, {bound} are allowed"));
        }
        FloodReport {
            valid: self.violations.counts().is_empty(),
            plan: plan.clone(),
            answered,
            seconds: took.as_secs_f64(),
            per_second: answered as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE),
            cpu_us,
            max_rss_kb,
            violations: self.violations,
        }
    }
}

fn read_all(mut reader: impl BufRead, lines: &SyncSender<Vec<u8>>) {
    while let Ok(Some(line)) = read_line(&mut reader) {
        if lines.send(line).is_err() {
            return;
        }
    }
}

/// Writes `init`, then, once told to, the requests in large pieces, and the services' answers between them.
fn write_all(mut stdin: ChildStdin, mut mix: Mix, start: &Receiver<()>, replies: &Receiver<Vec<u8>>) {
    let mut is_started = false;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK + 1024);
        is_started = is_started || start.try_recv().is_ok();
        while is_started && chunk.len() < CHUNK {
            let Some((msg_id, request)) = mix.next() else { break };
            push_line(&mut chunk, &envelope::encode(msg_id, CLIENT, NODE, &request.body(msg_id)));
        }
        for line in replies.try_iter() {
            push_line(&mut chunk, &line);
        }
        if chunk.is_empty() {
            match replies.recv_timeout(Duration::from_millis(1)) {
                Ok(line) => push_line(&mut chunk, &line),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        if stdin.write_all(&chunk).is_err() {
            return;
        }
    }
}

fn push_line(chunk: &mut Vec<u8>, line: &[u8]) {
    chunk.extend_from_slice(line);
    chunk.push(b'\n');
}

impl Display for FloodReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (plan, seconds, per_second) = (&self.plan, self.seconds, self.per_second);
        writeln!(f, "flood       {} {} requests, seed {}", plan.requests, plan.workload.name(), plan.seed)?;
        writeln!(f, "answered    {} in {seconds:.3} s, {per_second:.0} a second", self.answered)?;
        let cpu = self.cpu_us.map_or("unknown".into(), |cpu| format!("{cpu:.2} us a request"));
        let memory = self.max_rss_kb.map_or("unknown".into(), |kb| format!("{kb} KiB"));
        writeln!(f, "cpu time    {cpu}\npeak memory {memory}")?;
        self.violations.write("broken", f)?;
        write!(f, "verdict     {}", if self.valid { "valid" } else { "INVALID" })
    }
}
