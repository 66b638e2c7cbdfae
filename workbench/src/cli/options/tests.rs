use clap::Parser;

use super::*;
/// Every flag of Maelstrom's `test`, with a value, and what becomes of it here.
#[test]
fn every_flag_of_maelstroms_is_honoured_or_refused_with_a_reason() {
    enum Fate {
        Honoured,
        /// It changes nothing, and a note says why.
        Noted,
        Refused,
    }
    use Fate::{Honoured, Noted, Refused};
    let flags = [
        ("--availability total", Honoured),
        ("--bin x", Honoured),
        ("--concurrency 4n", Honoured),
        ("--consistency-models read-committed", Honoured),
        ("--key-count 3", Honoured),
        ("--latency 10", Honoured),
        ("--latency-dist exponential", Honoured),
        ("--leave-db-running", Refused),
        ("--log-net-recv", Noted),
        ("--log-net-send", Noted),
        ("--log-stderr", Noted),
        ("--logging-json", Refused),
        ("--max-txn-length 4", Honoured),
        ("--max-writes-per-key 8", Honoured),
        ("--nemesis partition", Honoured),
        ("--nemesis-interval 5", Honoured),
        ("--no-ssh", Noted),
        ("--node n1", Refused),
        ("-n n1", Refused),
        ("--node-count 3", Honoured),
        ("--nodes n1,n2", Honoured),
        ("--nodes-file nodes", Refused),
        ("--password x", Refused),
        ("--rate 10", Honoured),
        ("--ssh-private-key x", Refused),
        ("--strict-host-key-checking", Refused),
        ("--test-count 2", Honoured),
        ("--time-limit 5", Honoured),
        ("--topology tree3", Honoured),
        ("--username x", Refused),
        ("-w txn-list-append", Honoured),
        ("--workload txn-list-append", Honoured),
    ];
    for (flag, fate) in flags {
        let options =
            parse(&format!("-w txn-list-append {flag}")).unwrap_or_else(|error| panic!("{flag}: {error}"));
        let (notes, refused) = (options.notes().len(), options.check().err());
        match fate {
            Honoured => assert_eq!((notes, refused.is_none()), (0, true), "{flag}"),
            Noted => assert_eq!((notes, refused.is_none()), (1, true), "{flag}"),
            Refused => {
                let text = refused.map_or_else(String::new, |error| error.to_string());
                assert!(text.contains("is not supported, because"), "{flag}: {text}");
            }
        }
    }
}

#[test]
fn times_have_units() {
    let limit = |text: &str| parse(&format!("--time-limit {text}")).unwrap().time_limit;
    for (text, millis) in [("20", 20_000), ("20s", 20_000), ("1m", 60_000), ("500ms", 500), ("0.5", 500)] {
        assert_eq!(limit(text), Some(Duration::from_millis(millis)), "{text}");
    }
    let latency = |text: &str| parse(&format!("--latency {text}")).map(|options| options.latency).ok();
    assert_eq!((latency("100"), latency("100ms"), latency("1s")), (Some(100), Some(100), Some(1000)));
    assert_eq!((latency("1us"), latency("2m"), latency("x")), (None, None, None));
    for wrong in ["x", "25h", "20 parsecs", "s"] {
        let args = ["test", "--time-limit", wrong];
        assert!(Cli::try_parse_from(args).is_err(), "{wrong}");
    }
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: TestOptions,
}

fn parse(flags: &str) -> Result<TestOptions, clap::Error> {
    let args = ["test"].into_iter().chain(flags.split_whitespace());
    Cli::try_parse_from(args).map(|cli| cli.options)
}

#[test]
fn the_defaults_are_the_default_plan_with_partitions() {
    let plan = parse("").unwrap().plan(9);
    let own = Plan {
        nemesis: [Fault::Partition].into(),
        load: LoadModel::Open,
        trace: true,
        ..Plan::new(&Counter::G, 9)
    };
    assert_eq!(plan, own);
}

