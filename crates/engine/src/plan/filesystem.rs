//! The container's file system, from spec and request to what the child carries out.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxDevice, LinuxDeviceType, Spec};
use rustix::fs::{FileType, Gid, Mode, Uid};

use super::namespaces::Namespaces;
use super::{DevicePlan, FilesystemPlan, LinkPlan, Place, RootPlan, UpperPlan, c_string};
use crate::error::Error;
use crate::host::Host;
use crate::mounts::{self, Act, Planned, inside};
use crate::request::{InitRequest, Root, Upper};

/// Nodes that every container has: name, major, minor.
const DEFAULT_DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Links that every container has in `/dev`.
const LINKS: [(&str, &str); 5] = [
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// Plans the file system of a container.
pub(super) fn plan(host: &Host, request: &InitRequest<'_>, namespaces: &Namespaces) -> Result<FilesystemPlan, Error> {
    let spec = request.spec;
    let covers = mounts::resolve_covers(request.cover);
    let root = absolute(directory(&request.root))?;
    let bundle = absolute(request.bundle)?;
    let mut acts = mounts::covers_below(&covers, &root, Path::new("."))?;
    acts.extend(mounts::plan(
        spec.mounts().as_deref().unwrap_or_default(),
        &Planned { host, bundle: &bundle, covers: &covers, own_cgroups: namespaces.own_cgroups() },
    )?);
    let word = spec.linux().as_ref().and_then(|linux| linux.rootfs_propagation().as_deref());
    let propagation = word.filter(|word| !word.is_empty()).and_then(mounts::propagation);
    let read_only_spec = spec.root().as_ref().and_then(|root| root.readonly()).unwrap_or(false);
    Ok(FilesystemPlan {
        root: plan_root(&request.root, &root)?,
        propagation_before: match propagation {
            Some((propagation, _)) if propagation == mounts::private() => propagation,
            _ => mounts::slave(),
        },
        propagation_after: propagation,
        devices_in_root: !has_own_devices(&acts),
        acts,
        devices: devices(spec)?,
        links: links()?,
        device_directory: Place::own(c"dev".into(), true),
        masked: places(spec, |linux| linux.masked_paths().as_deref(), "linux.maskedPaths")?,
        read_only: places(spec, |linux| linux.readonly_paths().as_deref(), "linux.readonlyPaths")?,
        read_only_root: read_only_spec || matches!(request.root, Root::ReadOnly(_)),
    })
}

/// The directory of the host that a root is, or is made over.
pub(super) fn directory(root: &Root) -> &Path {
    match root {
        Root::Directory(path) | Root::ReadOnly(path) | Root::Overlay { lower: path, .. } => path,
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|source| Error::Open { role: "path", path: path.to_owned(), source })
}

fn plan_root(root: &Root, path: &Path) -> Result<RootPlan, Error> {
    let source = c_string(path.as_os_str(), "root")?;
    let Root::Overlay { upper, .. } = root else {
        return Ok(RootPlan::Directory { source });
    };
    Ok(RootPlan::Overlay { option: layer_option(path)?, lower: source, upper: plan_upper(upper, path)? })
}

fn plan_upper(upper: &Upper, lower: &Path) -> Result<UpperPlan, Error> {
    match upper {
        Upper::Tmpfs { size } => memory(*size, lower),
        // The kernel refuses layers that contain one another.
        Upper::Directory(directory) if is_inside(directory, lower) => memory(None, lower),
        Upper::Directory(directory) => {
            let directory = absolute(directory)?;
            let (upper, work) = (directory.join("upper"), directory.join("work"));
            if !upper.exists() {
                make_layer(&upper)?;
                resemble(&upper, lower).map_err(layer_error(&upper))?;
            }
            make_layer(&work)?;
            let option = |path: &Path| c_string(path.as_os_str(), "root");
            Ok(UpperPlan::Directory { upper: option(&upper)?, work: option(&work)? })
        }
    }
}

fn memory(size: Option<u64>, lower: &Path) -> Result<UpperPlan, Error> {
    let about = lower.metadata().map_err(layer_error(lower))?;
    let mut parameters = vec![(c"mode".into(), Some(c"0755".into()))];
    if let Some(size) = size {
        parameters.push((c"size".into(), Some(c_string(size.to_string().as_ref(), "root")?)));
    }
    let owner = (Uid::from_raw(about.uid()), Gid::from_raw(about.gid()));
    Ok(UpperPlan::Memory { parameters, owner, mode: Mode::from_raw_mode(about.mode() & 0o7777) })
}

/// Whether `directory` is inside of `lower`, on the same file system.
fn is_inside(directory: &Path, lower: &Path) -> bool {
    let existing = directory.ancestors().find_map(|path| path.canonicalize().ok());
    let (Some(directory), Ok(lower)) = (existing, lower.canonicalize()) else {
        return false;
    };
    let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
    directory.starts_with(&lower) && device(&directory) == device(&lower)
}

fn make_layer(path: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(layer_error(path))
}

/// Gives a new layer the owner and mode of what is below it: the container's root has the layer's.
fn resemble(layer: &Path, lower: &Path) -> io::Result<()> {
    let about = lower.metadata()?;
    std::os::unix::fs::chown(layer, Some(about.uid()), Some(about.gid()))?;
    std::fs::set_permissions(layer, about.permissions())
}

fn layer_error(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Open { role: "overlay layer", path, source }
}

/// A path as the list of lower layers takes it, where a colon separates and a backslash escapes.
fn layer_option(path: &Path) -> Result<CString, Error> {
    let mut option = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if b":\\".contains(byte) {
            option.push(b'\\');
        }
        option.push(*byte);
    }
    CString::new(option).map_err(|_| Error::Nul { field: "root".to_owned() })
}

