//! What a request must say before anything is made of it.
//!
//! Only what no runtime could run, and what the capabilities of this one leave out; what else a runtime does not support
//! it says itself, by the field.

use std::time::Duration;

use oci_spec::runtime::{LinuxIdMapping, Process, Root, Spec};

use crate::client::NewContainer;
use crate::error::{Error, ErrorKind, Result};
use crate::ports::bundle_store::Owner;
use crate::ports::runtime::{Capabilities, Removal};
use crate::process::{LeftOvers, NewProcess};
use crate::rootfs::Rootfs;
use crate::stdio::{Place, Stdio};

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
    check_stdio(&new.stdio)?;
    match new.spec.process_mut() {
        None => Err(wrong("the spec has no process: nothing to run")),
        Some(process) => {
            process.set_terminal(Some(terminal));
            check_process(process)
        }
    }
}

/// Checks that a runtime with these capabilities has all that a container asks for.
///
/// # Errors
/// `Unsupported`, naming what it lacks.
pub(super) fn able(new: &NewContainer, capabilities: &Capabilities) -> Result<()> {
    if new.lease.is_some() && !capabilities.leases {
        return Err(lacks("bind a container to a program's life"));
    }
    if new.removal == Removal::Ended && !capabilities.leases {
        return Err(lacks("remove a container by itself when it has ended"));
    }
    able_to_stream(&new.stdio, capabilities)
}

/// Checks that a runtime with these capabilities has all that a further process asks for.
///
/// # Errors
/// `Unsupported`, naming what it lacks.
pub(in crate::client) fn able_to_exec(new: &NewProcess, capabilities: &Capabilities) -> Result<()> {
    if new.timeout.is_some() && !capabilities.ends_execs {
        return Err(lacks("end a process when its time is up"));
    }
    if new.left_overs == LeftOvers::Kill && !capabilities.ends_execs {
        return Err(lacks("kill what a process leaves behind"));
    }
    able_to_stream(&new.stdio, capabilities)
}

/// Checks where the streams of a process are to go.
///
/// # Errors
/// `InvalidArgument`.
pub(in crate::client) fn check_stdio(stdio: &Stdio) -> Result<()> {
    let places = [stdio.stdin, stdio.stdout, stdio.stderr];
    if stdio.stdin == Place::Kept {
        return Err(wrong("stdin cannot be kept: it is what the process reads"));
    }
    if places.iter().any(|place| matches!(place, Place::Descriptor(number) if *number < 0)) {
        return Err(wrong("a stream's descriptor is negative: it is not open"));
    }
    if stdio.terminal.is_some() && places.iter().any(|place| matches!(place, Place::Descriptor(_))) {
        return Err(wrong("a process with a terminal of its own cannot be given descriptors as streams"));
    }
    if stdio.keeps() && (stdio.keep.segment == 0 || stdio.keep.segments == Some(0)) {
        return Err(wrong("output that is kept needs at least one segment of at least one byte"));
    }
    Ok(())
}

/// Checks how long a process may run.
///
/// # Errors
/// `InvalidArgument`.
pub(in crate::client) fn check_timeout(timeout: Option<Duration>) -> Result<()> {
    match timeout {
        Some(Duration::ZERO) => Err(wrong("a time limit of nothing: the process could never run")),
        _ => Ok(()),
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

fn able_to_stream(stdio: &Stdio, capabilities: &Capabilities) -> Result<()> {
    if stdio.keeps() && !capabilities.keeps_output {
        return Err(lacks("keep output"));
    }
    let handed = |place: &Place| matches!(place, Place::Descriptor(_));
    if [stdio.stdin, stdio.stdout, stdio.stderr].iter().any(handed) && !capabilities.passes_descriptors {
        return Err(lacks("take a descriptor as a stream"));
    }
    Ok(())
}

fn lacks(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this runtime cannot {what}"))
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
