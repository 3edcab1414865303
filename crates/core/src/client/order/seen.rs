//! Which events were seen already, by their sequence.
//!
//! Keeps the latest numbers; whatever is below the oldest of them counts as seen. So an event that is told twice is
//! dropped, and one that comes late is not, as long as it is not later than the window is wide.

use std::collections::BTreeSet;

const WINDOW: usize = 1024;

/// The sequence numbers that were seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    below: u64,
    latest: BTreeSet<u64>,
}

impl Seen {
    /// Notes `sequence` and says whether it is new.
    pub(super) fn is_new(&mut self, sequence: u64) -> bool {
        if sequence < self.below || !self.latest.insert(sequence) {
            return false;
        }
        if self.latest.len() > WINDOW
            && let Some(oldest) = self.latest.pop_first()
        {
            self.below = oldest + 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_dropped_late_ones_are_not_and_memory_is_bounded() {
        let mut seen = Seen::default();
        assert!(seen.is_new(7));
        assert!(!seen.is_new(7));
        assert!(seen.is_new(5));
        assert!(!seen.is_new(5));
        for sequence in 8..100_000 {
            assert!(seen.is_new(sequence));
        }
        assert_eq!(seen.latest.len(), WINDOW);
        assert!(!seen.is_new(9), "what fell out of the window counts as seen");
    }
}
