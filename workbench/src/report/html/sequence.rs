//! The messages around the first violation, with everybody as a lane and time going down.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{Area, text};
use crate::check::Violations;
use crate::endpoint::Endpoint;
use crate::trace::{Trace, TracedMessage};

/// Messages shown before and after the violation.
const BEFORE: usize = 30;
const AFTER: usize = 8;
/// Height of a message, and of the names on top.
const ROW: i32 = 24;
const HEAD: i32 = 30;
const WIDTH: u32 = 1000;
const LEFT: i32 = 120;

pub(super) const NOTE: &str = "From top to bottom in the order of sending; those that were never received are orange and \
    say so. The orange line is the moment.";

/// A diagram, if something was found at a known time.
pub(super) fn around_first(found: &Violations, trace: &Trace) -> Option<String> {
    let first =
        found.examples().iter().filter(|violation| violation.at.is_some()).min_by_key(|found| found.at)?;
    let messages = trace.messages();
    let place = messages.partition_point(|message| Some(message.sent) <= first.at);
    let start = place.saturating_sub(BEFORE);
    let shown = messages.get(start..messages.len().min(place + AFTER))?;
    draw(shown, place - start, &first.text).ok()
}

/// The moment comes after so many messages.
fn draw(messages: &[TracedMessage], before: usize, moment: &str) -> Result<String, String> {
    let lanes = lanes(messages);
    let height = HEAD + ROW * (i32::try_from(messages.len()).unwrap_or(0) + 3);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, u32::try_from(height).unwrap_or(0)))
            .into_drawing_area();
        draw_lanes(&area, &lanes, height)?;
        let mut y = HEAD;
        for message in messages.iter().take(before) {
            y += ROW;
            draw_message(&area, &lanes, message, y)?;
        }
        y += ROW;
        draw_moment(&area, y, moment)?;
        for message in messages.iter().skip(before) {
            y += ROW;
            draw_message(&area, &lanes, message, y)?;
        }
        area.present().map_err(text)?;
    }
    Ok(svg)
}

/// Nodes first, then services, then clients.
fn lanes(messages: &[TracedMessage]) -> Vec<Endpoint> {
    let mut lanes: Vec<Endpoint> = messages.iter().flat_map(|message| [message.src, message.dest]).collect();
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

/// An arrow from lane to lane; one that never arrived is drawn in orange and says so.
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

/// The message's type and what tells it from others of the type.
fn caption(message: &TracedMessage) -> String {
    let body: serde_json::Value = serde_json::from_str(&message.body).unwrap_or_default();
    let mut caption = body.get("type").and_then(serde_json::Value::as_str).unwrap_or("?").to_owned();
    for field in ["delta", "value", "code"] {
        if let Some(value) = body.get(field) {
            let value: String = value.to_string().chars().take(24).collect();
            caption = format!("{caption} {value}");
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
