//! Reading and writing, unbuffered, as fast as the other side lets.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::thread;

use crate::pattern;

const CHUNK: usize = 64 * 1024;
/// How the probe exits when nobody takes what it writes.
const WRITE_FAILED: i32 = 74;

/// Writes text to stdout.
pub(crate) fn print(text: &str) {
    write(&mut own(io::stdout()), text.as_bytes());
}

/// Reads stdin to its end.
pub(crate) fn drain() -> Option<()> {
    let mut buffer = vec![0; CHUNK];
    let mut stdin = own(io::stdin());
    while stdin.read(&mut buffer).ok()? > 0 {}
    Some(())
}

/// Copies stdin to stdout.
pub(crate) fn cat() {
    let (mut stdin, mut stdout) = (own(io::stdin()), own(io::stdout()));
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = stdin.read(&mut buffer) {
        write(&mut stdout, &buffer[..count]);
    }
}

/// Writes the pattern of `seed` to stdout and, when told to, that of the next seed to stderr at the same time.
pub(crate) fn emit(bytes: u64, seed: u64, both: bool) {
    let other = both.then(|| thread::spawn(move || pour(own(io::stderr()), bytes, seed + 1)));
    pour(own(io::stdout()), bytes, seed);
    if let Some(other) = other {
        let _ = other.join();
    }
}

/// Writes for ever.
pub(crate) fn fill() -> ! {
    let mut stdout = own(io::stdout());
    loop {
        write(&mut stdout, &[0; CHUNK]);
    }
}

fn pour(mut to: File, bytes: u64, seed: u64) {
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    while offset < bytes {
        let count = (bytes - offset).min(CHUNK as u64) as usize;
        pattern::fill(seed, offset, &mut buffer[..count]);
        write(&mut to, &buffer[..count]);
        offset += count as u64;
    }
}

fn write(to: &mut File, bytes: &[u8]) {
    if to.write_all(bytes).is_err() {
        std::process::exit(WRITE_FAILED);
    }
}

/// The stream without the standard library's buffer.
fn own(stream: impl AsFd) -> File {
    match stream.as_fd().try_clone_to_owned() {
        Ok(descriptor) => File::from(descriptor),
        Err(_) => std::process::exit(WRITE_FAILED),
    }
}
