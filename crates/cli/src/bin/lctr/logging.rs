//! The log of `lctr` itself, on stderr, and only when somebody asked for it: setting one up costs start-up time.
//!
//! `--log-level`, then `LCTR_LOG`, then `RUST_LOG`; each may be a filter by module too.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::args::{Global, LogFormat};
use crate::{env, output};

/// Sets up the log that the options and the environment ask for.
pub(crate) fn set_up(global: &Global) {
    let Some(wish) = global.log_level.clone().or_else(|| env::of_caller(env::RUST_LOG)) else { return };
    let filter = match EnvFilter::try_new(&wish) {
        Ok(filter) => filter,
        Err(_) => {
            output::error::note("the log level is none; try off, error, warn, info, debug or trace");
            return;
        }
    };
    // An operation is a span: its line comes when it is done, with the time that it took.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE);
    let set = match global.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    if let Err(error) = set {
        output::error::note(&format!("there will be no log: {error}"));
    }
}
