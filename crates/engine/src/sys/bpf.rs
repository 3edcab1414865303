//! Loading a BPF program that decides about devices, and attaching it to a cgroup.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::libc;

/// One instruction of the kernel's extended BPF.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BpfInstruction {
    /// Operation.
    pub(crate) code: u8,
    /// Destination register in the low half, source register in the high one.
    pub(crate) registers: u8,
    /// Jump or memory offset.
    pub(crate) offset: i16,
    /// Immediate operand.
    pub(crate) immediate: i32,
}

#[repr(C)]
#[derive(Default)]
struct LoadArguments {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface_index: u32,
    expected_attach_type: u32,
}

#[repr(C)]
struct AttachArguments {
    target: u32,
    program: u32,
    attach_type: u32,
    flags: u32,
    replaced: u32,
}

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_ATTACH: libc::c_int = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
const BPF_F_ALLOW_MULTI: u32 = 2;

/// Loads a program of the type for cgroup devices.
pub(crate) fn load_device_program(instructions: &[BpfInstruction]) -> rustix::io::Result<OwnedFd> {
    let arguments = LoadArguments {
        program_type: BPF_PROG_TYPE_CGROUP_DEVICE,
        instruction_count: instructions.len() as u32,
        instructions: instructions.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        expected_attach_type: BPF_CGROUP_DEVICE,
        ..LoadArguments::default()
    };
    // SAFETY: all that the arguments point to outlives the call; the size told is the structure's.
    let program = super::answer(unsafe {
        libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const arguments, size_of::<LoadArguments>())
    })?;
    // SAFETY: the kernel gave a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(program as libc::c_int) })
}

/// Attaches a loaded program to the cgroup of a directory; it stays as long as the cgroup does.
pub(crate) fn attach_device_program(cgroup: BorrowedFd<'_>, program: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let arguments = AttachArguments {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        attach_type: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
        replaced: 0,
    };
    // SAFETY: the arguments outlive the call, and the size told is the structure's.
    super::answer(unsafe {
        libc::syscall(libc::SYS_bpf, BPF_PROG_ATTACH, &raw const arguments, size_of::<AttachArguments>())
    })?;
    Ok(())
}
