//! Times as programs and as people read them.
//!
//! Programs get nanoseconds in UTC; people get one number and one unit.

use std::time::{Duration, SystemTime};

use libcontainerd::log_format::Rfc3339;

/// RFC 3339 in UTC with nanoseconds.
pub(crate) fn exact(at: SystemTime) -> String {
    Rfc3339(at).to_string()
}

/// How long something lasts, in its largest unit.
pub(crate) fn rough(duration: Duration) -> String {
    const UNITS: [(u64, &str); 5] =
        [(365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let seconds = duration.as_secs();
    match UNITS.iter().find(|(length, _)| seconds >= *length) {
        Some((length, unit)) => {
            let count = seconds / length;
            format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
        }
        None => "less than a second".to_owned(),
    }
}

/// How long ago something was; the future is now.
pub(crate) fn since(at: SystemTime, now: SystemTime) -> String {
    rough(now.duration_since(at).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_times_have_nanoseconds_and_end_in_z() {
        let at = SystemTime::UNIX_EPOCH + Duration::new(1_767_225_600, 5);
        assert_eq!(exact(at), "2026-01-01T00:00:00.000000005Z");
    }

    #[test]
    fn rough_times_count_in_their_largest_unit() {
        let of = |seconds| rough(Duration::from_secs(seconds));
        assert_eq!(of(0), "less than a second");
        assert_eq!(of(1), "1 second");
        assert_eq!(of(119), "1 minute");
        assert_eq!(of(7_200), "2 hours");
        assert_eq!(of(86_400 * 400), "1 year");
        assert_eq!(since(SystemTime::now() + Duration::from_secs(60), SystemTime::now()), "less than a second");
    }
}
