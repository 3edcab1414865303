//! Reading what a process says, and judging it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::ports::process_io::{InputStream, OutputStream};
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
