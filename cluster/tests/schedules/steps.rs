//! What may happen next.

use crate::stream::CallId;

/// One choice of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A write is done, or finds that its condition does not hold. Its client hears of that at once.
    Do(CallId),
    /// The same, and its client has not heard yet.
    DoInSilence(CallId),
    /// Now it hears.
    Hear(CallId),
    /// A write is done, and its client waits in vain for the answer.
    DoAndLose(CallId),
    /// A write is not done, and its client hears of that.
    Refuse(CallId),
    /// Another append is in the way.
    Busy(CallId),
    /// The client waits no longer for a write that may be done later.
    GiveUp(CallId),
    /// Now it is done, or finds that its condition does not hold.
    DoLate(CallId),
    /// A read begins, on a server that has everything.
    Begin(CallId),
    /// A read begins, on a server that has come so far, and lacks so many messages that have replaced others. It may come forward at
    /// any time.
    BeginBehind(CallId, usize, u8),
    /// A server that has come so far sends the next message.
    Send(CallId, usize),
    /// That message gets lost.
    LoseMessage(CallId, usize),
    /// A reader gets no message for so long that it gives up.
    Interrupt(CallId),
    /// The same, where all others wait as well.
    Starve(CallId),
    /// A process goes on: after a pause, or with its next request.
    GoOn(CallId),
    /// A process dies.
    Kill(usize),
    /// Nothing more happens: neither are the writes done that nobody waits for.
    End,
}

/// How many unusual steps a schedule may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    /// Writes and reads that do not go as usual.
    pub(crate) faults: u8,
    /// How many messages that have replaced others are not seen by readers that begin.
    pub(crate) behind: u8,
    /// Processes that die.
    pub(crate) kills: u8,
}

impl Bounds {
    /// What is left after this step. `None`: there are too many such steps.
    pub(crate) fn after(self, step: Step) -> Option<Self> {
        let Self { faults, behind, kills } = self;
        Some(match step {
            Step::Do(_)
            | Step::Hear(_)
            | Step::DoLate(_)
            | Step::Begin(_)
            | Step::Send(..)
            | Step::Starve(_)
            | Step::GoOn(_)
            | Step::End => self,
            Step::DoInSilence(_)
            | Step::DoAndLose(_)
            | Step::Refuse(_)
            | Step::Busy(_)
            | Step::GiveUp(_)
            | Step::LoseMessage(..)
            | Step::Interrupt(_) => Self { faults: faults.checked_sub(1)?, ..self },
            Step::BeginBehind(_, _, lacks) => Self { behind: behind.checked_sub(lacks)?, ..self },
            Step::Kill(_) => Self { kills: kills.checked_sub(1)?, ..self },
        })
    }
}
