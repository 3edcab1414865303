//! Any output, in lines and parts of lines, in every format of logs.
//!
//! The first byte says how long a part of a line may be and which output has it; the rest is the output.
//!
//! Found must be: no panic; JSON that can be read and says the same text; CRI that says the same bytes.
#![no_main]

use std::time::SystemTime;

use libcontainerd::OutputKind;
use libcontainerd::log_format::{LogFormat, LogFormatter};
use libfuzzer_sys::fuzz_target;

const AT: SystemTime = SystemTime::UNIX_EPOCH;
const TIME: &str = "1970-01-01T00:00:00.000000000Z";

fuzz_target!(|input: &[u8]| {
    let Some((&mode, output)) = input.split_first() else { return };
    let kind = if mode & 0x80 == 0 { OutputKind::Stdout } else { OutputKind::Stderr };
    let (longest, name) = (usize::from(mode & 0x7f) + 1, if mode & 0x80 == 0 { "stdout" } else { "stderr" });
    assert_eq!(json(&formatted(LogFormat::JsonFile, kind, output, longest), name), String::from_utf8_lossy(output));
    let whole = output.is_empty() || output.ends_with(b"\n");
    let wanted = if whole { output.to_vec() } else { [output, b"\n"].concat() };
    assert_eq!(cri(&formatted(LogFormat::Cri, kind, output, longest), name), wanted);
    let stamps = formatted(LogFormat::Stamped, kind, output, longest).len() - output.len();
    assert_eq!(stamps, (TIME.len() + 1) * output.split_inclusive(|byte| *byte == b'\n').count());
});

fn formatted(format: LogFormat, kind: OutputKind, output: &[u8], longest: usize) -> Vec<u8> {
    let (mut formatter, mut out) = (LogFormatter::new(format), Vec::new());
    for line in output.split_inclusive(|byte| *byte == b'\n') {
        let (text, ends) = line.strip_suffix(b"\n").map_or((line, false), |text| (text, true));
        let mut parts = text.chunks(longest).peekable();
        if text.is_empty() {
            formatter.line(kind, AT, b"", true, &mut out);
        }
        while let Some(part) = parts.next() {
            formatter.line(kind, AT, part, ends && parts.peek().is_none(), &mut out);
        }
    }
    formatter.end(kind, AT, &mut out);
    out
}

/// The text of all records.
fn json(records: &[u8], stream: &str) -> String {
    let mut all = String::new();
    for line in records.split_inclusive(|byte| *byte == b'\n') {
        let record: serde_json::Value = serde_json::from_slice(line).expect("JSON");
        assert_eq!((record["stream"].as_str(), record["time"].as_str()), (Some(stream), Some(TIME)));
        all.push_str(record["log"].as_str().expect("text"));
    }
    all
}

/// The bytes of all records, a newline for each that closes a line.
fn cri(records: &[u8], stream: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for line in records.split_inclusive(|byte| *byte == b'\n') {
        let head = |tag: char| format!("{TIME} {stream} {tag} ");
        let text = line.strip_suffix(b"\n").expect("a record is a line");
        match (text.strip_prefix(head('F').as_bytes()), text.strip_prefix(head('P').as_bytes())) {
            (Some(last), _) => all.extend([last, b"\n"].concat()),
            (_, Some(part)) => all.extend(part),
            _ => panic!("{:?} is no record", String::from_utf8_lossy(line)),
        }
    }
    all
}
