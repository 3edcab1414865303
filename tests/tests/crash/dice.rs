//! Chance with a seed that is told: a failure at a random moment can be looked for again.
//!
//! `LCTR_CRASH_SEED` sets the seed and `LCTR_CRASH_SECONDS` the time of each sweep; both have a default.

use std::time::{Duration, Instant, SystemTime};

const SECONDS: u64 = 10;

/// A source of numbers that only its seed decides.
#[derive(Debug)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// Dice whose seed is told on stderr, for `purpose`.
    pub(crate) fn new(purpose: &str) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seed = number("LCTR_CRASH_SEED").unwrap_or(now.as_nanos() as u64 & 0xffff_ffff);
        eprintln!("{purpose}: LCTR_CRASH_SEED={seed}");
        Dice { state: seed }
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// A time shorter than `span`.
    pub(crate) fn within(&mut self, span: Duration) -> Duration {
        Duration::from_micros(self.below(span.as_micros().max(1) as u64))
    }
}

/// When a sweep that begins now is over.
pub(crate) fn end_of_sweep() -> Instant {
    Instant::now() + Duration::from_secs(number("LCTR_CRASH_SECONDS").unwrap_or(SECONDS))
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
