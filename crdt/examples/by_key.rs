//! Counters by key: two shops count their stock apart, and then send each other only what is new.
//!
//! `cargo run -p crdt-counters --example by_key`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use crdt::{Delta, Merge, PnCounter};
use std::collections::BTreeMap;
use std::error::Error;

/// By tenant and article, who has put in and taken out how many.
type Stock = BTreeMap<(String, String), PnCounter<String>>;

fn count(stock: &mut Stock, shop: &str, article: &str, n: i64) -> Result<(), Box<dyn Error>> {
    stock.entry(("acme".into(), article.into())).or_default().add(shop, n)?;
    Ok(())
}

/// Brings `to` up to date.
fn sync(from: &Stock, to: &mut Stock) {
    let delta = from.delta_since(to);
    Merge::merge(to, &delta);
    println!("sent {} of {} counters", delta.len(), from.len());
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let (mut oslo, mut rome) = (Stock::new(), Stock::new());
    count(&mut oslo, "oslo", "bolts", 500)?;
    count(&mut oslo, "oslo", "nuts", 200)?;
    sync(&oslo, &mut rome);

    // Both sell while they can't hear each other.
    count(&mut oslo, "oslo", "bolts", -20)?;
    count(&mut rome, "rome", "bolts", -30)?;
    sync(&oslo, &mut rome);
    sync(&rome, &mut oslo);

    for ((tenant, article), counter) in &oslo {
        println!("{tenant} has {counter} {article}");
    }
    if oslo != rome {
        return Err("the shops disagree".into());
    }
    Ok(())
}
