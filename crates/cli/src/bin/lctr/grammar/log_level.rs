//! What `lctr` itself logs: a level, or levels by module, as Rust's programs take them.
//!
//! A lone word that is no level would be taken for a module's name, and nothing would be logged: it is refused.

use tracing_subscriber::EnvFilter;

use super::GrammarError;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads a filter; its text is what is kept.
pub(crate) fn parse(text: &str) -> Result<String, GrammarError> {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let is_directive = |word: &str| match word.rsplit_once('=') {
        Some((target, level)) => !target.is_empty() && is_level(level),
        None => is_level(word),
    };
    if !text.split(',').map(str::trim).all(is_directive) || EnvFilter::try_new(text).is_err() {
        return Err(GrammarError::LogLevel);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_levels_by_module_are_read() {
        for text in ["off", "warn", "DEBUG", "warn,libcontainerd_core=trace", "libcontainerd_embedded::runtime=debug"] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_word_that_is_no_level_is_refused() {
        for text in ["", "loud", "warn,", "debug,loud", "core=loud", "=warn", "5"] {
            assert_eq!(parse(text), Err(GrammarError::LogLevel), "{text}");
        }
    }
}
