//! How long to wait before the next attempt: twice as long each time, up to a limit.
//!
//! Pure: whoever uses it does the waiting, by tokio's clock.

use std::time::Duration;

/// Waits that grow while nothing works.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// From 100 ms to 5 s: soon enough for a restart, rare enough for an outage.
    pub(super) fn new() -> Self {
        let first = Duration::from_millis(100);
        Backoff { first, most: Duration::from_secs(5), next: first }
    }

    /// How long to wait now.
    pub(super) fn wait(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.most);
        now
    }

    /// Something worked: begins anew.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new();
        let waits: Vec<u64> = (0..8).map(|_| backoff.wait().as_millis() as u64).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        backoff.reset();
        assert_eq!(backoff.wait(), Duration::from_millis(100));
    }
}
