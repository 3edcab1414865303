//! What a request must say before anything is made of it.
//!
//! Only what no runtime could run: what a runtime does not support it says itself, by the field.

use oci_spec::runtime::{LinuxIdMapping, Process, Root, Spec};

use crate::client::NewContainer;
use crate::error::{Error, ErrorKind, Result};
use crate::ports::bundle_store::Owner;
use crate::rootfs::Rootfs;
use crate::stdio::Place;

/// Checks a request and makes its parts agree: the spec's root is the root file system, its terminal that of the
/// streams.
///
/// # Errors
/// `InvalidArgument`, naming the field.
pub(super) fn complete(new: &mut NewContainer) -> Result<()> {
    let directory = new.rootfs.directory();
    if !directory.is_absolute() {
        return Err(wrong("the root file system must be an absolute path"));
    }
    let mut root = Root::default();
    root.set_path(directory.clone());
    root.set_readonly(Some(matches!(new.rootfs, Rootfs::ReadOnly(_))));
    new.spec.set_root(Some(root));
    if new.stdio.terminal.is_some() {
        new.stdio.stderr = Place::Null;
    }
    let terminal = new.stdio.terminal.is_some();
    match new.spec.process_mut() {
        None => Err(wrong("the spec has no process: nothing to run")),
        Some(process) => {
            process.set_terminal(Some(terminal));
            check_process(process)
        }
    }
}

/// The host's ids of a container's root: what the spec's user namespace maps 0 to, or 0 without one.
///
/// # Errors
/// `InvalidArgument` when there are mappings and none of them maps 0.
pub(super) fn owner(spec: &Spec) -> Result<Owner> {
    let linux = spec.linux().as_ref();
    let mapped = |mappings: Option<&Vec<LinuxIdMapping>>, what: &str| {
        let mappings = mappings.map(Vec::as_slice).unwrap_or_default();
        let root = mappings.iter().find(|mapping| mapping.container_id() == 0 && mapping.size() > 0);
        match root {
            Some(mapping) => Ok(mapping.host_id()),
            None if mappings.is_empty() => Ok(0),
            None => Err(wrong(format!("the spec's linux.{what} must map 0, the container's root"))),
        }
    };
    Ok(Owner {
        uid: mapped(linux.and_then(|linux| linux.uid_mappings().as_ref()), "uidMappings")?,
        gid: mapped(linux.and_then(|linux| linux.gid_mappings().as_ref()), "gidMappings")?,
    })
}

/// Checks the arguments of a process.
///
/// # Errors
/// `InvalidArgument`.
pub(in crate::client) fn check_args(args: &[String]) -> Result<()> {
    match args.first() {
        None => Err(wrong("no program is given: the arguments are empty")),
        Some(program) if program.is_empty() => Err(wrong("the program's name is empty")),
        Some(_) if args.iter().any(|arg| arg.contains('\0')) => {
            Err(wrong("an argument contains a NUL character, which no program can be given"))
        }
        Some(_) => Ok(()),
    }
}

/// Checks environment variables, which are not repeated in the error.
///
/// # Errors
/// `InvalidArgument`, by the variable's position from 1.
pub(in crate::client) fn check_env(env: &[String]) -> Result<()> {
    match env.iter().position(|variable| variable.contains('\0')) {
        Some(at) => Err(wrong(format!("environment variable {} contains a NUL character", at + 1))),
        None => Ok(()),
    }
}

/// Checks a working directory.
///
/// # Errors
/// `InvalidArgument`.
pub(in crate::client) fn check_cwd(cwd: &std::path::Path) -> Result<()> {
    // Paths of the container's are Linux's, whatever this program runs on.
    match cwd.to_string_lossy().starts_with('/') {
        true => Ok(()),
        false => Err(wrong("the working directory must be an absolute path")),
    }
}

fn check_process(process: &Process) -> Result<()> {
    check_args(process.args().as_deref().unwrap_or_default())?;
    check_env(process.env().as_deref().unwrap_or_default())?;
    check_cwd(process.cwd())
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
