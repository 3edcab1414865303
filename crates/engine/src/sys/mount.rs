//! `mount_setattr`, and the question what kind of namespace a descriptor is.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;

/// What to change on a mount: the kernel's `struct mount_attr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MountAttributes {
    /// `MOUNT_ATTR_*` to set.
    pub(crate) set: u64,
    /// `MOUNT_ATTR_*` to clear, before setting.
    pub(crate) clear: u64,
    /// One of `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED`, `MS_UNBINDABLE`; 0 leaves it as it is.
    pub(crate) propagation: u64,
    /// A user namespace for mapped mounts; unused.
    pub(crate) user_namespace: u64,
}

const NS_GET_NSTYPE: libc::c_ulong = 0xb703;

/// Changes the mount at `path` below `directory` (an empty path means the descriptor itself), with
/// all mounts below it if `recursive`.
pub(crate) fn mount_setattr(
    directory: BorrowedFd<'_>,
    path: &CStr,
    recursive: bool,
    attributes: &MountAttributes,
) -> rustix::io::Result<()> {
    let mut flags = libc::AT_SYMLINK_NOFOLLOW;
    if path.is_empty() {
        flags |= libc::AT_EMPTY_PATH;
    }
    if recursive {
        flags |= libc::AT_RECURSIVE;
    }
    // SAFETY: path and attributes outlive the call, and the size told is the structure's.
    super::answer(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            directory.as_raw_fd(),
            path.as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<MountAttributes>(),
        )
    })?;
    Ok(())
}

/// Tells the `CLONE_NEW*` flag of the namespace that a descriptor is.
///
/// # Errors
/// `ENOTTY` where the descriptor is no namespace.
pub(crate) fn namespace_kind(descriptor: BorrowedFd<'_>) -> rustix::io::Result<u32> {
    // SAFETY: the request takes no argument and writes nothing.
    let kind = unsafe { libc::ioctl(descriptor.as_raw_fd(), NS_GET_NSTYPE) };
    super::answer(libc::c_long::from(kind)).map(|kind| kind as u32)
}
