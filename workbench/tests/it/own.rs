//! The example that simulates a node of one's own: it passes, and the fault that it plants is found.

use clap::Parser;
use workbench::Verdict;

#[path = "../../examples/simulate_own.rs"]
#[allow(dead_code, reason = "here nobody calls its main function")]
mod simulate_own;

fn judge(flags: &str) -> (Verdict, String) {
    let store = std::env::temp_dir().join(format!("workbench-own-{}", std::process::id()));
    let cli =
        simulate_own::Cli::parse_from(format!("simulate_own --store {} {flags}", store.display()).split(' '));
    let mut out = Vec::new();
    let verdict = simulate_own::judge(&cli, &mut out).unwrap();
    // A run that was valid has left nothing there.
    let _ = std::fs::remove_dir_all(store);
    (verdict, String::from_utf8(out).unwrap())
}

#[test]
fn a_node_of_ones_own_is_valid_and_its_planted_fault_is_found() {
    let (verdict, said) = judge("--seeds 0..40");
    assert_eq!(verdict, Verdict::Valid, "{said}");
    let (verdict, said) = judge("--seeds 0..40 --plant");
    assert_eq!(verdict, Verdict::Invalid, "{said}");
    assert!(said.contains("final-reads") && said.contains("--seeds 1"), "{said}");
}
