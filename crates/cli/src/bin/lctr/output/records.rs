//! Records of kept output on their way to stdout, or to the output that they are from, many at a time.
//!
//! Formats that say which output a record is from go to stdout whole; the others are told apart as they were written.

use std::time::SystemTime;

use libcontainerd::log_format::LogFormatter;
use libcontainerd::{LogLine, OutputKind};

use crate::failure::Failure;
use crate::output;

const MANY: usize = 64 * 1024;

/// Collects records, and prints them.
#[derive(Debug)]
pub(crate) struct Records {
    formatter: LogFormatter,
    /// All go to stdout.
    together: bool,
    /// To where what is collected goes.
    kind: OutputKind,
    text: Vec<u8>,
}

impl Records {
    /// Nothing yet; `together` sends what both outputs have to stdout.
    pub(crate) fn new(formatter: LogFormatter, together: bool) -> Self {
        Records { formatter, together, kind: OutputKind::Stdout, text: Vec::new() }
    }

    /// Adds a line or a part of one.
    pub(crate) fn line(&mut self, line: &LogLine) -> Result<(), Failure> {
        self.turn_to(line.kind)?;
        self.formatter.line(line.kind, line.at, &line.bytes, line.complete, &mut self.text);
        if self.text.len() < MANY { Ok(()) } else { self.flush() }
    }

    /// Adds what the end of an output leaves to say.
    pub(crate) fn end(&mut self, kind: OutputKind, at: SystemTime) -> Result<(), Failure> {
        self.turn_to(kind)?;
        self.formatter.end(kind, at, &mut self.text);
        Ok(())
    }

    /// Prints what was collected.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let printed = output::bytes(self.kind, &self.text);
        self.text.clear();
        printed
    }

    fn turn_to(&mut self, kind: OutputKind) -> Result<(), Failure> {
        let kind = if self.together { OutputKind::Stdout } else { kind };
        if kind == self.kind {
            return Ok(());
        }
        self.flush()?;
        self.kind = kind;
        Ok(())
    }
}