#[test]
fn for_other_programs_the_defaults_are_maelstroms() {
    let plan = parse("--bin x").unwrap().plan(9);
    let expected = Plan {
        rate: 5.0,
        time_limit: Duration::from_mins(1),
        first_node: 1,
        node_count: 5,
        nemesis_interval: Duration::from_secs(10),
        probes: false,
        strict: BTreeSet::new(),
        trace: true,
        ..Plan::new(&LinKv, 9)
    };
    assert_eq!(plan, expected);
}

#[test]
fn of_a_flag_given_twice_the_last_counts() {
    let plan = parse("--seed 1 --rate 3 --nemesis kill --seed 2 --rate 4 --json --json --nemesis none")
        .unwrap()
        .plan(9);
    assert_eq!((plan.seed, plan.rate, plan.nemesis.len()), (2, 4.0, 0));
}

#[test]
fn flags_of_maelstroms_guide_are_accepted() {
    for (flags, notes) in [
        ("--log-stderr --log-net-send --log-net-recv", 3),
        ("--topology tree4", 0),
        ("--topology total", 0),
        ("--nodes n1", 0),
        ("--nodes n1,n2,n3", 0),
        ("--consistency-models read-committed --key-count 3 --max-txn-length 4 --max-writes-per-key 8", 4),
    ] {
        let options = parse(flags).unwrap_or_else(|error| panic!("{flags}: {error}"));
        assert_eq!(options.notes().len(), notes, "{flags}");
    }
    let nodes = |flags: &str| parse(flags).unwrap().plan(9).nodes();
    assert_eq!(nodes("--bin x --nodes n1"), 1..2);
    assert_eq!(nodes("--nodes n1,n2 --node-count 4"), 0..4);
    assert_eq!((nodes(""), nodes("--bin x"), nodes("--bin x --node-count 2")), (0..3, 1..6, 0..2));
    assert_eq!(parse("--topology tree4").unwrap().plan(9).topology, Topology::Tree4);
    for wrong in ["--nodes ,", "--topology ring"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn convergence_of_a_foreign_node_is_not_measured_by_reading_it() {
    let check = |flags: &str| parse(flags).unwrap().check();
    assert!(check("--max-convergence 2").is_ok());
    let refused = check("--bin x --max-convergence 2").unwrap_err().to_string();
    assert!(refused.contains("--final-wait 2"), "{refused}");
    assert!(check("--bin x --max-convergence 2 --final-wait 2").is_ok());
}

#[test]
fn maelstroms_flags_mean_what_they_mean_there() {
    let flags = "-w pn-counter --node-count 5 --concurrency 2n --rate 10.5 --time-limit 60 --latency 100 \
         --latency-dist exponential --nemesis partition,kill,pause --nemesis-interval 7 --availability total";
    let plan = parse(flags).unwrap().plan(9);
    assert_eq!((plan.workload.name(), plan.node_count, plan.workers()), ("pn-counter", 5, 10));
    assert_eq!(plan.nemesis, [Fault::Partition, Fault::Kill, Fault::Pause].into());
    assert_eq!(plan.nemesis_interval, Duration::from_secs(7));
    assert_eq!(plan.availability, Some(1.0));
    assert_eq!(plan.latency, Latency { mean_ms: 100, shape: LatencyShape::Exponential });
}

#[test]
fn the_own_node_is_judged_strictly_and_others_as_asked() {
    let strict = |flags: &str| parse(flags).unwrap().plan(9).strict;
    let all: BTreeSet<Check> = Check::strict().collect();
    assert_eq!(strict(""), all);
    assert!(strict("--lenient").is_empty() && strict("--bin x").is_empty());
    assert!(strict("--bin x --lenient").is_empty());
    assert_eq!(strict("--bin x --strict"), all);
    let two = [Check::OwnAdds, Check::Agreement].into();
    assert_eq!(strict("--bin x --strict=own-adds,agreement"), two);
    assert_eq!(strict("--strict=agreement,own-adds"), two);
    assert!(all.iter().all(|check| check.is_strict()));
}

#[test]
fn a_promise_is_made_by_asking_for_its_check() {
    let promises = |flags: &str| parse(flags).unwrap().plan(9).promises;
    assert!(promises("--bin x --strict=monotonic-reads-across-crashes").reads_survive_crashes);
    assert!(!promises("--bin x --strict").reads_survive_crashes);
}

#[test]
fn a_flag_without_effect_is_refused() {
    let check = |flags: &str| parse(flags).unwrap().check();
    for flags in [
        "--strict=own-adds -w pn-counter",
        "--strict=agreement -w echo",
        "--strict=definite-errors -w g-set",
        "--strict=malformed",
    ] {
        assert!(check(flags).is_err(), "{flags}");
    }
    for flags in ["--strict -w echo", "--strict=malformed --malformed 9", "--strict=agreement -w g-set"] {
        assert!(check(flags).is_ok(), "{flags}");
    }
}

/// A list by hand may miss a new one. The command line's list misses none.
#[test]
fn the_lists_of_faults_and_checks_are_complete() {
    use clap::ValueEnum;
    assert_eq!(Fault::ALL, Fault::value_variants());
    assert_eq!(Check::ALL, Check::value_variants());
    for fault in Fault::ALL {
        assert_eq!(Fault::from_str(&fault.name(), false), Ok(fault));
    }
}

#[test]
fn long_runs_have_maelstroms_interval() {
    assert_eq!(parse("--time-limit 200").unwrap().plan(9).nemesis_interval, Duration::from_secs(10));
}

#[test]
fn arguments_after_two_dashes_are_for_the_node() {
    let options = parse("--nemesis none --seed 3 -- --ack memory").unwrap();
    assert_eq!(options.node_args, ["--ack", "memory"]);
    assert_eq!((options.plan(9).seed, options.plan(9).nemesis.len()), (3, 0));
}

#[test]
fn every_number_has_bounds_and_says_which() {
    use clap::CommandFactory;
    use clap::error::ErrorKind::{MissingRequiredArgument, ValueValidation};
    let command = Cli::command();
    let names = ["N", "HZ", "S", "MS", "FRACTION", "SEED", "P", "US", "MB"];
    let is_number =
        |arg: &&clap::Arg| arg.get_value_names().is_some_and(|given| names.contains(&given[0].as_str()));
    let numbers: Vec<_> = command.get_arguments().filter(is_number).filter_map(clap::Arg::get_long).collect();
    assert!(numbers.len() >= 19, "{numbers:?}");
    for flag in numbers {
        // `--seed` alone takes all that 64 bits hold.
        for value in ["-1", "-0.5", "nan", "inf", "1e400", "18446744073709551616"] {
            let error = parse(&format!("--{flag} {value}")).unwrap_err();
            let text = error.to_string();
            assert!(matches!(error.kind(), ValueValidation | MissingRequiredArgument), "{text}");
            assert!(text.contains("expected") && text.contains(" to "), "{text}");
        }
    }
}

#[test]
fn a_run_that_no_machine_can_bear_is_refused() {
    for flags in ["--concurrency 5000n", "--rate 1000000", "--rate 200 --time-limit 86400"] {
        let error = parse(flags).unwrap().check().unwrap_err().to_string();
        assert!(error.contains("at most"), "{error}");
    }
    for flags in ["--concurrency 3000n", "--concurrency 10n --node-count 1000", "--time-limit 86400"] {
        parse(flags).unwrap().check().unwrap();
    }
}

#[test]
fn nonsense_is_refused() {
    for flags in [
        "--loss 2",
        "--loss nan",
        "--node-count 0",
        "--concurrency 0n",
        "--concurrency x",
        "--concurrency 99999999999n",
        "--concurrency 10001",
        "--rate 1e-300",
        "--flood 0",
        "--nemesis-interval 1e-9",
        "--malformed 100001",
        "--max-rss-mb 18014398509481985",
        "--rate -1",
        "--rate inf",
        "--nemesis earthquake",
        "--availability 7",
        "--time-limit -3",
        "--nemesis-interval 0",
        "--max-cpu-us 2",
        "--latency-dist wavy",
        "--strict --lenient",
        "--strict=own-adds,charm",
        "--strict own-adds",
        "--strict --flood 9",
        "--lenient --flood 9",
        "extra",
    ] {
        assert!(parse(flags).is_err(), "{flags}");
    }
}
