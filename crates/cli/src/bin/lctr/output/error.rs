//! What goes to stderr: one clear line for a failure, with its causes, and one with what to do about it.
//!
//! Keeps: C-41; no environment in any of it (C-44), since no error holds one.

use std::error::Error;
use std::io::{self, Write};

use crate::failure::Failure;
use crate::hint;
use crate::output::escape::escaped;

/// Prints a failure and its hint.
pub(crate) fn print(failure: &Failure) {
    if failure.is_reader_gone() {
        return;
    }
    note(&chain(failure));
    if let Some(hint) = hint::of(failure) {
        write(&format!("      {}", escaped(&hint)));
    }
}

/// Prints a remark.
pub(crate) fn note(text: &str) {
    write(&format!("lctr: {}", escaped(text)));
}

/// Prints which properties of a spec will have no effect.
pub(crate) fn unknown_properties(paths: &[String]) {
    if !paths.is_empty() {
        note(&format!("warning: nobody here knows these properties of the spec: {}", paths.join(", ")));
    }
}

/// Prints what is wrong with the command line, as the parser put it in lines.
pub(crate) fn usage(text: &str) {
    for (at, line) in text.trim_end().lines().enumerate() {
        let line = line.strip_prefix("error: ").filter(|_| at == 0).unwrap_or(line);
        write(&format!("{}{}", if at == 0 { "lctr: " } else { "" }, escaped(line)));
    }
}

/// The failure and its causes in one line, no text twice.
fn chain(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// Nobody is left to be told when stderr is gone.
fn write(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use libcontainerd::ErrorKind;

    use super::*;

    #[test]
    fn a_failure_is_one_line_with_every_cause_once() {
        let cause = io::Error::other("disk on fire");
        let error = libcontainerd::Error::new(ErrorKind::System, "the journal cannot be written").because(cause);
        let failure = Failure::from(error.during("create").on(&"web".parse().unwrap()));
        assert_eq!(chain(&failure), "create container web: the journal cannot be written: disk on fire");
    }

    #[test]
    fn a_cause_that_is_already_said_is_not_said_again() {
        let error = libcontainerd::Error::new(ErrorKind::System, "it failed: disk on fire");
        let failure = Failure::from(error.because(io::Error::other("disk on fire")));
        assert_eq!(chain(&failure), "it failed: disk on fire");
    }
}
