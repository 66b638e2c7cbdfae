//! `index.html`: a page over all runs in the store. It needs no other file and no network, and is made from the records.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::error::BenchError;
use crate::report::{STYLE, escape};

/// How many runs the page has: the newest.
const MOST: usize = 1000;
/// The longest record that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// What the page needs of a record. A record of another version may lack some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Results {
    valid: Option<bool>,
    interrupted: bool,
    plan: PlanFields,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlanFields {
    seed: Option<u64>,
    node_count: Option<u64>,
    nemesis: Vec<String>,
    time_limit: Option<f64>,
}

/// A run, by its place in the store.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    name: String,
    workload: String,
}

/// Writes the page anew, so that a reader sees the old one or the new one.
///
/// # Errors
/// If it can't be written.
pub(super) fn rewrite(store: &Path) -> Result<(), BenchError> {
    let fresh = store.join(format!(".index-{}.html", std::process::id()));
    let path = store.join("index.html");
    let written = fs::write(&fresh, page(store)).and_then(|()| fs::rename(&fresh, &path));
    written.map_err(|error| {
        let _ = fs::remove_file(&fresh);
        BenchError::io(format!("cannot write {}", path.display()))(error)
    })
}

fn page(store: &Path) -> String {
    let places = places(store);
    let shown = places.len().min(MOST);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Runs</title>\n\
         <style>\n{STYLE}{OWN_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Runs</h1>\n\
         <p class=\"note\">The newest {shown} of {}, each with its report. Times are in UTC. A run without a verdict did not begin, or is under way.</p>\n\
         <div class=\"runs\" tabindex=\"0\" role=\"region\" aria-label=\"Runs\">\n<table>\n<thead><tr>",
        places.len()
    );
    for heading in ["Began", "Workload", "Verdict", "Files", "Nodes", "Faults", "Length", "Seed"] {
        let _ = write!(page, "<th scope=\"col\">{heading}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    places.iter().take(MOST).for_each(|place| add_row(&mut page, store, place));
    page.push_str("</tbody>\n</table>\n</div>\n</main>\n</body>\n</html>\n");
    page
}

const OWN_STYLE: &str = "\
.runs { overflow-x: auto; }
.runs table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.runs th, .runs td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
.runs td.faults { white-space: normal; min-width: 8em; }
.runs a { color: var(--focus); }
@media (max-width: 45rem) {
  .runs thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .runs tr { display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .runs td { padding: 0; border: 0; } .runs td.faults { min-width: 0; } .runs td:empty { display: none; }
  .runs td[data-label]::before { content: attr(data-label) \" \"; color: var(--soft); }
}
";

/// All runs, the newest first. A folder with another name is not one of them.
fn places(store: &Path) -> Vec<Place> {
    let mut places: Vec<Place> = folders(store)
        .into_iter()
        .flat_map(|workload| {
            let runs = folders(&store.join(&workload)).into_iter().filter(|name| is_run(name));
            runs.map(|name| Place { name, workload: workload.clone() }).collect::<Vec<_>>()
        })
        .collect();
    places.sort_unstable_by(|one, other| other.cmp(one));
    places
}

/// The names of the folders in a folder, but links. Those that need an escape in an address are not ours.
fn folders(folder: &Path) -> Vec<String> {
    let is_plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_plain).collect()
}

/// Whether a name begins like `20260131T235959Z-7`.
fn is_run(name: &str) -> bool {
    let (time, seed) = name.split_once('-').unwrap_or_default();
    let has_shape = time.bytes().enumerate().all(|(place, byte)| match place {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    time.len() == 16 && has_shape && seed.starts_with(|c: char| c.is_ascii_digit())
}

fn add_row(page: &mut String, store: &Path, place: &Place) {
    let Place { name, workload } = place;
    let folder = store.join(workload).join(name);
    let results = read(&folder);
    let (class, verdict) = match &results {
        Some(Results { valid: Some(_), interrupted: true, .. }) => ("broken-off", "interrupted"),
        Some(Results { valid: Some(true), .. }) => ("valid", "valid"),
        Some(Results { valid: Some(false), .. }) => ("invalid", "INVALID"),
        Some(Results { valid: None, .. }) | None => ("broken-off", "none"),
    };
    let plan = results.unwrap_or_default().plan;
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let length = plan.time_limit.map_or_else(String::new, |seconds| format!("{seconds} s"));
    let _ = writeln!(
        page,
        "<tr><td>{}</td><td>{workload}</td><td><span class=\"verdict {class}\">{verdict}</span></td><td>{}</td>\
         <td data-label=\"nodes\">{}</td><td class=\"faults\" data-label=\"faults\">{}</td>\
         <td data-label=\"length\">{length}</td><td data-label=\"seed\">{}</td></tr>",
        began(name),
        links(&folder, place),
        number(plan.node_count),
        escape(&plan.nemesis.join(", ")),
        number(plan.seed),
    );
}

/// The record of a run, if it is there and whole.
fn read(folder: &Path) -> Option<Results> {
    let mut text = String::new();
    File::open(folder.join("results.json")).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// `20260131T235959Z-7` is `2026-01-31 23:59:59`.
fn began(name: &str) -> String {
    let part = |from: usize, until: usize| name.get(from..until).unwrap_or_default();
    let (day, time) = ([part(0, 4), part(4, 6), part(6, 8)], [part(9, 11), part(11, 13), part(13, 15)]);
    format!("{} {}", day.join("-"), time.join(":"))
}

fn links(folder: &Path, Place { name, workload }: &Place) -> String {
    let files = [("report.html", "report"), ("results.json", "results"), ("", "all files")];
    let there = files.into_iter().filter(|(file, _)| folder.join(file).exists());
    let links = there.map(|(file, text)| format!("<a href=\"{workload}/{name}/{file}\">{text}</a>"));
    links.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that goes away with the test.
    struct Scratch(std::path::PathBuf);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn scratch(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("workbench-index-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn add(store: &Path, place: &str, results: &str) {
        let folder = store.join(place);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("results.json"), results).unwrap();
    }

    #[test]
    fn every_run_has_a_row_and_the_newest_is_first() {
        let store = scratch("rows");
        let plan = r#""plan": {"seed": 7, "node_count": 5, "nemesis": ["kill", "<b>"], "time_limit": 20.0}"#;
        add(&store.0, "echo/20260131T235959Z-7", &format!(r#"{{"valid": true, {plan}}}"#));
        add(&store.0, "kafka/20260201T000000Z-8-2", r#"{"valid": false, "interrupted": false}"#);
        add(&store.0, "kafka/20260201T000001Z-8", r#"{"valid": true, "interrupted": true}"#);
        rewrite(&store.0).unwrap();
        let page = fs::read_to_string(store.0.join("index.html")).unwrap();
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("<tr>")).collect();
        assert_eq!(rows.len(), 3);
        assert!(rows[0].contains("interrupted") && rows[1].contains("INVALID"), "{page}");
        for part in ["2026-01-31 23:59:59", ">echo<", ">valid<", ">5<", "kill, &lt;b&gt;", ">20 s<", ">7<"] {
            assert!(rows[2].contains(part), "no {part} in {}", rows[2]);
        }
        assert!(
            rows[2].contains("href=\"echo/20260131T235959Z-7/results.json\"")
                && !rows[2].contains("report.html")
        );
        assert!(!store.0.join(format!(".index-{}.html", std::process::id())).exists());
    }

    #[test]
    fn half_a_record_and_strangers_do_no_harm() {
        let store = scratch("strangers");
        add(&store.0, "echo/20260131T235959Z-7", r#"{"valid": tr"#);
        add(&store.0, "echo/20260131T235958Z-7", r#"["no", "record"]"#);
        add(&store.0, "echo/notes", "{}");
        add(&store.0, "a b/20260131T235959Z-7", "{}");
        fs::create_dir_all(store.0.join("echo/20260131T235957Z-7")).unwrap();
        std::os::unix::fs::symlink("20260131T235959Z-7", store.0.join("echo/20260131T235956Z-7")).unwrap();
        let page = page(&store.0);
        let rows = page.lines().filter(|line| line.starts_with("<tr>"));
        assert!(rows.clone().all(|row| row.contains(">none<")), "{page}");
        assert_eq!(rows.count(), 3, "{page}");
    }

    #[test]
    fn only_the_newest_runs_are_shown() {
        let store = scratch("many");
        for number in 0..MOST + 5 {
            fs::create_dir_all(store.0.join(format!("echo/20260131T{number:06}Z-7"))).unwrap();
        }
        let page = page(&store.0);
        assert_eq!(page.lines().filter(|line| line.starts_with("<tr>")).count(), MOST);
        assert!(
            page.contains("The newest 1000 of 1005")
                && page.contains("00:10:04")
                && !page.contains("00:00:04")
        );
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let store = scratch("alone");
        let page = page(&store.0);
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for foreign in ["src=", "@import", "url(", "http", "<script"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }
}
