//! The log of one container's monitor and witness: what they did that nobody asked them for.
//!
//! Lines with a time, in one file that is bounded: once it is full, its later half is kept. Both processes write it by
//! appending whole lines.
//!
//! Keeps: C-44 of SECURITY.md: no environment, no input, of arguments only the program's name.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags};

use crate::layout;
use crate::sys;

/// The exit code of a monitor that panicked.
const PANICKED: i32 = 101;
/// The most bytes that the file has.
const LONGEST: u64 = 256 * 1024;

/// The number of the log that was opened last, for a panic that knows nothing else.
static LATEST: AtomicI32 = AtomicI32::new(-1);

/// From now on a panic is written into the log and ends the process at once, without a destructor: what is open in a
/// shared table stays open for a successor.
pub(crate) fn note_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let number = LATEST.load(Ordering::Relaxed);
        if let Ok(mut file) = std::fs::OpenOptions::new().append(true).open(format!("/proc/self/fd/{number}")) {
            let _ = writeln!(file, "panic in {}: {panic}", std::process::id());
        }
        sys::exit_now(PANICKED)
    }));
}

/// The log of one container.
#[derive(Debug)]
pub(crate) struct Diary {
    file: OwnedFd,
    /// Who writes: `monitor` or `witness`.
    writer: Cell<&'static str>,
}

impl Diary {
    /// Opens the log in a container's directory, making it where missing.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn open(run: impl AsFd) -> io::Result<Diary> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(run, layout::LOG, flags, Mode::from_raw_mode(0o600))?;
        LATEST.store(file.as_raw_fd(), Ordering::Relaxed);
        Ok(Diary { file, writer: Cell::new("witness") })
    }

    /// From now on the lines are the monitor's.
    pub(crate) fn written_by(&self, writer: &'static str) {
        self.writer.set(writer);
    }

    /// Writes a line. That it cannot be written is nobody's business.
    pub(crate) fn note(&self, what: fmt::Arguments<'_>) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = what.to_string().replace(char::is_control, " ");
        let (pid, writer) = (std::process::id(), self.writer.get());
        let line = format!("{}.{:03} {writer}[{pid}] {text}\n", since.as_secs(), since.subsec_millis());
        if rustix::fs::fstat(&self.file).is_ok_and(|stat| stat.st_size as u64 > LONGEST) {
            self.halve();
        }
        let _ = rustix::io::write(&self.file, line.as_bytes());
    }

    /// The number of its descriptor.
    pub(crate) fn number(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    fn halve(&self) {
        let mut kept = vec![0; (LONGEST / 2) as usize];
        let read = rustix::io::pread(&self.file, &mut kept, LONGEST / 2).unwrap_or(0);
        let _ = rustix::fs::ftruncate(&self.file, 0);
        let whole = kept[..read].iter().position(|byte| *byte == b'\n').map_or(read, |end| end + 1);
        let _ = rustix::io::write(&self.file, &kept[whole..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_keeps_its_newest_lines_whole() {
        let dir = tempfile::tempdir().unwrap();
        let diary = Diary::open(std::fs::File::open(dir.path()).unwrap()).unwrap();
        for number in 0..8000 {
            diary.note(format_args!("line {number} of a log that goes on for ever and ever"));
        }
        let text = std::fs::read_to_string(dir.path().join(layout::LOG)).unwrap();
        assert!(text.len() as u64 <= LONGEST + 200 && text.lines().count() > 1000);
        assert!(text.lines().all(|line| line.ends_with("ever and ever")));
        assert!(text.ends_with("line 7999 of a log that goes on for ever and ever\n"));
    }
}
