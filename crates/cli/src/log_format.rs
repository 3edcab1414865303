//! Kept output in the formats that log readers know: json-file as Docker writes it, CRI as kubelets read it, and plain
//! lines with their time.
//!
//! A machine over lines and parts of lines: bytes in, bytes out, nothing else. What a part cuts in two is put together
//! again where the format needs it: a character for JSON, a line for CRI, which wants every line closed by an `F`.
//!
//! Keeps: no byte of a line is lost or doubled, whatever the parts: `parts_of_a_line_say_the_same_as_the_line`.
//! Source: the reference of Docker's json-file driver; the logging design of the Kubernetes CRI.

use std::fmt;
use std::io::Write;
use std::time::{Duration, SystemTime};

use libcontainerd_core::ports::process_io::OutputKind;

/// How kept output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// The line after its time and a space.
    Stamped,
    /// `{"log":"…\n","stream":"stdout","attrs":{},"time":"…"}`; bytes that are no UTF-8 become U+FFFD.
    JsonFile,
    /// `TIME stdout F line`, with `P` for each part of a line but the last.
    Cri,
}

/// Writes lines in one format.
#[derive(Debug)]
pub struct LogFormatter {
    format: LogFormat,
    stdout: Open,
    stderr: Open,
}

/// What an output has begun and not ended.
#[derive(Debug, Default)]
struct Open {
    /// A line was begun.
    line: bool,
    /// The first bytes of a character whose others are in the next part.
    character: Vec<u8>,
}

impl LogFormatter {
    /// A writer of `format` that has seen nothing yet.
    pub fn new(format: LogFormat) -> Self {
        LogFormatter { format, stdout: Open::default(), stderr: Open::default() }
    }

    /// Appends a line to `out`, or a part of it: `complete` says whether it ends here. `bytes` are without the newline.
    pub fn line(&mut self, kind: OutputKind, at: SystemTime, bytes: &[u8], complete: bool, out: &mut Vec<u8>) {
        let open = match kind {
            OutputKind::Stdout => &mut self.stdout,
            OutputKind::Stderr => &mut self.stderr,
        };
        match self.format {
            LogFormat::Stamped => stamped(open, at, bytes, complete, out),
            LogFormat::JsonFile => json(&whole(&mut open.character, bytes, complete), kind, at, complete, out),
            LogFormat::Cri => cri(bytes, kind, at, complete, out),
        }
        open.line = !complete;
    }

    /// Appends what the end of an output leaves to say, when its last line had no newline.
    pub fn end(&mut self, kind: OutputKind, at: SystemTime, out: &mut Vec<u8>) {
        let open = match kind {
            OutputKind::Stdout => std::mem::take(&mut self.stdout),
            OutputKind::Stderr => std::mem::take(&mut self.stderr),
        };
        match self.format {
            LogFormat::JsonFile if !open.character.is_empty() => json(&open.character, kind, at, false, out),
            LogFormat::Cri if open.line => cri(b"", kind, at, true, out),
            _ => {}
        }
    }
}

/// Shows a time as RFC 3339 has it, in UTC with nine digits of its second; years after 9999 are shown as its last
/// moment, and those before 0 as its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339(pub SystemTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIRST: i64 = -62_167_219_200;
        const LAST: i64 = 253_402_300_799;
        let (seconds, nanos) = since_1970(self.0);
        let (seconds, nanos) = match seconds {
            ..FIRST => (FIRST, 0),
            FIRST..=LAST => (seconds, nanos),
            _ => (LAST, 999_999_999),
        };
        let (year, month, day) = date(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }
}

fn since_1970(at: SystemTime) -> (i64, u32) {
    let split = |d: Duration| (i64::try_from(d.as_secs()).unwrap_or(i64::MAX), d.subsec_nanos());
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => split(after),
        Err(before) => match split(before.duration()) {
            (seconds, 0) => (-seconds, 0),
            (seconds, nanos) => ((-seconds).saturating_sub(1), 1_000_000_000 - nanos),
        },
    }
}

/// Year, month and day of a day since 1970, by the Gregorian calendar: years begin in March here, so that the odd day
/// is the last of a year, and come in eras of 400.
fn date(day: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
    (era * 400 + year, month, of_month)
}

fn name(kind: OutputKind) -> &'static str {
    match kind {
        OutputKind::Stdout => "stdout",
        OutputKind::Stderr => "stderr",
    }
}

/// Writing to memory does not fail.
fn write(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn stamped(open: &Open, at: SystemTime, bytes: &[u8], complete: bool, out: &mut Vec<u8>) {
    if !open.line {
        write(out, format_args!("{} ", Rfc3339(at)));
    }
    out.extend_from_slice(bytes);
    if complete {
        out.push(b'\n');
    }
}

fn cri(bytes: &[u8], kind: OutputKind, at: SystemTime, complete: bool, out: &mut Vec<u8>) {
    write(out, format_args!("{} {} {} ", Rfc3339(at), name(kind), if complete { 'F' } else { 'P' }));
    out.extend_from_slice(bytes);
    out.push(b'\n');
}

fn json(text: &[u8], kind: OutputKind, at: SystemTime, complete: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"log":""#);
    for chunk in text.utf8_chunks() {
        escape(chunk.valid(), out);
        if !chunk.invalid().is_empty() {
            out.extend_from_slice(br"\ufffd");
        }
    }
    if complete {
        out.extend_from_slice(br"\n");
    }
    write(out, format_args!(r#"","stream":"{}","attrs":{{}},"time":"{}"}}"#, name(kind), Rfc3339(at)));
    out.push(b'\n');
}

fn escape(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(br#"\""#),
            '\\' => out.extend_from_slice(br"\\"),
            '\r' => out.extend_from_slice(br"\r"),
            '\t' => out.extend_from_slice(br"\t"),
            '\n' => out.extend_from_slice(br"\n"),
            // The second half of the controls too: whoever looks at the file looks at it in a terminal.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                write(out, format_args!("\\u{:04x}", u32::from(c)));
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// What was held back and `bytes`, without the beginning of a character that the next part may complete: that is held.
fn whole(held: &mut Vec<u8>, bytes: &[u8], complete: bool) -> Vec<u8> {
    let mut text = std::mem::take(held);
    text.extend_from_slice(bytes);
    if !complete {
        *held = text.split_off(text.len() - begun(&text));
    }
    text
}

/// The length of the beginning of a character at the end of `text`.
fn begun(text: &[u8]) -> usize {
    for length in 1..=text.len().min(3) {
        let tail = &text[text.len() - length..];
        match std::str::from_utf8(tail) {
            // An error without a length is an end that came too early.
            Err(e) if e.valid_up_to() == 0 && e.error_len().is_none() => return length,
            Ok(_) => return 0,
            Err(_) => {}
        }
    }
    0
}

#[cfg(test)]
mod tests;
