//! Whether the asked rate was reached.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde::Serialize;

use crate::history::{History, Moment};
use crate::plan::Plan;

/// How many requests a second were asked for, and how many there were while the clients worked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// What the plan asks for.
    pub asked: f64,
    /// What came of it; `None` if no client ever got to work.
    pub reached: Option<f64>,
    /// Whether that is less than 95 % of what was asked, by more than chance explains.
    pub is_short: bool,
    /// For how much of the time a request was due while every client waited for an answer: 0 to 1.
    pub all_clients_busy: f64,
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
        let Self { asked, reached, is_short, all_clients_busy } = *self;
        write!(f, "{asked}/s asked, ")?;
        match reached {
            None => write!(f, "none sent")?,
            Some(reached) if is_short => write!(f, "NOT REACHED: {reached:.1}/s")?,
            Some(reached) => write!(f, "{reached:.1}/s reached")?,
        }
        if is_short {
            let percent = 100.0 * all_clients_busy;
            write!(f, "; all clients were waiting for answers {percent:.0} % of the time")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Operation;
    use crate::workload::{Request, Workload};

    /// A request every so many milliseconds, for ten seconds.
    fn rate(gap_ms: u64) -> Rate {
        let plan = Plan { time_limit: Duration::from_secs(10), ..Plan::new(Workload::GCounter, 1) };
        let mut history = History::default();
        for at in (0..10_000 / gap_ms).map(|number| number * gap_ms) {
            history.invoke(Operation {
                process: 0,
                worker: 0,
                node: 0,
                life: 1,
                request: Request::Read,
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
        let text = "100/s asked, NOT REACHED: 50.0/s; all clients were waiting for answers 50 % of the time";
        assert_eq!(rate(20).to_string(), text);
        assert!(rate(20).is_short);
    }

    #[test]
    fn no_request_at_all() {
        let plan = Plan::new(Workload::GCounter, 1);
        let rate = Rate::of(&plan, &History::default(), Duration::ZERO, false);
        assert_eq!(rate.to_string(), "100/s asked, none sent");
    }
}
