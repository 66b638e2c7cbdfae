//! A chart over the time of the run: drawn for who has no script, and as data for the script.
//!
//! A drawing has microseconds as its width and 1,000 units as its height, and the page stretches it. So the script zooms by choosing
//! another part of the width. Lines keep their thickness. Texts are no part of the drawing, so that they are not stretched.

use std::fmt::Write;

use serde::Serialize;

use super::escape;

/// A chart.
pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    pub(super) unit: &'static str,
    pub(super) is_logarithmic: bool,
    pub(super) series: Vec<Series>,
}

/// Values over time, in microseconds.
pub(super) struct Series {
    pub(super) name: String,
    /// The class of its colour in the style sheet.
    pub(super) class: String,
    pub(super) shape: Shape,
    /// A line has a gap where there is no value.
    pub(super) points: Vec<(u64, Option<f64>)>,
}

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Line,
    /// A value holds until the next one.
    Steps,
    Dots,
}

/// What the script needs of a chart.
#[derive(Serialize)]
pub(super) struct ChartData<'a> {
    id: &'a str,
    unit: &'a str,
    series: Vec<SeriesData<'a>>,
}

#[derive(Serialize)]
struct SeriesData<'a> {
    name: &'a str,
    class: &'a str,
    is_steps: bool,
    times: Vec<u64>,
    values: Vec<Option<f64>>,
}

/// The lowest and the highest value of the axis.
struct Axis {
    low: f64,
    high: f64,
    is_logarithmic: bool,
}

impl Chart {
    /// The chart for a page. `end` is the end of the run in microseconds.
    pub(super) fn to_html(&self, end: u64, legend: &str) -> String {
        let axis = self.axis();
        let mut drawing = String::new();
        for (value, _) in axis.ticks() {
            let y = axis.y(value);
            let _ = write!(drawing, r#"<path class="grid" d="M0 {y}H{end}"/>"#);
        }
        for series in &self.series {
            let class = match series.shape {
                Shape::Line | Shape::Steps => "line",
                Shape::Dots => "dots",
            };
            let _ = write!(drawing, r#"<path class="{class} {}" d="{}"/>"#, series.class, series.path(&axis));
        }
        let labels = axis.ticks().into_iter().map(|(value, text)| (axis.y(value), text)).collect::<Vec<_>>();
        let unit = self.unit;
        let body = plot(self.id, self.title, &drawing, &labels, end);
        let keys: String = self.series.iter().map(Series::key).collect();
        format!(
            "<section id=\"{}\" class=\"chart\">\n<h2>{} <small>{unit}</small></h2>\n<p class=\"note\">{}</p>\n\
             <p class=\"keys\">{keys}{legend}</p>\n{body}</section>\n",
            self.id, self.title, self.note
        )
    }

    pub(super) fn data(&self) -> ChartData<'_> {
        let lines = self.series.iter().filter(|series| series.shape != Shape::Dots);
        ChartData { id: self.id, unit: self.unit, series: lines.map(Series::data).collect() }
    }

    fn axis(&self) -> Axis {
        let values =
            || self.series.iter().flat_map(|series| series.points.iter().filter_map(|(_, value)| *value));
        let is_logarithmic = self.is_logarithmic;
        if is_logarithmic {
            let low = values().fold(1.0, f64::min).max(LEAST);
            let high = values().fold(low, f64::max);
            return Axis {
                low: decade(low.log10().floor()),
                high: decade(high.log10().ceil().max(low.log10().floor() + 1.0)),
                is_logarithmic,
            };
        }
        let low = values().fold(0.0, f64::min);
        Axis { low: low * 1.05, high: values().fold(1.0, f64::max) * 1.05, is_logarithmic }
    }
}

/// The least value on a logarithmic axis.
pub(super) const LEAST: f64 = 0.01;

impl Series {
    fn path(&self, axis: &Axis) -> String {
        let mut path = String::new();
        let mut is_open = false;
        for (time, value) in &self.points {
            let Some(y) = value.map(|value| axis.y(value)) else {
                is_open = false;
                continue;
            };
            let _ = match (self.shape, is_open) {
                (Shape::Dots, _) | (Shape::Line | Shape::Steps, false) => write!(path, "M{time} {y}h0"),
                (Shape::Line, true) => write!(path, "L{time} {y}"),
                (Shape::Steps, true) => write!(path, "H{time}V{y}"),
            };
            is_open = true;
        }
        path
    }

    /// Its colour and its name.
    fn key(&self) -> String {
        let shape = if self.shape == Shape::Dots { "dot" } else { "stroke" };
        format!("<span class=\"key {shape} {}\"><i></i>{}</span> ", self.class, escape(&self.name))
    }

