//! When to look at kept output again.
//!
//! inotify on the directory tells of every write to an index, of new segments and of removals. The writer marks the index
//! after each turn's bytes, since a splice into a file tells nobody on older kernels. The kernel joins equal events that
//! nobody has read, so a reader that sleeps costs no memory.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use rustix::io::{Errno, retry_on_intr};

use crate::{Error, Result};

/// A descriptor that becomes readable whenever the log in `directory` may have changed, non-blocking.
///
/// Made before the first look, it misses nothing; after it was readable it is [cleared](clear) before the next look. Where
/// the host has no more of them, looking every now and then does as well. Closing one can take 20 ms.
///
/// # Errors
/// `WatchLog`, often because the host has no more of them.
pub fn watch(directory: impl AsFd) -> Result<OwnedFd> {
    let failed = |errno: Errno| Error::WatchLog { source: errno.into() };
    let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(failed)?;
    let path = format!("/proc/self/fd/{}", directory.as_fd().as_raw_fd());
    let what = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::DELETE_SELF;
    add_watch(&watch, path, what | WatchFlags::ONLYDIR).map_err(failed)?;
    Ok(watch)
}

/// Takes what a [`watch`] has told so far, so that it becomes readable with the next change only.
///
/// # Errors
/// `WatchLog`.
pub fn clear(watch: impl AsFd) -> Result<()> {
    let mut events = [0; 4096];
    loop {
        match retry_on_intr(|| rustix::io::read(watch.as_fd(), &mut events)) {
            Ok(0) | Err(Errno::AGAIN) => return Ok(()),
            Ok(_) => {}
            Err(errno) => return Err(Error::WatchLog { source: errno.into() }),
        }
    }
}
