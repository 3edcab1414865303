//! What the engine enforces of a spec, and what it refuses.
//!
//! Every field that the OCI spec has is either carried out, or named here as an error, or is no limit
//! (annotations; the root's path, the cgroup's path and the terminal, which requests decide).
//! Decision: fail closed. Only a property that nobody knows is a warning, as the OCI spec demands.

mod sysctl;
mod unknown;

use oci_spec::runtime::{Hook, Linux, LinuxNamespaceType, Process, Spec};

use crate::error::Error;
use crate::mounts;

/// Something about a spec that is odd and does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A property that nobody knows; the OCI spec demands that it is ignored.
    UnknownProperty {
        /// The property, as a path in the spec.
        field: String,
    },
}

/// Checks that everything the spec says is enforced; `raw` is the document as it was written, for
/// properties that nobody knows. Limits (`linux.resources`) are checked when a cgroup is made.
///
/// # Errors
/// [`Error::Unsupported`] names a field that is known and not enforced; [`Error::Invalid`] one with a
/// bad value.
pub fn check_spec(spec: &Spec, raw: Option<&serde_json::Value>) -> Result<Vec<Warning>, Error> {
    if !spec.version().starts_with("1.") {
        return Err(Error::unsupported(format!("ociVersion {}", spec.version())));
    }
    check_platform(spec)?;
    check_hooks(spec)?;
    check_names(spec)?;
    mounts::check(spec.mounts().as_deref().unwrap_or_default())?;
    if let Some(process) = spec.process() {
        check_process(process)?;
    }
    if let Some(linux) = spec.linux() {
        check_linux(linux)?;
        check_namespaces(spec)?;
        sysctl::check(linux)?;
    }
    Ok(raw.map(|raw| unknown::find(spec, raw)).unwrap_or_default())
}

/// Checks a process, the container's own or one that is added.
pub(crate) fn check_process(process: &Process) -> Result<(), Error> {
    let set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let apparmor = process.apparmor_profile().as_deref().is_some_and(|profile| !["", "unconfined"].contains(&profile));
    refuse(&[
        ("process.commandLine", set(process.command_line())),
        ("process.ioPriority", process.io_priority().is_some()),
        ("process.scheduler", process.scheduler().is_some()),
        ("process.execCPUAffinity", process.exec_cpu_affinity().is_some()),
        ("process.user.username", set(process.user().username())),
        ("process.apparmorProfile", apparmor && !has_apparmor()),
        ("process.selinuxLabel", set(process.selinux_label()) && !has_selinux()),
    ])?;
    if process.oom_score_adj().is_some_and(|score| !(-1000..=1000).contains(&score)) {
        return Err(Error::invalid("process.oomScoreAdj", "it is not from -1000 to 1000"));
    }
    if !process.cwd().is_absolute() {
        return Err(Error::invalid("process.cwd", "it is not an absolute path"));
    }
    Ok(())
}

/// Whether the container makes or joins a namespace of that kind.
fn has_namespace(linux: &Linux, kind: LinuxNamespaceType) -> bool {
    linux.namespaces().iter().flatten().any(|namespace| namespace.typ() == kind)
}

fn refuse(fields: &[(&str, bool)]) -> Result<(), Error> {
    match fields.iter().find(|(_, asked)| *asked) {
        Some((field, _)) => Err(Error::unsupported(*field)),
        None => Ok(()),
    }
}

fn check_platform(spec: &Spec) -> Result<(), Error> {
    refuse(&[
        ("solaris", spec.solaris().is_some()),
        ("windows", spec.windows().is_some()),
        ("vm", spec.vm().is_some()),
        ("zos", spec.zos().is_some()),
        ("uidMappings", filled(spec.uid_mappings())),
        ("gidMappings", filled(spec.gid_mappings())),
    ])
}

fn check_hooks(spec: &Spec) -> Result<(), Error> {
    let Some(hooks) = spec.hooks() else {
        return Ok(());
    };
    let some = |hooks: &Option<Vec<Hook>>| filled(hooks);
    refuse(&[
        #[allow(deprecated, reason = "old specs have it, and it is to be refused")]
        ("hooks.prestart", some(hooks.prestart())),
        ("hooks.createRuntime", some(hooks.create_runtime())),
        ("hooks.createContainer", some(hooks.create_container())),
        ("hooks.startContainer", some(hooks.start_container())),
        ("hooks.poststart", some(hooks.poststart())),
        ("hooks.poststop", some(hooks.poststop())),
    ])
}

/// A name may be given only to a namespace that the container makes.
fn check_names(spec: &Spec) -> Result<(), Error> {
    let mut namespaces = spec.linux().iter().flat_map(|linux| linux.namespaces().iter().flatten());
    let own = namespaces.any(|namespace| namespace.typ() == LinuxNamespaceType::Uts && namespace.path().is_none());
    let names = [("hostname", spec.hostname()), ("domainname", spec.domainname())];
    for (field, name) in names {
        if name.is_some() && !own {
            return Err(Error::invalid(field, "it needs a UTS namespace of the container's own"));
        }
        if name.as_ref().is_some_and(|name| name.len() > 64) {
            return Err(Error::invalid(field, "it is longer than 64 bytes"));
        }
    }
    Ok(())
}

fn check_linux(linux: &Linux) -> Result<(), Error> {
    let flags = linux.personality().as_ref().is_some_and(|personality| filled(personality.flags()));
    refuse(&[
        ("linux.netDevices", linux.net_devices().as_ref().is_some_and(|devices| !devices.is_empty())),
        ("linux.uidMappings", filled(linux.uid_mappings())),
        ("linux.gidMappings", filled(linux.gid_mappings())),
        ("linux.mountLabel", linux.mount_label().as_ref().is_some_and(|label| !label.is_empty())),
        ("linux.intelRdt", linux.intel_rdt().is_some()),
        ("linux.memoryPolicy", linux.memory_policy().is_some()),
        ("linux.personality.flags", flags),
        ("linux.timeOffsets", linux.time_offsets().as_ref().is_some_and(|offsets| !offsets.is_empty())),
    ])?;
    match linux.rootfs_propagation().as_deref() {
        None | Some("") => Ok(()),
        Some(word) if mounts::propagation(word).is_some() => Ok(()),
        Some(_) => Err(Error::invalid("linux.rootfsPropagation", "it is no propagation")),
    }
}

fn check_namespaces(spec: &Spec) -> Result<(), Error> {
    let mut seen = Vec::new();
    for namespace in spec.linux().iter().flat_map(|linux| linux.namespaces().iter().flatten()) {
        let kind = namespace.typ();
        if [LinuxNamespaceType::User, LinuxNamespaceType::Time].contains(&kind) {
            return Err(Error::unsupported(format!("linux.namespaces ({kind})")));
        }
        if seen.contains(&kind) {
            return Err(Error::invalid("linux.namespaces", "a kind is there twice"));
        }
        seen.push(kind);
    }
    Ok(())
}

fn filled<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_some_and(|list| !list.is_empty())
}

fn has_apparmor() -> bool {
    std::fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.starts_with('Y'))
}

fn has_selinux() -> bool {
    std::path::Path::new("/sys/fs/selinux/enforce").exists()
}

#[cfg(test)]
mod tests;
