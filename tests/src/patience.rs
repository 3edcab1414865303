//! How long tests wait for what must come: longer on a host that is known to be slow.
//!
//! `LCTR_TEST_PATIENCE` is the factor, a whole number; 1 unless told. An emulated host needs about 10.

use std::time::Duration;

/// By how much longer than usual a test may wait here.
pub fn factor() -> u32 {
    std::env::var("LCTR_TEST_PATIENCE").ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// The time to wait for what takes at most `usual` on an ordinary host.
pub fn at_most(usual: Duration) -> Duration {
    usual * factor()
}
