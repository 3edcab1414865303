//! Claims: who may make or remove what has a name.
//!
//! A claim is a locked file of that name in a directory of claims. It ends with the program that holds it, however that
//! ends. Given back, its file is removed while the lock is still held; whoever waits for it notices that the file lost
//! its name and begins again, so that a claim never stands for a file that others no longer see.
//!
//! Waiting asks again and again, each time later than before, because a lock that is waited for in the kernel cannot be
//! given up after a time.

use std::time::Duration;

use libcontainerd_core::id::ContainerId;
use libcontainerd_durable::{Dir, Lock};
use tokio::time::Instant;

use crate::error::Error;
use crate::layout::Layout;

/// How long a claim of another program is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A claim that is held; dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Held {
    dir: Dir,
    id: ContainerId,
    // Dropped after the file was removed.
    _lock: Lock,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Left behind, it is an unlocked file that the next claim uses.
        let _ = self.dir.remove_file(self.id.as_str());
    }
}

/// Claims the name, waiting at most for `patience`.
pub(crate) async fn claim(layout: &Layout, id: &ContainerId, patience: Duration) -> Result<Held, Error> {
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        match try_claim(layout, id.clone())? {
            Ok(held) => return Ok(held),
            Err(holder) if Instant::now() >= deadline => return Err(Error::Claimed { holder }),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Claims the name, or returns who holds it.
fn try_claim(layout: &Layout, id: ContainerId) -> Result<Result<Held, String>, Error> {
    let open = |source| Error::OpenRoot { root: layout.root().to_owned(), source };
    let dir = layout.make_claims().map_err(open)?;
    let Some(lock) = Lock::try_exclusive(&dir, id.as_str()).map_err(Error::Claim)? else {
        let holder = Lock::holder(&dir, id.as_str()).ok().flatten();
        return Ok(Err(holder.unwrap_or_else(|| "another program".to_owned())));
    };
    // For messages only: a full disk does not keep us from what frees it.
    let _ = lock.name_holder(&format!("process {}", std::process::id()));
    Ok(Ok(Held { dir, id, _lock: lock }))
}