    fn data(&self) -> SeriesData<'_> {
        let (times, values) = self.points.iter().map(|(time, value)| (*time, value.map(rounded))).unzip();
        SeriesData {
            name: &self.name,
            class: &self.class,
            is_steps: self.shape == Shape::Steps,
            times,
            values,
        }
    }
}

/// Three digits after the point.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn decade(exponent: f64) -> f64 {
    10f64.powf(exponent)
}

impl Axis {
    /// The place of a value: 0 on top, 1,000 at the bottom.
    #[expect(clippy::cast_possible_truncation, reason = "it is between 0 and 1,000")]
    fn y(&self, value: f64) -> i32 {
        let place = |value: f64| if self.is_logarithmic { value.max(LEAST).log10() } else { value };
        let span = place(self.high) - place(self.low);
        (1000.0 * (place(self.high) - place(value)) / span).clamp(0.0, 1000.0).round() as i32
    }

    /// The values with a line and a text.
    fn ticks(&self) -> Vec<(f64, String)> {
        if self.is_logarithmic {
            let decades =
                (-2..=9).map(decade_of).filter(|value| self.low <= *value && *value <= self.high * 1.001);
            return decades.map(|value| (value, number(value))).collect();
        }
        let step = step(self.high - self.low, 5.0);
        let mut value = (self.low / step).ceil() * step;
        let mut ticks = Vec::new();
        while value <= self.high && ticks.len() < 20 {
            ticks.push((value, number(value)));
            value += step;
        }
        ticks
    }
}

fn decade_of(exponent: i32) -> f64 {
    10f64.powi(exponent)
}

/// A round number such that about `count` of them fill the span.
fn step(span: f64, count: f64) -> f64 {
    let rough = (span / count).max(1e-9);
    let base = decade(rough.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| base * times >= rough).unwrap_or(10.0);
    base * times
}

/// A number for an axis: `1.5k`, `20M`.
fn number(value: f64) -> String {
    let (value, suffix) = match value.abs() {
        large if large >= 1e9 => (value / 1e9, "G"),
        large if large >= 1e6 => (value / 1e6, "M"),
        large if large >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{suffix}", rounded(value) + 0.0)
}

/// A drawing over time with the faults and violations of the run, and texts beside it: at these heights at the left, and the seconds
/// below.
pub(super) fn plot(id: &str, title: &str, drawing: &str, labels: &[(i32, String)], end: u64) -> String {
    let mut texts = String::new();
    for (y, text) in labels {
        let _ = write!(texts, "<span style=\"top:{}%\">{}</span>", f64::from(*y) / 10.0, escape(text));
    }
    let seconds = seconds(end);
    let mut times = String::new();
    let step = step(seconds, 6.0);
    let mut time = 0.0;
    while time <= seconds {
        let _ = write!(
            times,
            "<span style=\"left:{}%\">{} s</span>",
            rounded(100.0 * time / seconds),
            rounded(time)
        );
        time += step;
    }
    format!(
        "<div class=\"plot\" data-plot=\"{id}\"><div class=\"ys\" aria-hidden=\"true\">{texts}</div>\n\
         <svg role=\"img\" aria-label=\"{title} over time\" viewBox=\"0 0 {end} 1000\" preserveAspectRatio=\"none\">\
         <use href=\"#faults\"/>{drawing}<use href=\"#findings\"/></svg>\n\
         <div class=\"xs\" aria-hidden=\"true\">{times}</div></div>\n"
    )
}

/// Microseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "a run has far less than 2^52 microseconds")]
fn seconds(micros: u64) -> f64 {
    micros.max(1) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_steps_and_numbers() {
        for (span, expected) in [(30.0, 5.0), (10.0, 2.0), (1.0, 0.2), (95.0, 20.0), (0.003, 0.0005)] {
            assert!((step(span, 6.0) - expected).abs() < 1e-12, "{span}: {}", step(span, 6.0));
        }
        let texts = [0.0, 0.01, 1500.0, 20_000.0, 2.5e6].map(number);
        assert_eq!(texts, ["0", "0.01", "1500", "20k", "2.5M"]);
    }

    #[test]
    fn a_line_has_gaps_and_a_step_holds() {
        let axis = Axis { low: 0.0, high: 10.0, is_logarithmic: false };
        let points = vec![(0, Some(0.0)), (5, Some(10.0)), (6, None), (7, Some(5.0))];
        let path = |shape| {
            Series { name: String::new(), class: String::new(), shape, points: points.clone() }.path(&axis)
        };
        assert_eq!(path(Shape::Line), "M0 1000h0L5 0M7 500h0");
        assert_eq!(path(Shape::Steps), "M0 1000h0H5V0M7 500h0");
        assert_eq!(path(Shape::Dots), "M0 1000h0M5 0h0M7 500h0");
    }
}
