//! Whether the run reached the rate that the plan asks for.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde::Serialize;

use crate::history::{History, Moment};
use crate::plan::Plan;

/// The requests a second: as planned, and as sent while the clients worked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// The rate of the plan.
    pub asked: f64,
    /// The rate that was reached. `None` if no client ever began to work.
    pub reached: Option<f64>,
    /// Whether the reached rate is below 95 % of the planned one, by more than chance explains.
    pub is_short: bool,
    /// The part of the time in which a request was due while every client waited for an answer: 0 to 1.
    pub all_clients_busy: f64,
    /// How many clients joined those of the plan, because they waited for nodes that did not answer.
    pub joined: usize,
}

impl Rate {
    /// `starved` is the time in which no client was free for a request that was due.
    #[expect(clippy::cast_precision_loss, reason = "counts of operations are far below 2^52")]
    pub(crate) fn of(plan: &Plan, history: &History, starved: Duration, is_done: bool) -> Self {
        let silent = Self { asked: plan.rate, ..Self::default() };
        let mut requests = history.operations().iter().filter(|operation| !operation.is_final);
        let Some(first) = requests.next() else { return silent };
        let count = 1.0 + requests.count() as f64;
        let lasted = last_moment(history).saturating_sub(first.invoked);
        let span = if is_done { plan.time_limit } else { lasted.min(plan.time_limit) }.as_secs_f64();
        if span <= 0.0 {
            return silent;
        }
        // Gaps are drawn evenly from 0 to twice the mean: this is three standard deviations of their sum.
        let expected = plan.rate * span;
        let chance = (3.0 * expected).sqrt();
        Self {
            reached: Some(count / span),
            is_short: count + chance < 0.95 * expected,
            all_clients_busy: starved.as_secs_f64() / span,
            ..silent
        }
    }
}

fn last_moment(history: &History) -> Duration {
    let at = |moment: &Moment| match *moment {
        Moment::Invoked(number) => history.operations().get(number).map(|operation| operation.invoked),
        Moment::Completed(number) => {
            history.operations().get(number)?.completion.as_ref().map(|completion| completion.at)
        }
        Moment::Nemesis(number) => history.acts().get(number).map(|act| act.at),
    };
    history.moments().last().and_then(at).unwrap_or_default()
}

impl Display for Rate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { asked, reached, is_short, all_clients_busy, joined } = *self;
        write!(f, "{asked}/s asked, ")?;
        let Some(reached) = reached else { return write!(f, "none sent") };
        // The missing requests were due while no client was free, or the bench was too slow.
        let explained = all_clients_busy >= 0.5 * (1.0 - reached / asked);
        let percent = 100.0 * all_clients_busy;
        match is_short {
            false => write!(f, "{reached:.1}/s reached")?,
            true if explained => write!(
                f,
                "{reached:.1}/s sent: a client asks again once it has its answer, and all were waiting {percent:.0} % of the time"
            )?,
            true => write!(
                f,
                "NOT REACHED: {reached:.1}/s; the bench was too slow (all clients were waiting {percent:.0} % of the time)"
            )?,
        }
        match joined {
            0 => Ok(()),
            joined => write!(f, ", with {joined} more clients while nodes did not answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Operation;
    use crate::workload::{Counter, Request};

    /// A request every so many milliseconds, for ten seconds.
    fn rate(gap_ms: u64) -> Rate {
        let plan = Plan { time_limit: Duration::from_secs(10), ..Plan::new(&Counter::G, 1) };
        let mut history = History::default();
        for at in (0..10_000 / gap_ms).map(|number| number * gap_ms) {
            history.invoke(Operation {
                process: 0,
                worker: 0,
                node: 0,
                incarnation: 1,
                request: Request::read(),
                is_final: false,
                invoked: Duration::from_millis(at),
                completion: None,
            });
        }
        Rate::of(&plan, &history, Duration::from_secs(5), true)
    }

    #[test]
    fn a_rate_that_was_reached() {
        assert_eq!(rate(10).to_string(), "100/s asked, 100.0/s reached");
        assert!(!rate(10).is_short);
    }

    #[test]
    fn a_rate_that_was_not() {
        let text = "100/s asked, 50.0/s sent: a client asks again once it has its answer, and all were waiting 50 % of the time";
        assert_eq!(rate(20).to_string(), text);
        assert!(rate(20).is_short);
        let slow = Rate { all_clients_busy: 0.01, joined: 7, ..rate(20) };
        let text = "100/s asked, NOT REACHED: 50.0/s; the bench was too slow (all clients were waiting 1 % of the time), \
                    with 7 more clients while nodes did not answer";
        assert_eq!(slow.to_string(), text);
    }

    #[test]
    fn no_request_at_all() {
        let plan = Plan::new(&Counter::G, 1);
        let rate = Rate::of(&plan, &History::default(), Duration::ZERO, false);
        assert_eq!(rate.to_string(), "100/s asked, none sent");
    }
}
