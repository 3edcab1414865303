//! Everything that `lctr` prints: results to stdout, all else to stderr.
//!
//! What comes from elsewhere (names, commands, errors) is escaped before a person's terminal sees it; only `bytes`
//! passes on what a program wrote, as it is.
//!
//! Keeps: C-41.

use std::io::{self, Write};

use libcontainerd::OutputKind;
use libcontainerd::core::ports::runtime::RuntimeVersion;

use crate::failure::Failure;
use crate::output::escape::escaped;

pub(crate) mod error;
mod escape;
pub(crate) mod json;
pub(crate) mod records;
pub(crate) mod table;
mod time;

/// Prints a line of a result.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    lines([text])
}

/// Prints a result of many lines.
pub(crate) fn lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{}", escaped(line)).map_err(Failure::Print)?;
    }
    out.flush().map_err(Failure::Print)
}

/// Prints text of our own as it is. A reader that is gone needs no help.
pub(crate) fn text(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints what a program wrote, to the same output of ours.
pub(crate) fn bytes(kind: OutputKind, bytes: &[u8]) -> Result<(), Failure> {
    let written = match kind {
        OutputKind::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
        OutputKind::Stderr => io::stderr().lock().write_all(bytes),
    };
    written.map_err(Failure::Print)
}

/// Prints what is known of a runtime.
pub(crate) fn version(runtime: &RuntimeVersion) -> Result<(), Failure> {
    line(&format!("{} {}", runtime.name, runtime.version))?;
    for (name, value) in &runtime.details {
        line(&format!("  {name}: {value}"))?;
    }
    Ok(())
}
