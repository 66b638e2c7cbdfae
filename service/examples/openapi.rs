//! Prints the document that describes the routes. Run it after a change of one:
//!
//! ```sh
//! cargo run -p counterd --example openapi > service/openapi.json
//! ```

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(counterd::http::document().as_bytes())
}
