//! Which devices a container may make and use: the spec's rules, for both versions of cgroups.
//!
//! Everything is denied first, then the spec's rules follow in order, then what every container has
//! (the OCI default devices, its terminals, and making nodes).
//! Decision: version 1 takes the rules as lines, version 2 as a program of ours that asks them from
//! the last to the first; the first that fits decides.

use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType};

use rustix::fs::OFlags;

use super::directory::Directory;
use crate::error::Error;
use crate::sys::{self, BpfInstruction};

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    allow: bool,
    /// `None` is both kinds.
    kind: Option<DeviceKind>,
    major: Option<u32>,
    minor: Option<u32>,
    access: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeviceKind {
    Block = 1,
    Character = 2,
}

const MKNOD: u32 = 1;
const READ: u32 = 2;
const WRITE: u32 = 4;
const ALL: u32 = MKNOD | READ | WRITE;
const FIELD: &str = "linux.resources.devices";

/// Turns the spec's rules into the whole list.
pub(crate) fn rules(spec: &[LinuxDeviceCgroup]) -> Result<Vec<Rule>, Error> {
    let mut rules = vec![Rule::any(false)];
    for rule in spec {
        let rule = Rule::parse(rule)?;
        if rules.last() != Some(&rule) {
            rules.push(rule);
        }
    }
    rules.extend(defaults());
    Ok(rules)
}

/// Writes the rules into the files of version 1.
///
/// # Errors
/// [`Error::Unsupported`] where a rule takes away a part of what an earlier one gave: version 1 would
/// take it and go on allowing.
pub(crate) fn write(rules: &[Rule], directory: &Directory) -> Result<(), Error> {
    let open = |name| {
        let file = directory.file(name, OFlags::WRONLY);
        file.map_err(|errno| directory.failed("open", name, errno))
    };
    let (allow, deny) = (open("devices.allow")?, open("devices.deny")?);
    for (at, rule) in rules.iter().enumerate() {
        if rules.iter().take(at).any(|earlier| rule.is_lost_after(earlier)) {
            return Err(Error::unsupported(FIELD));
        }
        let file = if rule.allow { &allow } else { &deny };
        for line in rule.lines() {
            let written = rustix::io::write(file, line.as_bytes());
            written.map_err(|errno| directory.failed("write", "devices", errno))?;
        }
    }
    Ok(())
}

/// Attaches the rules to a cgroup of version 2.
pub(crate) fn attach(rules: &[Rule], directory: &Directory) -> Result<(), Error> {
    use std::os::fd::AsFd;
    let failed = |act| move |errno: rustix::io::Errno| Error::DeviceRules { act, source: errno.into() };
    let program = sys::load_device_program(&assemble(rules)).map_err(failed("load"))?;
    sys::attach_device_program(directory.as_fd(), program.as_fd()).map_err(failed("attach"))
}

fn defaults() -> Vec<Rule> {
    let character =
        |major, minor, access| Rule { allow: true, kind: Some(DeviceKind::Character), major, minor, access };
    let mut rules =
        vec![character(None, None, MKNOD), Rule { kind: Some(DeviceKind::Block), ..character(None, None, MKNOD) }];
    let nodes = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)];
    rules.extend(nodes.map(|(major, minor)| character(Some(major), Some(minor), ALL)));
    rules.push(character(Some(136), None, ALL));
    rules
}

impl Rule {
    fn any(allow: bool) -> Self {
        Self { allow, kind: None, major: None, minor: None, access: ALL }
    }

    fn parse(rule: &LinuxDeviceCgroup) -> Result<Self, Error> {
        let kind = match rule.typ().unwrap_or_default() {
            LinuxDeviceType::A => None,
            LinuxDeviceType::B => Some(DeviceKind::Block),
            LinuxDeviceType::C | LinuxDeviceType::U => Some(DeviceKind::Character),
            LinuxDeviceType::P => return Err(Error::invalid(FIELD, "a FIFO is no device")),
        };
        let number = |number: Option<i64>| match number {
            None | Some(-1) => Ok(None),
            Some(number) => {
                u32::try_from(number).map(Some).map_err(|_| Error::invalid(FIELD, "a device number is out of range"))
            }
        };
        Ok(Self {
            allow: rule.allow(),
            kind,
            major: number(rule.major())?,
            minor: number(rule.minor())?,
            access: access(rule.access().as_deref().unwrap_or("rwm"))?,
        })
    }

    fn is_everything(&self) -> bool {
        *self == Self::any(self.allow)
    }

    /// Whether version 1 would not notice this denial after that permission.
    fn is_lost_after(&self, earlier: &Self) -> bool {
        let overlap = |one: Option<u32>, other: Option<u32>| one.is_none() || other.is_none() || one == other;
        let kinds = (self.kind.map(|kind| kind as u32), earlier.kind.map(|kind| kind as u32));
        let same = kinds.0 == kinds.1 && (self.major, self.minor) == (earlier.major, earlier.minor);
        let denies = !self.allow && !self.is_everything();
        denies
            && earlier.allow
            && !earlier.is_everything()
            && !same
            && overlap(kinds.0, kinds.1)
            && overlap(self.major, earlier.major)
            && overlap(self.minor, earlier.minor)
            && self.access & earlier.access != 0
    }

