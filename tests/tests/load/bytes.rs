//! Gibibytes through one container: each byte is compared with what the program was given to write.
//!
//! The program writes the same random file over and over, so that a reader compares with a slice of memory and the
//! comparison costs nothing beside the reading.

use std::path::Path;
use std::sync::Arc;

use libcontainerd::core::ports::process_io::{OutputKind, OutputStream, Piece, ReadFrom};
use libcontainerd::core::stdio::{Keep, Stdio};
use libcontainerd::{Client, ExitStatus, ProcessRef};
use tokio::io::AsyncReadExt;

use crate::scene::{Scene, exit_at_once, remove, times, trials};

trials!(
    two_gibibytes_of_each_output_pass_live_byte_for_byte,
    two_gibibytes_of_each_output_are_kept_for_readers_of_whom_one_has_stopped,
);

const FILE: usize = 16 << 20;

/// How often each file is written: 2 GiB.
fn rounds() -> usize {
    times((2 << 30) / FILE)
}

/// What the two outputs repeat.
#[derive(Debug, Clone)]
struct Written {
    stdout: Arc<[u8]>,
    stderr: Arc<[u8]>,
}

impl Written {
    fn make(directory: &Path) -> Written {
        std::fs::create_dir(directory).unwrap();
        let random = |name: &str| -> Arc<[u8]> {
            let mut bytes = vec![0; FILE];
            let mut source = std::fs::File::open("/dev/urandom").unwrap();
            std::io::Read::read_exact(&mut source, &mut bytes).unwrap();
            std::fs::write(directory.join(name), &bytes).unwrap();
            bytes.into()
        };
        Written { stdout: random("stdout"), stderr: random("stderr") }
    }

    fn script() -> String {
        let rounds = rounds();
        let writes = |name: &str| format!("for i in $(seq {rounds}); do cat /data/{name}; done");
        format!("({}) >&2 & {}; wait; exit 9", writes("stderr"), writes("stdout"))
    }
}

/// Compares what comes with what is repeated, from the beginning.
#[derive(Debug)]
struct Comparison {
    repeated: Arc<[u8]>,
    seen: usize,
}

impl Comparison {
    fn with(repeated: &Arc<[u8]>) -> Comparison {
        Comparison { repeated: Arc::clone(repeated), seen: 0 }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let at = self.seen % FILE;
            let count = bytes.len().min(FILE - at);
            assert!(bytes[..count] == self.repeated[at..at + count], "different after byte {}", self.seen);
            self.seen += count;
            bytes = &bytes[count..];
        }
    }

    fn is_whole(&self) {
        assert_eq!(self.seen, rounds() * FILE, "bytes are missing, or too many");
    }
}

async fn compare(mut stream: Box<dyn OutputStream>, repeated: Arc<[u8]>) {
    let mut comparison = Comparison::with(&repeated);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return comparison.is_whole(),
            count => comparison.take(&buffer[..count]),
        }
    }
}

async fn two_gibibytes_of_each_output_pass_live_byte_for_byte(scene: Arc<Scene>) {
    let written = Written::make(&scene.place("written"));
    let container = scene.script_on("live", &Written::script(), Stdio::output(), scene.place("written"));
    let mut container = container.spawn().await.unwrap();
    let (stdout, stderr) = (container.init.stdout.take().unwrap(), container.init.stderr.take().unwrap());
    let readers = [tokio::spawn(compare(stdout, written.stdout)), tokio::spawn(compare(stderr, written.stderr))];
    for reader in readers {
        reader.await.unwrap();
    }
    assert_eq!(exit_at_once(&container).await.status, ExitStatus::Code(9));
    remove(&scene, container.id()).await;
}

/// Follows both outputs from the beginning to their ends.
async fn follow(client: Client, process: ProcessRef, written: Written) {
    let mut stream = client.logs(&process).from(ReadFrom::Start).follow().open().await.unwrap();
    let (mut stdout, mut stderr) = (Comparison::with(&written.stdout), Comparison::with(&written.stderr));
    while let Some(piece) = stream.next().await.unwrap() {
        match piece {
            Piece::Bytes { kind: OutputKind::Stdout, bytes, .. } => stdout.take(&bytes),
            Piece::Bytes { kind: OutputKind::Stderr, bytes, .. } => stderr.take(&bytes),
            Piece::Lost { .. } => panic!("{piece:?}"),
            _ => {}
        }
    }
    stdout.is_whole();
    stderr.is_whole();
}

async fn two_gibibytes_of_each_output_are_kept_for_readers_of_whom_one_has_stopped(scene: Arc<Scene>) {
    let written = Written::make(&scene.place("written"));
    let stdio = Stdio::kept(Keep::unbounded());
    let container = scene.script_on("kept", &Written::script(), stdio, scene.place("written"));
    let container = container.spawn().await.unwrap();
    let (client, process) = (scene.supervisor().client(), ProcessRef::init(container.id().clone()));
    // Opened, read once, and left alone until all is over.
    let mut stopped = client.logs(&process).follow().open().await.unwrap();
    assert!(stopped.next().await.unwrap().is_some());
    let follower = || tokio::spawn(follow(client.clone(), process.clone(), written.clone()));
    let followers = [follower(), follower()];
    for follower in followers {
        follower.await.unwrap();
    }
    assert_eq!(exit_at_once(&container).await.status, ExitStatus::Code(9));
    assert!(stopped.next().await.unwrap().is_some(), "what it has not read is still there");
    drop(stopped);
    remove(&scene, container.id()).await;
}
