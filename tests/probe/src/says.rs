//! The verbs that only say what the program sees: itself, its arguments, its streams.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use crate::sys;

/// The device number of /dev/null.
const NULL: u64 = 0x103;

/// What a verb answers; `None` when there is no such verb.
pub(crate) fn answer(verb: &str, rest: &[String]) -> Option<String> {
    Some(match verb {
        "echo" => format!("{}\n", rest.join(" ")),
        "print" => rest.join(" "),
        "reopen-stdout" => reopen_stdout(&rest.join(" "))?,
        "stdin-is" => format!("{}\n", stdin_is()),
        "whoami" => whoami(),
        "env" => format!("{}\n", std::env::var(rest.first()?).unwrap_or_else(|_| "(unset)".into())),
        "cwd" => format!("{}\n", std::env::current_dir().ok()?.display()),
        "pid" => format!("{}\n", std::process::id()),
        "args-length" => format!("{}\n", rest.iter().map(String::len).sum::<usize>()),
        _ => return None,
    })
}

/// Writes through a descriptor of its own, not through the one it was given.
fn reopen_stdout(text: &str) -> Option<String> {
    let mut again = fs::OpenOptions::new().write(true).open("/dev/stdout").ok()?;
    again.write_all(text.as_bytes()).ok().map(|()| String::new())
}

fn stdin_is() -> &'static str {
    if io::stdin().is_terminal() {
        return "terminal";
    }
    match fs::metadata("/proc/self/fd/0") {
        Ok(stdin) if stdin.file_type().is_fifo() => "pipe",
        Ok(stdin) if stdin.file_type().is_char_device() && stdin.rdev() == NULL => "null",
        Ok(_) => "something else",
        Err(_) => "closed",
    }
}

fn whoami() -> String {
    let (uid, gid, groups) = sys::identity();
    let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
    format!("{uid} {gid} {}\n", groups.join(","))
}
