//! Who a process is, for longer than a pid is: pid, start time and boot.
//!
//! A pid is used again; the pair of pid and start time is not, within one boot of the kernel. What is on the disk is
//! that; what is held is a descriptor, and signals go through descriptors only.
//!
//! Keeps: C-31 of SECURITY.md.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What the kernel tells of a process that is there, be it a zombie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessStat {
    /// Whether it has ended and waits to be reaped.
    pub(crate) zombie: bool,
    /// Pid of its parent.
    pub(crate) parent: u32,
    /// When it was made, in clock ticks since boot.
    pub(crate) start_time: u64,
    /// Its wait status, once it is a zombie.
    pub(crate) wait_status: i32,
}

/// Returns the name of the kernel's present boot.
///
/// # Errors
/// When /proc cannot be read.
pub(crate) fn boot() -> io::Result<String> {
    Ok(fs::read_to_string(BOOT_ID)?.trim().to_owned())
}

/// Returns what the kernel tells of process `pid`.
///
/// # Errors
/// `NotFound` when there is none; `InvalidData` when it cannot be understood.
pub(crate) fn stat(pid: u32) -> io::Result<ProcessStat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Opens the process of that pid and start time; `None` when it is gone, whoever has its pid now.
///
/// # Errors
/// When the kernel refuses for another reason than that.
pub(crate) fn open(pid: u32, start_time: u64) -> io::Result<Option<OwnedFd>> {
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
    let process = match pidfd_open(number, PidfdFlags::empty()) {
        Ok(process) => process,
        Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    // Looked at after the opening: if it is the right one now, then what was opened is.
    match stat(pid) {
        Ok(found) if found.start_time == start_time => Ok(Some(process)),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => Ok(None),
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(text: &str) -> Option<ProcessStat> {
    // The program's name stands in parentheses and may hold anything, parentheses and blanks too.
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    Some(ProcessStat {
        zombie: field(3)? == "Z",
        parent: field(4)?.parse().ok()?,
        start_time: field(22)?.parse().ok()?,
        wait_status: field(52).and_then(|status| status.parse().ok()).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_blanks_misleads_nobody() {
        let tail = (5..=52).map(|field| field.to_string()).collect::<Vec<_>>().join(" ");
        let found = parse(&format!("7 (a) Z 1 (b) S 3 {tail}\n")).unwrap();
        assert_eq!(found, ProcessStat { zombie: false, parent: 3, start_time: 22, wait_status: 52 });
        assert_eq!(parse("7 (torn"), None);
    }

    #[test]
    fn c31_a_pid_with_another_start_time_is_a_stranger() {
        let own = std::process::id();
        let start = stat(own).unwrap().start_time;
        assert!(open(own, start).unwrap().is_some());
        assert!(open(own, start + 1).unwrap().is_none());
        assert!(open(u32::MAX, 0).unwrap().is_none());
    }
}
