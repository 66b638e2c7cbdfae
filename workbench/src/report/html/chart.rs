//! The common parts of all charts: axes, time, bands of faults.

use std::time::Duration;

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::band_colour;
use crate::nemesis::Fault;
use crate::report::Report;

/// Size in units of the drawing.
pub(super) const SIZE: (u32, u32) = (1000, 300);
/// Room for the numbers at the left and below.
const LABELS: (u32, u32) = (70, 40);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Colours of series, told apart by the colour-blind too (Okabe and Ito, the yellow left out).
pub(super) const SERIES: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(120, 120, 120),
];

pub(super) fn colour(number: usize) -> RGBColor {
    SERIES.get(number % SERIES.len()).copied().unwrap_or(BLACK)
}

/// A chart over the time of the run, with the faults as bands behind what `draw` draws.
pub(super) fn over_time(
    report: &Report,
    unit: &str,
    (low, high): (f64, f64),
    label: &dyn Fn(&f64) -> String,
    draw: impl FnOnce(&mut Chart<'_, '_>) -> Result<(), String>,
) -> Result<String, String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let end = duration(report).max(0.001);
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(LABELS.1)
            .y_label_area_size(LABELS.0)
            .build_cartesian_2d(0.0..end, low..high)
            .map_err(text)?;
        draw_bands(report, &mut chart, (low, high))?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(0xDD, 0xDD, 0xDD))
            .x_desc("seconds")
            .y_desc(unit)
            .y_label_formatter(label)
            .label_style(("sans-serif", 14))
            .draw()
            .map_err(text)?;
        draw(&mut chart)?;
        area.present().map_err(text)?;
    }
    Ok(svg)
}

/// Each kind of fault has a strip of its own, in the order of the legend: laid over each other their colours would mix.
#[expect(clippy::cast_precision_loss, reason = "there are few kinds of fault")]
fn draw_bands(report: &Report, chart: &mut Chart<'_, '_>, (low, high): (f64, f64)) -> Result<(), String> {
    let end = duration(report);
    let kinds = kinds(report);
    let height = (high - low) / kinds.len().max(1) as f64;
    for window in &report.faults {
        let (red, green, blue) = band_colour(window.fault);
        let until = window.until.map_or(end, |until| until.as_secs_f64());
        let place = kinds.iter().position(|kind| *kind == window.fault).unwrap_or(0);
        let top = high - height * place as f64;
        let corners = [(window.from.as_secs_f64(), top - height), (until, top)];
        let band = Rectangle::new(corners, RGBColor(red, green, blue).mix(0.16).filled());
        chart.draw_series([band]).map_err(text)?;
    }
    Ok(())
}

/// The kinds of fault that there were.
pub(super) fn kinds(report: &Report) -> Vec<Fault> {
    let mut kinds: Vec<Fault> = report.faults.iter().map(|window| window.fault).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The time of the last moment, in seconds.
pub(super) fn duration(report: &Report) -> f64 {
    let ends = report.history.operations().iter().filter_map(|operation| operation.completion.as_ref());
    let faults = report.faults.iter().filter_map(|window| window.until);
    ends.map(|end| end.at).chain(faults).max().unwrap_or(Duration::ZERO).as_secs_f64()
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