/// Whether a mount of the spec brings its own `/dev`: ours, which is filled, or somebody's as it is.
fn has_own_devices(acts: &[Act]) -> bool {
    let is_dev = |place: &Place| place.path.as_bytes() == b"dev";
    acts.iter().any(|act| match act {
        Act::FileSystem(file_system) => is_dev(&file_system.place),
        Act::Bind(bind) => is_dev(&bind.place),
        _ => false,
    })
}

fn devices(spec: &Spec) -> Result<Vec<DevicePlan>, Error> {
    let list = spec.linux().as_ref().and_then(|linux| linux.devices().as_deref());
    let asked: Vec<_> = list.unwrap_or_default().iter().map(device).collect::<Result<_, _>>()?;
    let mut devices = Vec::with_capacity(DEFAULT_DEVICES.len() + asked.len());
    for (name, major, minor) in DEFAULT_DEVICES {
        let overridden =
            |device: &DevicePlan| device.parent.path.as_bytes() == b"." && device.name.as_bytes() == name.as_bytes();
        if !asked.iter().any(overridden) {
            devices.push(DevicePlan {
                parent: Place::own(c".".into(), true),
                name: c_string(name.as_ref(), "linux.devices")?,
                kind: FileType::CharacterDevice,
                mode: 0o666,
                number: rustix::fs::makedev(major, minor),
                owner: None,
                group: None,
            });
        }
    }
    devices.extend(asked);
    Ok(devices)
}

fn device(device: &LinuxDevice) -> Result<DevicePlan, Error> {
    const FIELD: &str = "linux.devices";
    let path = inside(device.path(), FIELD)?;
    let below = path.strip_prefix("dev").ok().filter(|path| path.file_name().is_some());
    let below = below.ok_or_else(|| Error::unsupported(format!("{FIELD} (a path outside of /dev)")))?;
    let parent = below.parent().filter(|parent| !parent.as_os_str().is_empty());
    let kind = match device.typ() {
        LinuxDeviceType::B => FileType::BlockDevice,
        LinuxDeviceType::C | LinuxDeviceType::U => FileType::CharacterDevice,
        LinuxDeviceType::P => FileType::Fifo,
        LinuxDeviceType::A => return Err(Error::invalid(FIELD, "a node cannot be of all types")),
    };
    let number =
        |number: i64| u32::try_from(number).map_err(|_| Error::invalid(FIELD, "a device number is out of range"));
    let number = match kind {
        FileType::Fifo => 0,
        _ => rustix::fs::makedev(number(device.major())?, number(device.minor())?),
    };
    Ok(DevicePlan {
        parent: Place::own(c_string(parent.unwrap_or(Path::new(".")).as_os_str(), FIELD)?, true),
        name: c_string(below.file_name().unwrap_or_default(), FIELD)?,
        kind,
        mode: device.file_mode().unwrap_or(0o666) & 0o7777,
        number,
        owner: device.uid().map(Uid::from_raw),
        group: device.gid().map(Gid::from_raw),
    })
}

fn links() -> Result<Vec<LinkPlan>, Error> {
    LINKS
        .iter()
        .map(|(name, target)| {
            Ok(LinkPlan { name: c_string(name.as_ref(), "dev")?, target: c_string(target.as_ref(), "dev")? })
        })
        .collect()
}

fn places<'a>(
    spec: &'a Spec,
    list: impl Fn(&'a oci_spec::runtime::Linux) -> Option<&'a [String]>,
    field: &str,
) -> Result<Vec<Place>, Error> {
    let list = spec.linux().as_ref().and_then(list).unwrap_or_default();
    list.iter()
        .map(|path| {
            let path = inside(Path::new(path), field)?;
            Ok(Place::own(c_string(path.as_os_str(), field)?, true))
        })
        .collect()
}
