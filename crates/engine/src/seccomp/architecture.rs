//! The ways to call the kernel that a machine offers, and how seccomp tells them apart.
//!
//! An [`Abi`] is one numbering of system calls. Two may share an audit value: x32 calls are x86-64 calls with a bit set
//! in the number. [`HOST`] lists those of the machine that the crate is built for, its own first.
//!
//! Source: linux/audit.h, and the tables of system calls of the kernel.

use oci_spec::runtime::Arch;

/// One numbering of system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abi {
    /// Its name in a profile.
    pub(super) name: Arch,
    /// The kernel's name for it in `seccomp_data.arch`.
    pub(super) audit: u32,
    /// Its column in the table of system calls.
    pub(super) column: usize,
    /// What is added to the table's numbers.
    pub(super) offset: u32,
    /// Old numbers that only this ABI has, apart from those that go on as new calls come.
    pub(super) private: (u32, u32),
    /// Whether registers have 64 bits; with 32 the kernel hands the upper half as zero.
    pub(super) wide: bool,
}

impl Abi {
    /// Tells whether a number is one of those that only this ABI has.
    pub(super) fn is_private(&self, number: u32) -> bool {
        (self.private.0..self.private.1).contains(&number)
    }
}

/// x86-64.
pub(super) const X86_64: Abi =
    Abi { name: Arch::ScmpArchX86_64, audit: 0xc000_003e, column: 0, offset: 0, private: (0, 0), wide: true };

/// x32: 32-bit pointers in 64-bit registers.
pub(super) const X32: Abi = Abi {
    name: Arch::ScmpArchX32,
    audit: 0xc000_003e,
    column: 1,
    offset: 0x4000_0000,
    private: (512, 548),
    wide: true,
};

/// i386.
pub(super) const I386: Abi =
    Abi { name: Arch::ScmpArchX86, audit: 0x4000_0003, column: 2, offset: 0, private: (0, 0), wide: false };

/// 32-bit arm with the EABI.
pub(super) const ARM: Abi =
    Abi { name: Arch::ScmpArchArm, audit: 0x4000_0028, column: 3, offset: 0, private: (0xf0000, 0xf0007), wide: false };

/// aarch64.
pub(super) const AARCH64: Abi =
    Abi { name: Arch::ScmpArchAarch64, audit: 0xc000_00b7, column: 4, offset: 0, private: (0, 0), wide: true };

/// What an x86-64 machine runs.
pub(super) const X86_FAMILY: &[Abi] = &[X86_64, X32, I386];

/// What an aarch64 machine runs.
pub(super) const ARM_FAMILY: &[Abi] = &[AARCH64, ARM];

/// What this machine runs, its own ABI first; empty where no table is kept.
pub(super) const HOST: &[Abi] = if cfg!(target_arch = "x86_64") {
    X86_FAMILY
} else if cfg!(target_arch = "aarch64") {
    ARM_FAMILY
} else {
    &[]
};
