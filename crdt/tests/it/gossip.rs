//! A thousand replicas that gossip at random end up with the same counter.

use crdt::{GCounter, PnCounter, Slot};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const REPLICAS: usize = 1000;

/// Deltas or whole states, some delivered twice and some lost.
#[test]
fn a_thousand_replicas_converge() {
    let mut rng = StdRng::seed_from_u64(7);
    let mut slots: Vec<Slot<String>> = (0..REPLICAS).map(|i| Slot::new(format!("n{i}"))).collect();
    let mut states = vec![GCounter::<String>::new(); REPLICAS];
    let mut total = 0_u128;
    for round in 0..60 {
        for to in 0..REPLICAS {
            if round < 5 {
                let n = rng.random_range(0..1000);
                states[to].add_at(&mut slots[to], n).unwrap();
                total += u128::from(n);
            }
            let from = rng.random_range(0..REPLICAS);
            let heard = if rng.random_bool(0.5) {
                states[from].delta_since(&states[to])
            } else {
                states[from].clone()
            };
            match rng.random_range(0..10) {
                0 => {}
                1 => {
                    states[to].merge(&heard);
                    assert!(!states[to].merge(&heard));
                }
                _ => {
                    states[to].merge(&heard);
                }
            }
        }
        if round >= 5 && states.windows(2).all(|pair| pair[0] == pair[1]) {
            assert_eq!(states[0].value(), total);
            return;
        }
    }
    panic!("no convergence in 60 rounds");
}

#[test]
fn up_and_down_converges() {
    let mut rng = StdRng::seed_from_u64(8);
    let mut states = vec![PnCounter::<u32>::new(); 50];
    let mut total = 0_i128;
    for round in 0..400 {
        let to = rng.random_range(0..states.len());
        if round < 300 {
            let n = rng.random_range(-5..5);
            states[to].add(u32::try_from(to).unwrap(), n).unwrap();
            total += i128::from(n);
        }
        let heard = states[rng.random_range(0..50)].clone();
        states[to].merge(&heard);
    }
    let all = states.iter().fold(PnCounter::new(), |mut all, state| {
        all.merge(state);
        all
    });
    for mut state in states {
        state.merge(&all);
        assert_eq!((state.value(), &state), (total, &all));
    }
}
