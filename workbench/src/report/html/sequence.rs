//! The messages around the first violation. Each endpoint has a lane, and time goes down.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{Area, text};
use crate::body::Body;
use crate::check::Violations;
use crate::endpoint::Endpoint;
use crate::trace::{Around, Gap, Trace, TracedMessage};
use crate::words::Seconds;

/// Messages shown before and after the violation.
const BEFORE: usize = 30;
const AFTER: usize = 8;
/// Height of a message, and of the names on top.
const ROW: i32 = 24;
const HEAD: i32 = 30;
const WIDTH: u32 = 1000;
const LEFT: i32 = 120;

const NOTE: &str = "From top to bottom in the order of sending; those that were never received are orange and \
    say so. The orange line is the moment.";

/// A diagram with its note, if a finding has a known time. A sentence instead, if the messages of that time were left out.
pub(super) fn around_first(found: &Violations, trace: &Trace) -> Option<String> {
    let timed = found.examples().iter().filter_map(|violation| Some((violation.at?, violation)));
    let (at, first) = timed.min_by_key(|(at, _)| *at)?;
    match trace.around(at, BEFORE, AFTER) {
        Ok(around) => {
            let diagram = draw(&around, &first.text).ok()?;
            Some(format!("<p class=\"note\">{NOTE}</p>{diagram}"))
        }
        Err(Gap { from, until, omitted }) => Some(format!(
            "<p class=\"note\">It happened at {}. No message of that time was kept: of a long run only the first and the \
             last ones are, and {omitted} between {} and {} were left out. A shorter run, or a lower rate, has them \
             all.</p>",
            Seconds(at),
            Seconds(from),
            Seconds(until)
        )),
    }
}

fn draw(around: &Around<'_>, moment: &str) -> Result<String, String> {
    let Around { before, after } = around;
    let lanes = lanes(before.iter().chain(after).copied());
    let height = HEAD + ROW * (i32::try_from(before.len() + after.len()).unwrap_or(0) + 3);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, u32::try_from(height).unwrap_or(0)))
            .into_drawing_area();
        draw_lanes(&area, &lanes, height)?;
        let mut y = HEAD;
        for message in before {
            y += ROW;
            draw_message(&area, &lanes, message, y)?;
        }
        y += ROW;
        draw_moment(&area, y, moment)?;
        for message in after {
            y += ROW;
            draw_message(&area, &lanes, message, y)?;
        }
        area.present().map_err(text)?;
    }
    Ok(svg)
}

/// Nodes first, then services, then clients.
fn lanes<'a>(messages: impl Iterator<Item = &'a TracedMessage>) -> Vec<Endpoint> {
    let mut lanes: Vec<Endpoint> = messages.flat_map(|message| [message.src, message.dest]).collect();
    lanes.sort_unstable_by_key(|lane| (lane.is_client(), lane.is_service(), *lane));
    lanes.dedup();
    lanes
}

fn x_of(lanes: &[Endpoint], lane: Endpoint) -> i32 {
    let place = lanes.iter().position(|other| *other == lane).unwrap_or(0);
    let right = i32::try_from(WIDTH).unwrap_or(0) - 60;
    let gaps = i32::try_from(lanes.len().max(2) - 1).unwrap_or(1);
    LEFT + (right - LEFT) * i32::try_from(place).unwrap_or(0) / gaps
}

fn draw_lanes(area: &Area<'_>, lanes: &[Endpoint], height: i32) -> Result<(), String> {
    let style = label(HPos::Center);
    for lane in lanes {
        let x = x_of(lanes, *lane);
        area.draw(&Text::new(lane.to_string(), (x, HEAD / 2), &style)).map_err(text)?;
        let line = PathElement::new([(x, HEAD), (x, height)], RGBColor(0xDD, 0xDD, 0xDD).stroke_width(1));
        area.draw(&line).map_err(text)?;
    }
    Ok(())
}

fn draw_moment(area: &Area<'_>, y: i32, moment: &str) -> Result<(), String> {
    const SHOWN: usize = 110;
    let right = i32::try_from(WIDTH).unwrap_or(0);
    let line = PathElement::new([(0, y), (right, y)], RGBColor(213, 94, 0).stroke_width(3));
    area.draw(&line).map_err(text)?;
    let moment: String = moment.chars().take(SHOWN).collect();
    area.draw(&Text::new(moment, (right - 4, y - 9), label(HPos::Right))).map_err(text)
}

