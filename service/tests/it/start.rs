//! Start and end.

use crate::harness::Setup;

#[test]
fn it_starts_and_says_that_it_is_alive() {
    let counterd = Setup::new().start();
    let answer = ureq::get(format!("{}/livez", counterd.http)).call().unwrap();
    assert_eq!(answer.status(), 200);
}