    /// The rule as lines of version 1, where `a` alone means everything.
    fn lines(&self) -> Vec<String> {
        if self.is_everything() {
            return vec!["a".into()];
        }
        match self.kind {
            Some(kind) => vec![self.line(kind)],
            None => vec![self.line(DeviceKind::Block), self.line(DeviceKind::Character)],
        }
    }

    fn line(&self, kind: DeviceKind) -> String {
        let kind = if kind == DeviceKind::Block { 'b' } else { 'c' };
        let number = |number: Option<u32>| number.map_or("*".into(), |number| number.to_string());
        let access: String = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')]
            .iter()
            .filter(|(bit, _)| self.access & bit != 0)
            .map(|(_, letter)| *letter)
            .collect();
        format!("{kind} {}:{} {access}", number(self.major), number(self.minor))
    }
}

fn access(letters: &str) -> Result<u32, Error> {
    let bit = |letter| match letter {
        'r' => Ok(READ),
        'w' => Ok(WRITE),
        'm' => Ok(MKNOD),
        _ => Err(Error::invalid(FIELD, "access is a mix of r, w and m")),
    };
    letters.chars().try_fold(0, |access, letter| Ok(access | bit(letter)?))
}

const KIND_REGISTER: u8 = 2;
const ACCESS_REGISTER: u8 = 3;
const MAJOR_REGISTER: u8 = 4;
const MINOR_REGISTER: u8 = 5;
const WANTED_REGISTER: u8 = 6;

const AND: u8 = 0x57;
const SHIFT_RIGHT: u8 = 0x77;

/// Assembles the program: it gets (access << 16 | kind, major, minor) and answers 1 for yes.
fn assemble(rules: &[Rule]) -> Vec<BpfInstruction> {
    let mut program = vec![
        load(KIND_REGISTER, 0),
        immediate(AND, KIND_REGISTER, 0xffff),
        load(ACCESS_REGISTER, 0),
        immediate(SHIFT_RIGHT, ACCESS_REGISTER, 16),
        load(MAJOR_REGISTER, 4),
        load(MINOR_REGISTER, 8),
    ];
    for rule in rules.iter().rev() {
        program.extend(question(rule));
        if rule.is_everything() {
            // It always fits, and the kernel takes no program with a part that is never reached.
            return program;
        }
    }
    program.extend(answer(false));
    program
}

const JUMP_IF_NOT_EQUAL: u8 = 0x55;
const JUMP_IF_EQUAL: u8 = 0x15;
const JUMP_IF_SET: u8 = 0x45;

/// The instructions of one rule: unless it fits, the next rule is asked.
fn question(rule: &Rule) -> Vec<BpfInstruction> {
    let numbers = [
        (KIND_REGISTER, rule.kind.map(|kind| kind as u32)),
        (MAJOR_REGISTER, rule.major),
        (MINOR_REGISTER, rule.minor),
    ];
    let mut question: Vec<_> = numbers
        .iter()
        .filter_map(|(register, number)| Some(immediate(JUMP_IF_NOT_EQUAL, *register, (*number)? as i32)))
        .collect();
    if rule.access != ALL {
        question.extend(access_question(rule));
    }
    question.extend(answer(rule.allow));
    let end = question.len();
    for (at, instruction) in question.iter_mut().enumerate() {
        if [JUMP_IF_NOT_EQUAL, JUMP_IF_EQUAL, JUMP_IF_SET].contains(&instruction.code) {
            instruction.offset = (end - at - 1) as i16;
        }
    }
    question
}

/// Allowing needs every wanted access to be in the rule; denying needs one.
fn access_question(rule: &Rule) -> Vec<BpfInstruction> {
    const COPY: u8 = 0xbf;
    let copy =
        BpfInstruction { code: COPY, registers: ACCESS_REGISTER << 4 | WANTED_REGISTER, offset: 0, immediate: 0 };
    if rule.allow {
        return vec![copy, immediate(JUMP_IF_SET, WANTED_REGISTER, (ALL & !rule.access) as i32)];
    }
    let narrow = immediate(AND, WANTED_REGISTER, rule.access as i32);
    vec![copy, narrow, immediate(JUMP_IF_EQUAL, WANTED_REGISTER, 0)]
}

fn answer(allow: bool) -> [BpfInstruction; 2] {
    [immediate(0xb7, 0, i32::from(allow)), immediate(0x95, 0, 0)]
}

fn load(register: u8, offset: i16) -> BpfInstruction {
    BpfInstruction { code: 0x61, registers: 1 << 4 | register, offset, immediate: 0 }
}

fn immediate(code: u8, register: u8, value: i32) -> BpfInstruction {
    BpfInstruction { code, registers: register, offset: 0, immediate: value }
}

#[cfg(test)]
mod tests;
