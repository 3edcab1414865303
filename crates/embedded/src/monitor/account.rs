//! Who a process runs as, as far as the monitor must know: to whom its streams belong.

use std::os::fd::{AsFd, OwnedFd};

use libcontainerd_core::process::User;
use libcontainerd_engine as engine;
use libcontainerd_engine::identity::{Identity, UserRequest};
use oci_spec::runtime::Process;

use crate::fault::Fault;

/// Takes a user over into what a process is; one that is written in words is returned, for the engine to look up.
///
/// # Errors
/// `Engine` when the words are no user.
pub(crate) fn take_on(process: &mut Process, user: Option<&User>) -> Result<Option<UserRequest>, Fault> {
    match user {
        Some(User::Ids { uid, gid, groups }) => {
            let mut account = process.user().clone();
            account.set_uid(*uid).set_gid(*gid).set_additional_gids(Some(groups.clone()));
            process.set_user(account);
            Ok(None)
        }
        Some(User::Named(words)) => Ok(Some(words.parse().map_err(refused)?)),
        _ => Ok(None),
    }
}

/// The uid that a process will have; `root` opens the container's root, in which names are looked up.
///
/// # Errors
/// `Engine` when there is no such user, and what `root` fails with.
pub(super) fn uid(
    process: &Process,
    request: Option<&UserRequest>,
    root: impl FnOnce() -> Result<OwnedFd, Fault>,
) -> Result<u32, Fault> {
    if request.is_none() {
        return Ok(process.user().uid());
    }
    let (identity, _home) = Identity::plan(process, request, root()?.as_fd()).map_err(refused)?;
    Ok(identity.uid)
}

fn refused(source: engine::identity::Error) -> Fault {
    Fault::Engine(source.into())
}
