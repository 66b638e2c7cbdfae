use std::time::Duration;

use workbench::{Counter, Fault, Latency, LatencyShape, Plan, Report, simulate};

use crate::toy::{Bug, Toy};

fn run(seed: u64) -> Report {
    let plan = Plan {
        nemesis: [Fault::Partition, Fault::Kill, Fault::Pause].into(),
        latency: Latency { mean_ms: 20, shape: LatencyShape::Exponential },
        loss: 0.1,
        duplicate: 0.1,
        stagger: Duration::from_millis(0),
        ..Plan::new(&Counter::G, seed)
    };
    simulate(&plan, &mut Toy::factory(Bug::Nothing))
}

fn history(report: &Report) -> Vec<u8> {
    let mut lines = Vec::new();
    report.history.write_jsonl(&mut lines).unwrap();
    lines
}

#[test]
fn the_same_seed_gives_the_same_history_byte_for_byte() {
    for seed in 0..5 {
        let (first, second) = (run(seed), run(seed));
        assert_eq!(history(&first), history(&second));
        assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(&second).unwrap());
    }
    assert_ne!(history(&run(1)), history(&run(2)));
}

#[test]
fn the_history_is_one_json_object_a_line() {
    let lines = String::from_utf8(history(&run(1))).unwrap();
    for (index, line) in lines.lines().enumerate() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["index"], index);
        assert!(["invoke", "ok", "info"].contains(&event["type"].as_str().unwrap()));
    }
    assert!(lines.lines().count() > 2000);
}
