//! The attacker: a static program that tries, from wherever a test puts it, what nobody there may do.
//!
//! Each verb tells on stdout what came of it, a line a try, and succeeds whether it was let or not: to judge is the
//! test's. So a kernel or a container that refuses by another errno breaks no test.
//!
//! Does not know: containers.
#![deny(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

#[path = "attacker/sys.rs"]
mod sys;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// A greeting in the monitor's own protocol, of its first version.
const HELLO: &[u8] = br#"{"v":1,"request":"hello"}"#;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    match words.as_slice() {
        ["connect", path] => say(&connect(path)),
        ["write-programs", until] => write_programs(Path::new(until)),
        ["bomb"] => explode(),
        ["reap"] => reap(),
        ["type-into-terminals", text] => type_into_terminals(text),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn say(text: &str) {
    // Who does not listen does not judge.
    let _ = writeln!(io::stdout(), "{text}");
}

/// Greets whoever listens at a socket: `refused …`, `dropped`, or `heard …` with the answer.
fn connect(path: &str) -> String {
    let mut stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) => return format!("refused: {error}"),
    };
    let length = u32::try_from(HELLO.len()).unwrap_or(0).to_le_bytes();
    let mut answer = [0; 4096];
    let talked = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.write_all(&[&length, HELLO].concat()))
        .and_then(|()| stream.read(&mut answer));
    match talked {
        Ok(0) => "dropped".to_owned(),
        Ok(count) => format!("heard {}", String::from_utf8_lossy(&answer[..count]).trim_matches(char::from(0))),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => "nobody answers".to_owned(),
        Err(_) => "dropped".to_owned(),
    }
}

/// Takes hold of the program of every process in sight and opens it for writing, again and again, at last when the
/// process may be gone, until there is a file `until`: `tried`, how often, and each that opened.
fn write_programs(until: &Path) {
    let mut held = BTreeMap::new();
    let mut opened = BTreeSet::new();
    let mut tried = 0_u64;
    say("ready");
    while !until.exists() {
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        for program in pids.map(|process| process.join("exe")) {
            let Ok(target) = fs::read_link(&program) else { continue };
            tried += 1;
            if let Ok(file) = File::open(&program) {
                held.entry(target.clone()).or_insert(file);
            }
            if OpenOptions::new().write(true).open(&program).is_ok() {
                opened.insert(target);
            }
        }
    }
    let writable = |file: &File| OpenOptions::new().write(true).open(format!("/proc/self/fd/{}", file.as_raw_fd()));
    opened.extend(held.iter().filter(|(_, file)| writable(file).is_ok()).map(|(target, _)| target.clone()));
    say(&format!("tried {tried}"));
    opened.iter().for_each(|program| say(&format!("opened {}", program.display())));
}

/// Makes as many processes as it may, all of which do the same.
fn explode() {
    loop {
        if Command::new("/proc/self/exe").arg("bomb").spawn().is_err() {
            std::thread::yield_now();
        }
    }
}

/// Reaps whoever becomes its child, for ever: the first process of a pid namespace.
fn reap() {
    sys::reap_by_itself();
    say("ready");
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Pushes a text into the input of the terminals at descriptors 0 to 2, by every way that the kernel has.
fn type_into_terminals(text: &str) {
    for descriptor in 0..3 {
        let pushed = text.bytes().filter(|byte| sys::push(descriptor, *byte)).count();
        say(&format!("descriptor {descriptor} pushed {pushed}"));
        say(&format!("descriptor {descriptor} pasted {}", sys::paste(descriptor)));
    }
}
