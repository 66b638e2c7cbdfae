//! The messages around the first violation, with everybody as a lane and time going down.

use std::time::Duration;

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
const ROW: i32 = 22;
const HEAD: i32 = 30;
const WIDTH: u32 = 1000;
const LEFT: i32 = 120;

pub(super) const NOTE: &str = "From top to bottom in the order of sending, each message from the lane of who sent it; \
    orange and marked × if it was never received. The orange line is the moment.";

/// A diagram, if something was found at a known time.
pub(super) fn around_first(found: &Violations, trace: &Trace) -> Option<String> {
    let at = found.examples().iter().filter_map(|violation| violation.at).min()?;
    let messages = trace.messages();
    let place = messages.partition_point(|message| message.sent <= at);
    let shown = messages.get(place.saturating_sub(BEFORE)..messages.len().min(place + AFTER))?;
    draw(shown, at).ok()
}

fn draw(messages: &[TracedMessage], at: Duration) -> Result<String, String> {
    let lanes = lanes(messages);
    let height = HEAD + ROW * (i32::try_from(messages.len()).unwrap_or(0) + 2);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, u32::try_from(height).unwrap_or(0)))
            .into_drawing_area();
        draw_lanes(&area, &lanes, height)?;
        let mut is_marked = false;
        for (row, message) in (0..).zip(messages) {
            let y = HEAD + ROW * (row + 1);
            if !is_marked && message.sent > at {
                is_marked = true;
                mark(&area, y - ROW + 4)?;
            }
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

fn mark(area: &Area<'_>, y: i32) -> Result<(), String> {
    let right = i32::try_from(WIDTH).unwrap_or(0);
    let line = PathElement::new([(0, y), (right, y)], RGBColor(213, 94, 0).stroke_width(2));
    area.draw(&line).map_err(text)
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
    area.draw(&Text::new(caption(message), (middle, y - 8), label(HPos::Center))).map_err(text)
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
    TextStyle::from(("sans-serif", 12).into_font()).color(&BLACK).pos(Pos::new(side, VPos::Center))
}