/// An arrow from lane to lane. A message that never arrived is drawn in orange and says so.
fn draw_message(area: &Area<'_>, lanes: &[Endpoint], message: &TracedMessage, y: i32) -> Result<(), String> {
    let (from, to) = (x_of(lanes, message.src), x_of(lanes, message.dest));
    let colour = if message.received.is_some() { RGBColor(0, 114, 178) } else { RGBColor(213, 94, 0) };
    area.draw(&PathElement::new([(from, y), (to, y)], colour.stroke_width(2))).map_err(text)?;
    let back = if from < to { -7 } else { 7 };
    let tip = [(to, y), (to + back, y - 4), (to + back, y + 4)];
    area.draw(&Polygon::new(tip, colour.filled())).map_err(text)?;
    let sent = format!("{:.4} s", message.sent.as_secs_f64());
    area.draw(&Text::new(sent, (4, y), label(HPos::Left))).map_err(text)?;
    let middle = i32::midpoint(from, to);
    area.draw(&Text::new(caption(message), (middle, y - 9), label(HPos::Center))).map_err(text)
}

/// The message's type and the fields that tell it from others of the type.
fn caption(message: &TracedMessage) -> String {
    const SHOWN: usize = 24;
    let cut = |text: &str| text.chars().take(SHOWN).collect::<String>();
    // A long body was cut short, so it is not JSON any more.
    let body = Body::parse(&message.body);
    let kind = body.as_ref().and_then(|body| body.text("type"));
    let mut caption = kind.unwrap_or_else(|| format!("{}…", cut(&message.body)));
    for field in ["delta", "value", "code"] {
        if let Some(value) = body.as_ref().and_then(|body| body.get(field)) {
            caption = format!("{caption} {}", cut(value));
        }
    }
    if message.received.is_none() {
        caption.push_str(" (never received)");
    }
    caption
}

fn label(side: HPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", 15).into_font()).color(&BLACK).pos(Pos::new(side, VPos::Center))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::Check;

    /// 1,000 messages, one a second, of which the first 50 and the last 50 are kept.
    fn long_trace() -> Trace {
        let mut trace = Trace::keeping(50);
        for id in 0..1000 {
            let (now, body) = (Duration::from_secs(id), format!(r#"{{"type":"add","delta":{id}}}"#));
            trace.sent(now, id, Endpoint::Node(0), Endpoint::Node(1), &body);
            trace.received(now, id);
        }
        trace
    }

    fn diagram(at: &[u64]) -> String {
        let mut found = Violations::default();
        for at in at {
            found.record(Check::Schema, Some(Duration::from_secs(*at)), "wrong");
        }
        around_first(&found, &long_trace()).unwrap()
    }

    #[test]
    fn the_messages_shown_are_those_of_the_first_violation() {
        let late = diagram(&[990, 980]);
        assert!(
            late.contains("add 980") && late.contains("980.0000 s") && !late.contains("add 40"),
            "{late}"
        );
        let early = diagram(&[990, 40]);
        assert!(early.contains("add 40") && !early.contains("add 980"), "{early}");
    }

    #[test]
    fn where_none_were_kept_the_page_says_so() {
        let text = diagram(&[500]);
        assert!(!text.contains("<svg"), "{text}");
        let expected = "It happened at 500.000 s. No message of that time was kept: of a long run only the first and the \
                        last ones are, and 900 between 49.000 s and 950.000 s were left out.";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_body_that_was_cut_short_is_shown_by_its_beginning_and_big_numbers_exactly() {
        let mut message = TracedMessage {
            id: 0,
            src: Endpoint::Node(0),
            dest: Endpoint::Node(1),
            body: r#"{"type":"gossip","counts":{"n0":1"#.into(),
            sent: Duration::ZERO,
            received: Some(Duration::ZERO),
        };
        assert_eq!(caption(&message), "{\"type\":\"gossip\",\"counts…");
        message.body = r#"{"type":"read_ok","value":340282366920938463463}"#.into();
        assert_eq!(caption(&message), "read_ok 340282366920938463463");
    }
}
