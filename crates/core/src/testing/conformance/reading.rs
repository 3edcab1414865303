//! Reading what a process says, and judging it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{LogStream, Logs};
use crate::ports::process_io::{EndOfOutput, InputStream, OutputKind, OutputStream, Piece};
use crate::testing::pattern;

const CHUNK: usize = 64 * 1024;

/// Everything up to end-of-file.
pub(super) async fn all(stream: &mut dyn OutputStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("the stream can be read to its end");
    bytes
}

/// Everything up to end-of-file, as text whose line ends are plain.
pub(super) async fn text(stream: &mut dyn OutputStream) -> String {
    String::from_utf8(all(stream).await).expect("the stream is text").replace("\r\n", "\n")
}

/// The next line, without its end.
pub(super) async fn line(stream: &mut dyn OutputStream) -> String {
    let mut line = Vec::new();
    loop {
        let byte = stream.read_u8().await.expect("a line comes before the stream ends");
        match byte {
            b'\n' => return String::from_utf8(line).expect("the line is text").trim_end_matches('\r').to_owned(),
            other => line.push(other),
        }
    }
}

/// Reads lines until there is `wanted`.
pub(super) async fn until_line(stream: &mut dyn OutputStream, wanted: &str) {
    while line(stream).await != wanted {}
}

/// Reads to end-of-file and checks that it is exactly `bytes` bytes of `seed`'s pattern.
pub(super) async fn check_pattern(stream: &mut dyn OutputStream, seed: u64, bytes: u64) {
    let (mut found, mut wanted) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut offset = 0;
    loop {
        let count = stream.read(&mut found).await.expect("the stream can be read");
        if count == 0 {
            break;
        }
        pattern::fill(seed, offset, &mut wanted[..count]);
        assert!(found[..count] == wanted[..count], "bytes differ between {offset} and {}", offset + count as u64);
        offset += count as u64;
    }
    assert_eq!(offset, bytes, "bytes were lost or added");
}

/// Checks that `found` is exactly the stretch of `seed`'s pattern that begins at `offset`.
pub(super) fn check_stretch(found: &[u8], seed: u64, offset: u64) {
    let mut wanted = vec![0; found.len()];
    pattern::fill(seed, offset, &mut wanted);
    assert!(found == wanted, "{} bytes from {offset} on differ", found.len());
}

/// All that a read of kept output gave.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// From where to where nothing was kept.
    pub(super) lost: Vec<(u64, u64)>,
    pub(super) ends: Vec<(OutputKind, EndOfOutput)>,
    /// The offset after the last byte.
    pub(super) offset: u64,
}

impl Heard {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("the output is text").replace("\r\n", "\n")
    }

    pub(super) fn ended(&self, kind: OutputKind) -> Option<EndOfOutput> {
        self.ends.iter().rev().find(|(of, _)| *of == kind).map(|(_, why)| *why)
    }

    fn take(&mut self, piece: Piece, gapless: bool) {
        match piece {
            Piece::Bytes { offset, kind, bytes, .. } => {
                assert!(offset == self.offset || (!gapless && offset > self.offset), "{offset} after {}", self.offset);
                assert!(!bytes.is_empty(), "a piece of nothing");
                self.offset = offset + bytes.len() as u64;
                match kind {
                    OutputKind::Stdout => self.stdout.extend_from_slice(&bytes),
                    OutputKind::Stderr => self.stderr.extend_from_slice(&bytes),
                }
            }
            Piece::Lost { from, to } => {
                assert!(from == self.offset && to > from, "lost {from}..{to} after {}", self.offset);
                self.offset = to;
                self.lost.push((from, to));
            }
            Piece::End { kind, why, .. } => self.ends.push((kind, why)),
        }
    }
}

/// Reads kept output of both outputs, from offset 0 on, to its end: each offset is there or said to be lost.
pub(super) async fn hear(logs: Logs) -> Heard {
    hear_from(logs, 0).await
}

/// The same, of a read that begins at `offset`.
pub(super) async fn hear_from(logs: Logs, offset: u64) -> Heard {
    listen(logs.open().await.expect("its output is kept"), Heard { offset, ..Heard::default() }, true).await
}

/// The same, of a read whose offsets have holes: of one output, or from a place that is not an offset.
pub(super) async fn hear_some(logs: Logs) -> Heard {
    listen(logs.open().await.expect("its output is kept"), Heard::default(), false).await
}

/// The same as [`hear`], of a read that is open already.
pub(super) async fn drain_log(stream: LogStream) -> Heard {
    listen(stream, Heard::default(), true).await
}

async fn listen(mut stream: LogStream, mut heard: Heard, gapless: bool) -> Heard {
    while let Some(piece) = stream.next().await.expect("what is kept can be read") {
        heard.take(piece, gapless);
    }
    heard
}

/// Writes `bytes` bytes of `seed`'s pattern.
pub(super) async fn write_pattern(stream: &mut dyn InputStream, seed: u64, bytes: u64) {
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    while offset < bytes {
        let count = (bytes - offset).min(CHUNK as u64) as usize;
        pattern::fill(seed, offset, &mut buffer[..count]);
        stream.write_all(&buffer[..count]).await.expect("the process reads its input");
        offset += count as u64;
    }
}
