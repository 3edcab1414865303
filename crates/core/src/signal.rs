//! Signals by name and number, as Linux numbers them on the platforms that run containers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

const RTMIN: u8 = 34;
const HIGHEST: u8 = 64;

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

const ALIASES: [(&str, u8); 4] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31)];

/// A signal, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Signal(u8);

impl Signal {
    /// Hang-up, 1.
    pub const HUP: Signal = Signal(1);
    /// Interrupt from the keyboard, 2.
    pub const INT: Signal = Signal(2);
    /// Quit from the keyboard, 3.
    pub const QUIT: Signal = Signal(3);
    /// Kill, 9: cannot be caught.
    pub const KILL: Signal = Signal(9);
    /// User's own, 10.
    pub const USR1: Signal = Signal(10);
    /// Invalid memory reference, 11.
    pub const SEGV: Signal = Signal(11);
    /// Please end, 15.
    pub const TERM: Signal = Signal(15);

    /// The number, 1 to 64.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Signal {
    type Error = Error;
    fn try_from(number: u8) -> Result<Self, Error> {
        if (1..=HIGHEST).contains(&number) {
            Ok(Signal(number))
        } else {
            Err(Error::new(ErrorKind::InvalidArgument, "a signal's number is 1 to 64"))
        }
    }
}

impl From<Signal> for u8 {
    fn from(signal: Signal) -> u8 {
        signal.0
    }
}

impl FromStr for Signal {
    type Err = Error;

    /// Reads `9`, `KILL`, `SIGKILL`, `RTMIN+3` or `SIGRTMAX-1`, in either case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || {
            let text: String = text.chars().take(20).collect();
            Error::new(ErrorKind::InvalidArgument, format!("{text:?} is no signal; try a name as TERM or a number"))
        };
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse::<u8>().ok().and_then(|n| Signal::try_from(n).ok()).ok_or_else(bad);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        named(name).or_else(|| real_time(name)).ok_or_else(bad)
    }
}

fn named(name: &str) -> Option<Signal> {
    let number = NAMES.iter().position(|n| *n == name).map(|at| at as u8 + 1);
    number.or_else(|| ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, n)| *n)).map(Signal)
}

fn real_time(name: &str) -> Option<Signal> {
    let offset = |rest: &str, sign: char| match rest.strip_prefix(sign) {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse::<u8>().ok(),
        None if rest.is_empty() => Some(0),
        _ => None,
    };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => RTMIN.checked_add(offset(rest, '+')?)?,
        (_, Some(rest)) => HIGHEST.checked_sub(offset(rest, '-')?)?,
        _ => return None,
    };
    (RTMIN..=HIGHEST).contains(&number).then_some(Signal(number))
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0) - 1) {
            Some(name) => write!(f, "SIG{name}"),
            None if self.0 < RTMIN => write!(f, "SIG{}", self.0),
            None => write!(f, "SIGRTMIN+{}", self.0 - RTMIN),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_real_time_signals_are_read() {
        for (text, number) in
            [("9", 9), ("KILL", 9), ("sigterm", 15), ("RTMIN+3", 37), ("SIGRTMAX-1", 63), ("RTMIN", 34), ("IOT", 6)]
        {
            assert_eq!(text.parse::<Signal>().unwrap().number(), number, "{text}");
        }
        for bad in ["", "0", "65", "256", "KILLL", "RTMIN+31", "RTMAX-31", "RTMIN+", "RTMIN-1", "-9"] {
            assert!(bad.parse::<Signal>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_signal_prints_what_it_reads() {
        for number in (1..=31).chain(34..=64) {
            let signal = Signal::try_from(number).unwrap();
            assert_eq!(signal.to_string().parse::<Signal>().unwrap(), signal);
        }
    }
}
