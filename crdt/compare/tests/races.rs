//! Every race runs, on the small sizes, and has a time for everybody that its row shows.

use crdt_compare::{Effort, Table, races};

#[test]
fn every_race_fills_its_rows() {
    let table = Table(races().into_iter().flat_map(|race| race.run(Effort::GLANCE)).collect());
    assert_eq!(table.0.len(), 15);
    for row in &table.0 {
        let sizes: Vec<u64> = row.cells.iter().map(|cell| cell.n).collect();
        assert_eq!(sizes, [3, 128], "{}", row.title);
        for cell in &row.cells {
            let times =
                [Some(cell.ours), Some(cell.limit), cell.btree, cell.hash, cell.peer.map(|(_, time)| time)];
            assert!(times.iter().all(|time| time.is_some_and(|time| time > 0.0)), "{}: {times:?}", row.title);
        }
    }
}

#[test]
fn rows_are_the_titles_that_a_race_names() {
    for race in races() {
        let titles: Vec<String> = race.titles().collect();
        let rows: Vec<String> = race.run(Effort::GLANCE).into_iter().map(|row| row.title).collect();
        assert_eq!(titles, rows);
    }
}
