//! The machine's wall clock: a fixed date, moved by tokio's clock.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The machine is switched on at this many seconds after 1970.
const SWITCHED_ON: Duration = Duration::from_secs(1_700_000_000);

/// A wall clock that starts when it is first looked at; clones are the same clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    started: Arc<OnceLock<Instant>>,
}

impl Clock {
    pub(super) fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + SWITCHED_ON + self.started.get_or_init(Instant::now).elapsed()
    }
}
