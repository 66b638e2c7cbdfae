//! What the three grids have in common: their sizes, and how long each part is measured.

use criterion::Criterion;
use std::time::Duration;

pub(crate) const SIZES: [u64; 6] = [3, 16, 128, 1024, 16_384, 1 << 20];

/// Short, for there are many: medians of ten samples.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .nresamples(1000)
        .warm_up_time(Duration::from_millis(60))
        .measurement_time(Duration::from_millis(200))
        .configure_from_args()
}
