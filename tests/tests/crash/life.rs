//! A program that writes down what it will write and how it will end, before it does either.
//!
//! Its record is on a bind mount, out of reach of everybody who is killed here. One that halts says when it has
//! written the half and the whole, and waits each time until it is let go on: so a test awaits moments of its life.

use std::path::{Path, PathBuf};
use std::time::Duration;

use libcontainerd_tests::rootfs;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::pipe;

/// So much fits into any pipe of ours.
pub(crate) const FITS: u64 = 48 << 10;
/// More than fits: without a reader the program waits.
pub(crate) const LARGE: u64 = 3 << 20;

/// Long enough for everything that is not lost.
const PATIENCE: Duration = Duration::from_secs(15);

/// The life of one program.
#[derive(Debug)]
pub(crate) struct Life {
    name: String,
    code: u8,
    bytes: u64,
    raw: bool,
    reads: bool,
    out: PathBuf,
    halts: Option<Halts>,
}

#[derive(Debug)]
struct Halts {
    said: Lines<BufReader<pipe::Receiver>>,
    go: pipe::Sender,
}

impl Life {
    /// A program that records itself below `out`, writes so many bytes and ends with `code`.
    pub(crate) fn new(out: &Path, name: &str, code: u8, bytes: u64) -> Self {
        Life { name: name.to_owned(), code, bytes, raw: false, reads: false, out: out.to_owned(), halts: None }
    }

    /// The same, halting at the half and at the whole of its output.
    pub(crate) fn halting(mut self) -> Self {
        let fifo = |kind: &str| {
            let path = self.record(kind);
            mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).expect("a FIFO can be made");
            path
        };
        let (said, go) = (fifo("said"), fifo("go"));
        // Opened for both directions: neither side ever waits for the other to come.
        let mut both = pipe::OpenOptions::new();
        both.read_write(true);
        let said = both.open_receiver(said).expect("a FIFO can be opened");
        let go = both.open_sender(go).expect("a FIFO can be opened");
        self.halts = Some(Halts { said: BufReader::new(said).lines(), go });
        self
    }

    /// The same for a terminal, whose output it makes raw first.
    pub(crate) fn on_terminal(mut self) -> Self {
        self.raw = true;
        self
    }

    /// The same writing nothing: let go on, it keeps what it reads from stdin until the end of that.
    pub(crate) fn reading(self) -> Self {
        Life { reads: true, ..self.halting() }
    }

    /// Its name, also that of its container.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The exit code that it ends with.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// The command that lives it, in the busybox root file system with the records at `/out`.
    pub(crate) fn command(&self) -> [String; 3] {
        ["/bin/sh".to_owned(), "-c".to_owned(), self.script()]
    }

    /// Waits until it says this word.
    pub(crate) async fn says(&mut self, word: &str) {
        let halts = self.halts.as_mut().expect("it halts");
        let line = tokio::time::timeout(PATIENCE, halts.said.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} does not get to {word:?}", self.name));
        assert_eq!(line.unwrap().as_deref(), Some(word));
    }

    /// Lets it go on from where it halts, or will halt next.
    pub(crate) async fn go_on(&mut self) {
        let halts = self.halts.as_mut().expect("it halts");
        halts.go.write_all(b"\n").await.unwrap();
    }

    /// Lets it go on to its end, if it halts at all.
    pub(crate) async fn go_to_its_end(&mut self) {
        if let Some(halts) = &mut self.halts {
            halts.go.write_all(b"\n\n").await.unwrap();
        }
    }

    /// What it has written down of its output; `None` when it never ran so far.
    pub(crate) fn wrote(&self) -> Option<Vec<u8>> {
        // The code is written after the bytes: with it the record is whole.
        let code = std::fs::read_to_string(self.record("code")).ok().filter(|code| code.ends_with('\n'))?;
        assert_eq!(code.trim(), self.code.to_string(), "it is what was asked for");
        assert_eq!(std::fs::read_to_string(self.record("runs")).unwrap(), "ran\n", "{}: once", self.name);
        let wrote = std::fs::read(self.record("wrote")).unwrap();
        assert_eq!(wrote.len() as u64, self.bytes, "it is what was asked for");
        Some(wrote)
    }

    /// What it has read from stdin.
    pub(crate) fn has_read(&self) -> Vec<u8> {
        std::fs::read(self.record("read")).unwrap()
    }

    fn script(&self) -> String {
        let Life { name, code, bytes, .. } = self;
        let seed = name.bytes().fold(1_u64, |sum, byte| sum * 31 % 65_537 + u64::from(byte));
        let raw = if self.raw { "stty raw -echo; " } else { "" };
        let record = format!(
            "{raw}cd /out; echo ran >>{name}.runs; /probe emit {bytes} {seed} >{name}.wrote; echo {code} >{name}.code"
        );
        if self.halts.is_none() {
            return format!("{record}; cat {name}.wrote; exit {code}");
        }
        if self.reads {
            return format!("{record}; echo half >{name}.said; read go <{name}.go; cat >{name}.read; exit {code}");
        }
        let half = bytes / 2;
        // Read byte by byte, so that what lets it go on later stays in the FIFO.
        let halt = |word: &str| format!("echo {word} >{name}.said; read go <{name}.go");
        let (first, rest) = (format!("head -c {half} {name}.wrote"), format!("tail -c +{} {name}.wrote", half + 1));
        format!("{record}; {first}; {}; {rest}; {}; exit {code}", halt("half"), halt("whole"))
    }

    fn record(&self, kind: &str) -> PathBuf {
        self.out.join(format!("{}.{kind}", self.name))
    }
}

/// The root file system that all these programs live in.
pub(crate) fn root() -> String {
    rootfs::busybox().display().to_string()
}
