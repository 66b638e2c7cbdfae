//! Many counters by name: three shops count articles, and send each other only what changed, in messages of 200 bytes.
//!
//! `cargo run -p crdt-counters --example named`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use crdt::named::{Assembly, Counters};
use std::error::Error;

type Stock = Counters<&'static str>;

/// Brings `to` up to date by messages, and says how many items these had.
fn sync(from: &Stock, to: &mut Stock) -> Result<usize, Box<dyn Error>> {
    let mut items = 0;
    let mut assembly = Assembly::new(1 << 20); // one for each sender
    for delta in from.delta_since(to.versions()) {
        items += delta.len();
        for message in delta.split(200) {
            if let Some(delta) = assembly.accept(message)? {
                to.apply(&delta)?;
            }
        }
    }
    Ok(items)
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let (mut oslo, mut rome, mut bonn) = (Stock::new(), Stock::new(), Stock::new());
    for article in 0..1000 {
        oslo.add("oslo", &format!("article {article}"), 100)?;
    }
    println!("at first: {} items", sync(&oslo, &mut rome)?);
    println!("again: {} items", sync(&oslo, &mut rome)?);

    // A sale: it is seen as a whole or not at all.
    let mut sale = rome.change("rome");
    sale.add("article 7", -2)?.add("article 8", -1)?.add("sales", 1)?;
    sale.commit()?;

    // A till reports its own total. Reported again, through another shop, it counts once.
    for (shop, stock) in [("rome", &mut rome), ("oslo", &mut oslo)] {
        let mut report = stock.change(shop);
        report.report("visitors", "till 3", 41)?;
        report.commit()?;
    }

    // Oslo takes stock of article 7 while it has not heard of the sale: what it had not seen survives the reset.
    let mut count = oslo.change("oslo");
    count.reset("article 7").add("article 7", 90)?;
    count.commit()?;

    println!("rome to bonn: {} items", sync(&rome, &mut bonn)?);
    println!("oslo to bonn: {} items", sync(&oslo, &mut bonn)?);
    for name in ["article 7", "article 8", "sales", "visitors"] {
        println!("{name}: {}", bonn.value(name));
    }
    if (bonn.value("article 7"), bonn.value("visitors")) != (88, 41) {
        return Err("the shops disagree".into());
    }
    Ok(())
}
