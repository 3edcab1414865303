//! Every environment variable that `lctr` looks at, by name, and the one way to read the caller's.
//!
//! No other file names one or reads one.

/// Where state is kept, as `--root`.
pub(crate) const ROOT: &str = "LCTR_ROOT";

/// Where large things are kept, as `--data`.
pub(crate) const DATA: &str = "LCTR_DATA";

/// What is logged, as `--log-level`.
pub(crate) const LOG: &str = "LCTR_LOG";

/// What is logged, by the filters that Rust programs share; `LCTR_LOG` goes first.
pub(crate) const RUST_LOG: &str = "RUST_LOG";

/// The caller's variable `key`, for containers that are given it by name; none when it is not set or is no text.
pub(crate) fn of_caller(key: &str) -> Option<String> {
    std::env::var(key).ok()
}
