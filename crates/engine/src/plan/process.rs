//! Who a process is and what it runs, resolved before it exists.

use std::ffi::{CString, OsStr};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxPersonalityDomain, Process, Spec};
use rustix::fs::Gid;

use super::{Place, ProcFile, ProcessPlan, c_string};
use crate::error::Error;
use crate::host::Host;
use crate::identity::{Identity, UserRequest};
use crate::mounts::inside;
use crate::seccomp;
use crate::sys::ArgumentVector;

/// Where programs are looked for when the environment does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The execution domain of 32-bit programs.
const PER_LINUX32: u64 = 8;

/// Plans a process; `root` is where its user's name and home are looked up.
pub(super) fn plan(
    host: &Host,
    spec: &Spec,
    process: &Process,
    user: Option<&UserRequest>,
    root: BorrowedFd<'_>,
) -> Result<ProcessPlan, Error> {
    let (identity, home) = Identity::plan(process, user, root)?;
    let arguments = c_strings(process.args().as_deref().unwrap_or_default(), "process.args")?;
    let name = arguments.first().cloned();
    let name = name.ok_or_else(|| Error::invalid("process.args", "it is empty"))?;
    let environment = environment(process, home)?;
    let groups = identity.groups.iter().map(|group| Gid::from_raw(*group)).collect();
    Ok(ProcessPlan {
        candidates: candidates(&name, process)?,
        name,
        arguments: ArgumentVector::new(arguments),
        environment: ArgumentVector::new(environment),
        working_directory: working_directory(process)?,
        make_working_directory: false,
        identity,
        groups,
        last_capability: host.last_capability,
        filter: filter(spec)?,
        keyring: None,
        oom_score_adj: process.oom_score_adj().map(|score| score.to_string().into_bytes()),
        label: label(process)?,
        personality: personality(spec),
    })
}

/// The spec's sysctls as files below `/proc`.
pub(super) fn sysctls(spec: &Spec) -> Result<Vec<ProcFile>, Error> {
    let list = spec.linux().as_ref().and_then(|linux| linux.sysctl().as_ref());
    let mut sysctls: Vec<_> = list.into_iter().flatten().collect();
    sysctls.sort();
    sysctls
        .into_iter()
        .map(|(name, value)| {
            let path = if name.contains('/') { name.clone() } else { name.replace('.', "/") };
            Ok(ProcFile {
                path: c_string(format!("sys/{path}").as_ref(), "linux.sysctl")?,
                value: value.clone().into_bytes(),
            })
        })
        .collect()
}

fn c_strings(strings: &[String], field: &str) -> Result<Vec<CString>, Error> {
    strings.iter().map(|string| c_string(string.as_ref(), field)).collect()
}

fn environment(process: &Process, home: Option<PathBuf>) -> Result<Vec<CString>, Error> {
    let given = process.env().as_deref().unwrap_or_default();
    let mut environment = c_strings(given, "process.env")?;
    if !given.iter().any(|variable| variable.starts_with("HOME=")) {
        let mut variable = std::ffi::OsString::from("HOME=");
        variable.push(home.as_deref().unwrap_or(Path::new("/")));
        environment.push(c_string(&variable, "process.env")?);
    }
    Ok(environment)
}

/// Every path that the program could have: its own where it has a slash, else one in each directory of
/// the environment's `PATH`.
fn candidates(name: &CString, process: &Process) -> Result<Vec<CString>, Error> {
    use std::os::unix::ffi::OsStrExt;
    if name.is_empty() || name.as_bytes().contains(&b'/') {
        return Ok(vec![name.clone()]);
    }
    let name = OsStr::from_bytes(name.as_bytes());
    let mut variables = process.env().iter().flatten();
    let path = variables.find_map(|variable| variable.strip_prefix("PATH="));
    let directories = path.unwrap_or(DEFAULT_PATH).split(':');
    directories
        .map(|directory| if directory.is_empty() { "." } else { directory })
        .map(|directory| c_string(Path::new(directory).join(name).as_ref(), "process.args"))
        .collect()
}

fn working_directory(process: &Process) -> Result<Place, Error> {
    let path = inside(process.cwd(), "process.cwd")?;
    Ok(Place::of(c_string(path.as_os_str(), "process.cwd")?, true))
}

fn filter(spec: &Spec) -> Result<Option<seccomp::Program>, Error> {
    let profile = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
    Ok(profile.map(seccomp::compile).transpose()?)
}

fn personality(spec: &Spec) -> Option<u64> {
    let personality = spec.linux().as_ref().and_then(|linux| linux.personality().as_ref());
    personality.map(|personality| match personality.domain() {
        LinuxPersonalityDomain::PerLinux => 0,
        LinuxPersonalityDomain::PerLinux32 => PER_LINUX32,
    })
}

/// The label that the kernel gives at exec; whether this host has labels, the spec's check has seen.
fn label(process: &Process) -> Result<Option<ProcFile>, Error> {
    let given = |label: &Option<String>| label.clone().filter(|label| !label.is_empty());
    if let Some(profile) = given(process.apparmor_profile()).filter(|profile| profile != "unconfined") {
        return Ok(Some(ProcFile {
            path: c"thread-self/attr/apparmor/exec".into(),
            value: format!("exec {profile}").into_bytes(),
        }));
    }
    Ok(given(process.selinux_label())
        .map(|label| ProcFile { path: c"thread-self/attr/exec".into(), value: label.into_bytes() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(json: serde_json::Value) -> Process {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_name_is_looked_for_in_every_directory_of_path() {
        let process = process(
            serde_json::json!({"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": ["sh"], "env": ["PATH=/a::/b"]}),
        );
        let found = candidates(&c"sh".into(), &process).unwrap();
        assert_eq!(found, [c"/a/sh".into(), c"./sh".into(), c"/b/sh".into()] as [CString; 3]);
        let found = candidates(&c"./sh".into(), &process).unwrap();
        assert_eq!(found, [CString::from(c"./sh")]);
    }

    #[test]
    fn home_is_given_once_and_only_where_it_is_missing() {
        let with = process(serde_json::json!({"cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["HOME=/x"]}));
        assert_eq!(environment(&with, Some("/y".into())).unwrap(), [CString::from(c"HOME=/x")]);
        let without = process(serde_json::json!({"cwd": "/", "user": {"uid": 0, "gid": 0}}));
        assert_eq!(environment(&without, Some("/y".into())).unwrap(), [CString::from(c"HOME=/y")]);
        assert_eq!(environment(&without, None).unwrap(), [CString::from(c"HOME=/")]);
    }
}
