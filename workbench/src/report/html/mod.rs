//! `report.html`: one page that needs no other file and no network. It is readable without its script, which makes it explorable.

mod chart;
mod charts;
mod marks;
mod messages;
mod timeline;

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use self::timeline::{Timeline, TimelineData};
use super::Report;
use crate::check::Violations;
use crate::words::Seconds;

pub(crate) const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = concat!(
    "\"use strict\";\n{\n",
    include_str!("../assets/base.js"),
    include_str!("../assets/plots.js"),
    include_str!("../assets/messages.js"),
    include_str!("../assets/controls.js"),
    "}\n"
);

/// What the script needs. Times are in microseconds since the start of the run.
#[derive(Serialize)]
struct Data<'a> {
    end: u64,
    charts: Vec<chart::ChartData<'a>>,
    faults: Vec<marks::Window>,
    findings: Vec<marks::Finding<'a>>,
    timeline: TimelineData,
    messages: messages::MessagesData,
}

impl Report {
    /// The page. It has at most some 5 MB: of a long run it shows a sample, and every violation that the report has in full.
    pub fn to_html(&self) -> String {
        let title = format!("{}, seed {}", self.plan.workload.name(), self.plan.seed);
        let (class, verdict) = match (self.valid, self.interrupted) {
            (true, false) => ("valid", "valid"),
            (true, true) => ("broken-off", "interrupted"),
            (false, _) => ("invalid", "invalid"),
        };
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}: {verdict}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<header id=\"top\"></header>\n<main>\n\
             <h1>{title} <span class=\"verdict {class}\">{verdict}</span></h1>\n"
        );
        add_findings(&mut page, "What is wrong", &self.violations);
        add_findings(&mut page, "What a stricter bench would say", &self.remarks);
        page.push_str(&messages::to_html(self));
        add_section(
            &mut page,
            "Summary",
            &format!("<pre tabindex=\"0\">{}</pre>", escape(&self.to_string())),
        );
        self.add_drawings(&mut page);
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }

    fn add_drawings(&self, page: &mut String) {
        let (end, legend) = (self.end(), marks::legend(self));
        page.push_str(&marks::symbols(self, end));
        let timeline = Timeline::new(self);
        page.push_str(&timeline.to_html(end, &legend));
        let charts = charts::all(self, end);
        for chart in &charts {
            page.push_str(&chart.to_html(end, &legend));
        }
        let messages = messages::chosen(self);
        let data = Data {
            end,
            charts: charts.iter().map(chart::Chart::data).collect(),
            faults: marks::windows(self, end),
            findings: marks::findings(self),
            timeline: timeline.data(),
            messages: messages::data(self, &messages),
        };
        let _ = writeln!(page, "<script type=\"application/json\" id=\"data\">{}</script>", json(&data));
        let _ = writeln!(page, "<script>\n{SCRIPT}</script>");
    }

    /// The time of the last moment, in microseconds: at least 1.
    fn end(&self) -> u64 {
        let ends = self.history.operations().iter().map(|it| it.ended().unwrap_or(it.invoked));
        let faults = self.faults.iter().map(|window| window.until.unwrap_or(window.from));
        let findings = marks::timed(self).map(|(at, ..)| at);
        ends.chain(faults).map(micros).chain(findings).max().unwrap_or(0).max(1)
    }
}

/// JSON that can stand in a page: nothing in it can end the element.
fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_else(|_| "null".into()).replace('<', "\\u003c")
}

/// A time in microseconds.
fn micros(at: Duration) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
}

fn add_findings(page: &mut String, title: &str, found: &Violations) {
    if found.examples().is_empty() {
        return;
    }
    let mut list = String::from("<ul>");
    for violation in found.examples() {
        let at = violation.at.map_or(String::new(), |at| {
            format!("<span class=\"at\" data-at=\"{}\">at {}</span>: ", micros(at), Seconds(at))
        });
        let (check, text) = (violation.name(), escape(&violation.text));
        let others = violation.others().map_or(String::new(), |others| format!("\n({others})"));
        // Writing to a string cannot fail.
        let _ = write!(list, "<li><b>{check}</b> {at}{text}{others}</li>");
    }
    list.push_str("</ul>");
    add_section(page, title, &list);
}

fn add_section(page: &mut String, title: &str, content: &str) {
    let _ = writeln!(page, "<section>\n<h2>{title}</h2>\n{content}\n</section>");
}

/// Text made fit for a page.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::workload::Counter;
    use crate::world::World;

    #[test]
    fn an_empty_run_has_a_page_that_needs_nothing_else() {
        let page = World::new(&Plan::new(&Counter::G, 1)).into_report().to_html();
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        for foreign in ["src=", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert_eq!(page.matches("href=\"").count(), page.matches("href=\"#").count());
    }

    #[test]
    fn text_is_no_markup() {
        assert_eq!(escape("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
