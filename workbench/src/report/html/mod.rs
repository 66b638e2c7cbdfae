//! `report.html`: one page that needs no other file and no network.

mod chart;
mod plots;
mod sequence;

use std::fmt::Write;

use super::Report;
use crate::check::Violations;
use crate::nemesis::Fault;
use crate::words::Seconds;

/// Colours of the faults' bands, told apart by the colour-blind too (Okabe and Ito).
pub(super) fn band_colour(fault: Fault) -> (u8, u8, u8) {
    match fault {
        Fault::Partition => (230, 159, 0),
        Fault::Kill => (213, 94, 0),
        Fault::Pause => (86, 180, 233),
        Fault::Restart => (204, 121, 167),
        Fault::Loss | Fault::Duplicate | Fault::Slow => (0, 158, 115),
        Fault::Store => (0, 114, 178),
    }
}

impl Report {
    /// The page.
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
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>{title} <span class=\"verdict {class}\">{verdict}</span></h1>\n"
        );
        add_findings(&mut page, "What is wrong", &self.violations);
        add_findings(&mut page, "What a stricter bench would say", &self.remarks);
        self.add_diagram(&mut page);
        add_section(&mut page, "Summary", &format!("<pre>{}</pre>", escape(&self.to_string())));
        self.add_charts(&mut page);
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }

    /// Adds the diagram of the first violation. If there is none, that of the first remark.
    fn add_diagram(&self, page: &mut String) {
        let findings = [("violation", &self.violations), ("remark", &self.remarks)];
        let mut diagrams = findings
            .into_iter()
            .filter_map(|(what, found)| Some((what, sequence::around_first(found, self.trace.as_ref()?)?)));
        if let Some((what, diagram)) = diagrams.next() {
            let heading = format!("Messages around the first {what}");
            add_section(page, &heading, &diagram);
        }
    }

    fn add_charts(&self, page: &mut String) {
        let (legend, nodes) = (self.legend(), plots::nodes_legend(self.plan.node_count));
        let is_counter = self.plan.workload.counter().is_some();
        let values = || ("What each node let read", plots::VALUES_NOTE, nodes.as_str(), plots::values(self));
        let charts = [
            ("Latency", plots::LATENCY_NOTE, "", plots::latency(self)),
            ("Throughput", plots::THROUGHPUT_NOTE, "", plots::throughput(self)),
        ];
        let traffic = [
            ("Messages between servers", plots::MESSAGES_NOTE, "", plots::messages(self)),
            ("Bytes between servers", plots::BYTES_NOTE, "", plots::bytes(self)),
        ];
        for (title, note, series, drawn) in charts.into_iter().chain(is_counter.then(values)).chain(traffic) {
            let chart = drawn.unwrap_or_else(|problem| format!("<p>{}</p>", escape(&problem)));
            add_section(page, title, &format!("<p class=\"note\">{note} {series} {legend}</p>{chart}"));
        }
    }

    /// The faults of the run, with their colours.
    fn legend(&self) -> String {
        let faults = chart::kinds(self);
        let heading = if faults.len() > 1 { "Faults, from top to bottom:" } else { "" };
        let bands = faults.into_iter().map(|fault| swatch("band", band_colour(fault), &fault.name()));
        std::iter::once(heading.to_owned()).chain(bands).collect()
    }
}

/// A colour and what it stands for.
pub(super) fn swatch(class: &str, (red, green, blue): (u8, u8, u8), name: &str) -> String {
    format!("<span class=\"swatch {class}\" style=\"background:rgb({red},{green},{blue})\"></span>{name} ")
}

fn add_findings(page: &mut String, title: &str, found: &Violations) {
    if found.examples().is_empty() {
        return;
    }
    let mut list = String::from("<ul>");
    for violation in found.examples() {
        let at = violation.at.map_or(String::new(), |at| format!("at {}: ", Seconds(at)));
        let (check, text) = (violation.name(), escape(&violation.text));
        // Writing to a string cannot fail.
        let _ = write!(list, "<li><b>{check}</b> {at}{text}</li>");
    }
    list.push_str("</ul>");
    add_section(page, title, &list);
}

fn add_section(page: &mut String, title: &str, content: &str) {
    let _ = writeln!(page, "<section>\n<h2>{title}</h2>\n{content}\n</section>");
}

/// Text made fit for a page.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Charts are drawn in black on nothing; a dark page turns black to white, and makes the dark blue lighter.
const STYLE: &str = "
:root { color-scheme: light dark; --back: #fff; --fore: #1a1a1a; --soft: #666; --line: #ddd; }
@media (prefers-color-scheme: dark) {
  :root { --back: #16181c; --fore: #e6e6e6; --soft: #a0a0a0; --line: #3a3d44; }
  svg [fill='#000000'] { fill: #e6e6e6; }
  svg [stroke='#000000'] { stroke: #e6e6e6; }
  svg [stroke='#DDDDDD'] { stroke: #3a3d44; }
  svg [fill='#0072B2'] { fill: #2e8bc9; }
  svg [stroke='#0072B2'] { stroke: #2e8bc9; }
  .swatch[style*='(0,114,178)'] { background: #2e8bc9 !important; }
}
body { margin: 0; background: var(--back); color: var(--fore); font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
.verdict { padding: .1em .5em; border-radius: .3em; color: #fff; font-size: 1rem; }
.valid { background: #00684c; } .invalid { background: #b3261e; } .broken-off { background: #5f6368; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; border: 1px solid var(--line); padding: .8rem; }
li { overflow-wrap: anywhere; white-space: pre-line; margin: .3rem 0; }
.note { color: var(--soft); font-size: .88rem; margin: .2rem 0; }
.swatch { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .6em; }
.band { opacity: .6; }
.line { height: .25em; vertical-align: middle; }
svg { width: 100%; height: auto; display: block; }
svg text { paint-order: stroke; stroke: var(--back); stroke-width: 3px; }
";

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
        for foreign in ["src=", "href=", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn text_is_no_markup() {
        assert_eq!(escape("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
