//! A seccomp profile made into the program that the kernel runs before every system call.
//!
//! `rules` reads the profile, `runs` lays its outcomes over the numbers of each architecture, `assembly` writes them as
//! a binary search. The decision taken: a compiler of our own, because loading its short programs costs a tenth of what
//! linear filters and the usual C library cost, and because nothing can then be left out of a build in silence.
//!
//! Keeps: a program answers each call as its profile says (`a_program_answers_as_its_profile_says`).
//! Does not know: how a program is loaded; that is the child's, as its last act but one.
//! Source: seccomp(2), the OCI runtime spec, and what runc does where the spec is silent.

use std::fmt;
use std::ops::Deref;

use oci_spec::runtime::{Arch, LinuxSeccomp};
use thiserror::Error;

use self::architecture::{ARM_FAMILY, Abi, HOST, X86_FAMILY};

mod architecture;
mod assembly;
mod evaluation;
mod rules;
mod runs;
mod syscalls;
#[cfg(test)]
mod tests;

pub use self::evaluation::evaluate;

/// The most instructions that the kernel loads as one program.
pub const LIMIT: usize = 4096;

/// Compiles a profile for the architectures that this machine runs.
///
/// The machine's own architecture is always covered; others that the profile names and the machine cannot run are left
/// out, since no call can come from them. A call from an architecture that is not covered kills the process.
///
/// Where the default action refuses calls, numbers above the newest that the profile names get `ENOSYS`, so that
/// programs fall back as they would on an older kernel. A rule whose action is the default one says nothing; of the
/// others an unconditional one decides for its call, else the first whose conditions hold.
///
/// # Errors
/// [`Error::Unsupported`] for what needs a listener, [`Error::Conflict`] for two unconditional answers to one call, and
/// a variant each for numbers out of range and a program over [`LIMIT`].
pub fn compile(profile: &LinuxSeccomp) -> Result<Program, Error> {
    compile_on(HOST, profile)
}

/// Gives the audit value and the number by which programs see a call of an architecture, if it has that call.
pub fn locate(architecture: Arch, name: &str) -> Option<(u32, u32)> {
    let abi = X86_FAMILY.iter().chain(ARM_FAMILY).find(|abi| abi.name == architecture)?;
    match syscalls::find(name) {
        syscalls::Found::Here(syscall) => Some((abi.audit, abi.offset + syscall.number(abi.column)?)),
        _ => None,
    }
}

/// A compiled profile, ready to be loaded; it reads as a slice of instructions.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    instructions: Box<[Instruction]>,
    /// The `SECCOMP_FILTER_FLAG_*` bits that the profile asks for when loading.
    pub flags: u32,
    /// Names that are no system call on any architecture, each once: most often a typing error in the profile.
    pub unknown: Vec<String>,
}

impl Deref for Program {
    type Target = [Instruction];

    fn deref(&self) -> &[Instruction] {
        &self.instructions
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("instructions", &self.instructions.len())
            .field("flags", &self.flags)
            .field("unknown", &self.unknown)
            .finish()
    }
}

/// One instruction of classic BPF, laid out as the kernel's `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// How many instructions to skip when a comparison holds.
    pub jt: u8,
    /// How many instructions to skip when a comparison does not hold.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// What happens to a system call. Complete for programs without a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It runs.
    Allow,
    /// It runs, and the kernel logs it.
    Log,
    /// It fails with this errno.
    Errno(u16),
    /// A tracer decides, and reads this number; without one the call fails with `ENOSYS`.
    Trace(u16),
    /// The thread gets SIGSYS.
    Trap,
    /// The thread ends.
    KillThread,
    /// The process ends.
    KillProcess,
}

impl Verdict {
    /// Gives the value that a program returns to the kernel.
    pub fn to_raw(self) -> u32 {
        match self {
            Self::Allow => 0x7fff_0000,
            Self::Log => 0x7ffc_0000,
            Self::Trace(number) => 0x7ff0_0000 | u32::from(number),
            Self::Errno(errno) => 0x0005_0000 | u32::from(errno),
            Self::Trap => 0x0003_0000,
            Self::KillThread => 0,
            Self::KillProcess => 0x8000_0000,
        }
    }

    /// Reads what a program returned; as in the kernel, a value without a meaning kills the process.
    pub fn from_raw(raw: u32) -> Self {
        let number = (raw & 0xffff) as u16;
        match raw & 0xffff_0000 {
            0x7fff_0000 => Self::Allow,
            0x7ffc_0000 => Self::Log,
            0x7ff0_0000 => Self::Trace(number),
            0x0005_0000 => Self::Errno(number),
            0x0003_0000 => Self::Trap,
            0 => Self::KillThread,
            _ => Self::KillProcess,
        }
    }

    /// Tells whether a call with this verdict may still run, so that numbers yet unknown need no `ENOSYS`.
    fn lets_run(self) -> bool {
        matches!(self, Self::Allow | Self::Log | Self::Trace(_))
    }
}

/// Why a profile cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The profile asks for something that needs a listener, which this engine does not have.
    #[error("{field} asks for a seccomp listener, which is not supported")]
    Unsupported {
        /// The property, as a path in the spec.
        field: String,
    },
    /// A number is given for an action that returns none.
    #[error("{field} is set, but its action returns no number")]
    UnusedErrno {
        /// The property, as a path in the spec.
        field: String,
    },
    /// A number is larger than the kernel can return.
    #[error("{field} is {value}, but at most {largest} can be returned")]
    ErrnoRange {
        /// The property, as a path in the spec.
        field: String,
        /// What it says.
        value: u32,
        /// What it may say at most.
        largest: u32,
    },
    /// A rule looks at an argument that no system call has.
    #[error("{field} is {index}, but system calls have arguments 0 to 5 only")]
    Argument {
        /// The property, as a path in the spec.
        field: String,
        /// What it says.
        index: usize,
    },
    /// Two rules without conditions give one call different answers.
    #[error("linux.seccomp.syscalls has two different unconditional actions for {syscall}")]
    Conflict {
        /// The call's name.
        syscall: &'static str,
    },
    /// The program is longer than the kernel loads.
    #[error("the seccomp profile needs {instructions} instructions, and the kernel loads at most {LIMIT}")]
    TooLong {
        /// Its length.
        instructions: usize,
    },
    /// There is no table of system calls for the machine.
    #[error("seccomp profiles are not supported on this architecture")]
    Machine,
}

fn compile_on(host: &[Abi], profile: &LinuxSeccomp) -> Result<Program, Error> {
    let rules = rules::Rules::read(profile)?;
    let sections = runs::sections(host, &rules)?;
    let instructions = assembly::assemble(&sections, &rules);
    if instructions.len() > LIMIT {
        return Err(Error::TooLong { instructions: instructions.len() });
    }
    Ok(Program { instructions, flags: rules.flags, unknown: rules.unknown })
}
