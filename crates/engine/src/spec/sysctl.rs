//! Which sysctls a container may set: those of its own namespaces.
//!
//! Decision: a list of what is namespaced, not of what is dangerous; everything else would change the
//! host.

use oci_spec::runtime::{Linux, LinuxNamespaceType};

use super::has_namespace;
use crate::error::Error;

const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Checks every sysctl of a spec.
pub(super) fn check(linux: &Linux) -> Result<(), Error> {
    for (name, value) in linux.sysctl().iter().flatten() {
        let field = format!("linux.sysctl {name}");
        let dotted = name.replace('/', ".");
        if !is_plain(&dotted) || value.contains('\0') {
            return Err(Error::invalid(field, "it is no name of a sysctl"));
        }
        let Some(kind) = namespace_of(&dotted) else {
            return Err(Error::invalid(field, "it belongs to no namespace and would change the host"));
        };
        if !has_namespace(linux, kind) {
            return Err(Error::invalid(field, "it needs a namespace that the container does not have"));
        }
    }
    Ok(())
}

fn namespace_of(name: &str) -> Option<LinuxNamespaceType> {
    if name.starts_with("net.") {
        Some(LinuxNamespaceType::Network)
    } else if name.starts_with("fs.mqueue.") || IPC.contains(&name) {
        Some(LinuxNamespaceType::Ipc)
    } else if name == "kernel.domainname" {
        Some(LinuxNamespaceType::Uts)
    } else {
        None
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.contains("..") && name.bytes().all(plain)
}
