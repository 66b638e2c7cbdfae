use clap::Parser;

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: SimulateOptions,
}

fn parse(flags: &str) -> SimulateOptions {
    Cli::try_parse_from(["simulate"].into_iter().chain(flags.split_whitespace())).unwrap().options
}

#[test]
fn the_flags_of_a_plan_give_that_plan() {
    for flags in [
        "",
        "--nemesis none --node-count 4",
        "--nemesis kill,store --time-limit 7.5 --rate 3 -w pn-counter",
        "--nemesis-from kill,store --max-convergence 3",
        "--nemesis-from kill,store --nemesis loss --only-faults 1,4 --concurrency 5 --load open",
        "--latency 7 --latency-dist uniform --loss 0.25 --duplicate 0.1 --store-loss 1 --nemesis-interval 0.7",
    ] {
        let options = parse(flags);
        let plan = options.plan(17);
        let again = parse(&options.flags(&plan).join(" "));
        assert_eq!((again.plan(17), again.seeds), (plan.clone(), 17..18), "{flags}");
        let Shrunk { plan: smaller, .. } = shrink(&plan, 100, |_| true);
        assert_eq!(parse(&options.flags(&smaller).join(" ")).plan(17), smaller, "{flags}");
    }
}

#[test]
fn a_flag_pins_one_part_and_leaves_the_rest_as_it_was_drawn() {
    let drawn = parse("").plan(17);
    let expected = Plan { nemesis: [crate::nemesis::Fault::Kill].into(), node_count: 6, ..drawn };
    assert_eq!(parse("--nemesis kill --node-count 6").plan(17), expected);
}

#[test]
fn no_run_is_larger_than_a_machine_can_bear() {
    for (flags, is_fine) in [
        ("", true),
        ("--rate 100000 --time-limit 100", true),
        ("--rate 200000", false),
        ("--time-limit 86400", false),
        ("--time-limit 86400 --rate 10", true),
        ("--node-count 1000 --concurrency 11n", false),
    ] {
        assert_eq!(parse(flags).largest().check_size().is_ok(), is_fine, "{flags}");
    }
}

#[test]
fn seeds_are_a_range_or_one() {
    assert_eq!(parse("--seeds 3..9").seeds, 3..9);
    assert_eq!(parse("--seeds 3").seeds, 3..4);
    for wrong in ["x", "-1", "9..3", "3..3", "..", "18446744073709551615", "0..18446744073709551615"] {
        assert!(Cli::try_parse_from(["simulate", "--seeds", wrong]).is_err(), "{wrong}");
    }
}
