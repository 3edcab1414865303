//! What shapes a container's OCI spec, and the spec it makes.
//!
//! Starts from a bundle's spec or from the default one, lays each wish over it in a fixed order, and lets the
//! caller's own edits have the last word. Where the streams are placed decides whether there is a terminal.

use std::fmt;
use std::path::{Path, PathBuf};

use libcontainerd_core::process::Environment;
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::Stdio;
use libcontainerd_core::{ContainerId, Error, ErrorKind, Result};
use oci_spec::runtime::{
    BoxBuilder, Linux, LinuxCpu, LinuxMemory, LinuxNamespaceType, LinuxPids, LinuxResources, Mount, PosixRlimitBuilder,
    PosixRlimitType, Process, Spec,
};

use crate::default_spec::{console_rule, default_spec};
use crate::preflight;

const PERIOD: u64 = 100_000;
const LONGEST_HOSTNAME: usize = 64;

type Edit = Box<dyn FnOnce(&mut Spec) + Send>;

/// What network a container has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Network {
    /// One of its own, with nothing but a loop-back.
    None,
    /// The host's.
    Host,
}

/// A directory or file of the host's that a container sees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Volume {
    /// What, on the host.
    pub source: PathBuf,
    /// Where, in the container; absolute.
    pub target: PathBuf,
    /// Whether the container may not write to it.
    pub read_only: bool,
}

impl Volume {
    /// `source` of the host's at `target` in the container, which may write to it.
    pub fn new(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Volume { source: source.into(), target: target.into(), read_only: false }
    }

    /// The same, where the container may only read.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

/// The wishes.
#[derive(Default)]
pub(super) struct Shape {
    /// Instead of the default spec.
    pub(super) base: Option<Spec>,
    /// Program and arguments; none leaves the base's.
    pub(super) args: Vec<String>,
    /// Over the base's variables.
    pub(super) env: Environment,
    /// Instead of the base's working directory.
    pub(super) cwd: Option<PathBuf>,
    /// Instead of the base's, or of the container's name.
    pub(super) hostname: Option<String>,
    /// After the base's mounts.
    pub(super) volumes: Vec<Volume>,
    /// Whether the root is mounted so.
    pub(super) read_only: bool,
    /// Instead of the base's.
    pub(super) network: Option<Network>,
    /// In bytes.
    pub(super) memory: Option<u64>,
    /// In µs a period of 100 ms.
    pub(super) quota: Option<i64>,
    /// Processes and threads.
    pub(super) pids: Option<u32>,
    /// Soft and hard limit of open descriptors.
    pub(super) open_files: Option<(u64, u64)>,
    /// At the end.
    pub(super) edits: Vec<Edit>,
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The base's spec and the arguments may hold secrets.
        f.debug_struct("Shape")
            .field("env", &self.env)
            .field("cwd", &self.cwd)
            .field("hostname", &self.hostname)
            .field("volumes", &self.volumes)
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

impl Shape {
    /// Whether it says what to run.
    pub(super) fn has_program(&self) -> bool {
        self.base.is_some() || !self.args.is_empty()
    }

    /// The spec of the container `id` on `rootfs`, and the root file system as it is then.
    ///
    /// # Errors
    /// `InvalidArgument` naming what cannot be.
    pub(super) fn spec(mut self, id: &ContainerId, rootfs: &Rootfs, stdio: &Stdio) -> Result<(Spec, Rootfs)> {
        let from_bundle = self.base.is_some();
        let mut spec = self.base.take().unwrap_or_else(default_spec);
        self.shape_process(spec.process_mut().get_or_insert_default(), stdio)?;
        if self.hostname.is_some() || !from_bundle {
            spec.set_hostname(Some(self.hostname.take().unwrap_or_else(|| hostname(id))));
        }
        if stdio.terminal.is_some() && !from_bundle {
            resources(&mut spec).devices_mut().get_or_insert_default().push(console_rule());
        }
        if self.network == Some(Network::Host) {
            join_host_network(&mut spec);
        }
        for volume in &self.volumes {
            let mount = bind(volume)?;
            spec.mounts_mut().get_or_insert_default().push(mount);
        }
        self.shape_limits(&mut spec);
        let rootfs = if self.read_only { read_only(rootfs) } else { rootfs.clone() };
        write_root(&mut spec, &rootfs);
        for edit in self.edits {
            edit(&mut spec);
        }
        Ok((spec, rootfs))
    }

    fn shape_process(&mut self, process: &mut Process, stdio: &Stdio) -> Result<()> {
        if !self.args.is_empty() {
            process.set_args(Some(std::mem::take(&mut self.args)));
        }
        if process.args().as_ref().is_none_or(Vec::is_empty) {
            return Err(Error::new(ErrorKind::InvalidArgument, "a container needs a program to run"));
        }
        let env = process.env_mut().get_or_insert_default();
        for variable in std::mem::take(&mut self.env).0 {
            set_variable(env, variable);
        }
        if stdio.terminal.is_some() && !env.iter().any(|variable| variable.starts_with("TERM=")) {
            env.push("TERM=xterm".to_owned());
        }
        if let Some(cwd) = self.cwd.take() {
            process.set_cwd(cwd);
        }
        if let Some((soft, hard)) = self.open_files {
            limit_open_files(process, soft, hard)?;
        }
        place_terminal(process, stdio)
    }

    fn shape_limits(&self, spec: &mut Spec) {
        if self.memory.is_none() && self.quota.is_none() && self.pids.is_none() {
            return;
        }
        let resources = resources(spec);
        if let Some(bytes) = self.memory {
            let mut memory: LinuxMemory = resources.memory().unwrap_or_default();
            memory.set_limit(Some(i64::try_from(bytes).unwrap_or(i64::MAX)));
            resources.set_memory(Some(memory));
        }
        if let Some(quota) = self.quota {
            let mut cpu: LinuxCpu = resources.cpu().clone().unwrap_or_default();
            cpu.set_quota(Some(quota));
            cpu.set_period(Some(PERIOD));
            resources.set_cpu(Some(cpu));
        }
        if let Some(count) = self.pids {
            let mut pids = LinuxPids::default();
            pids.set_limit(i64::from(count));
            resources.set_pids(Some(pids));
        }
    }
}

/// Processor time in µs a period, for so many processors.
///
/// # Errors
/// `InvalidArgument` below a hundredth of a processor, which the kernel refuses, and for what is no number.
pub(super) fn quota(processors: f64) -> Result<i64> {
    let quota = (processors * PERIOD as f64).round();
    if !quota.is_finite() || !(1_000.0..1e15).contains(&quota) {
        return Err(Error::new(ErrorKind::InvalidArgument, "processors are a number from 0.01"));
    }
    Ok(quota as i64)
}

fn resources(spec: &mut Spec) -> &mut LinuxResources {
    let linux: &mut Linux = spec.linux_mut().get_or_insert_default();
    linux.resources_mut().get_or_insert_default()
}

fn set_variable(env: &mut Vec<String>, variable: String) {
    let key = variable.split_inclusive('=').next().unwrap_or_default().to_owned();
    env.retain(|old| !old.starts_with(&key));
    env.push(variable);
}

fn limit_open_files(process: &mut Process, soft: u64, hard: u64) -> Result<()> {
    let limit = PosixRlimitBuilder::default().typ(PosixRlimitType::RlimitNofile).soft(soft).hard(hard).build();
    let mut limits = process.rlimits().clone().unwrap_or_default();
    limits.retain(|limit| limit.typ() != PosixRlimitType::RlimitNofile);
    limits.push(limit.map_err(impossible)?);
    process.set_rlimits(Some(limits));
    Ok(())
}

fn place_terminal(process: &mut Process, stdio: &Stdio) -> Result<()> {
    process.set_terminal(Some(stdio.terminal.is_some()));
    let size = stdio.terminal.map(|size| {
        BoxBuilder::default().width(u64::from(size.columns)).height(u64::from(size.rows)).build().map_err(impossible)
    });
    process.set_console_size(size.transpose()?);
    Ok(())
}

fn impossible(e: oci_spec::OciSpecError) -> Error {
    Error::new(ErrorKind::Internal, "a part of the spec could not be made").because(e)
}

fn hostname(id: &ContainerId) -> String {
    id.as_str().chars().take(LONGEST_HOSTNAME).collect()
}

fn join_host_network(spec: &mut Spec) {
    let linux = spec.linux_mut().get_or_insert_default();
    if let Some(namespaces) = linux.namespaces_mut() {
        namespaces.retain(|namespace| namespace.typ() != LinuxNamespaceType::Network);
    }
    // These settings would be the host's own then.
    if let Some(settings) = linux.sysctl_mut() {
        settings.retain(|key, _| !key.starts_with("net."));
    }
}

fn bind(volume: &Volume) -> Result<Mount> {
    preflight::exists(&volume.source, "the volume's source")?;
    let source = std::path::absolute(&volume.source).map_err(|e| {
        Error::new(ErrorKind::InvalidArgument, "the volume's source cannot be made absolute").because(e)
    })?;
    if !volume.target.is_absolute() || volume.target == Path::new("/") {
        let text = format!("the volume's target {:?} is not an absolute path below /", volume.target);
        return Err(Error::new(ErrorKind::InvalidArgument, text));
    }
    let access = if volume.read_only { "ro" } else { "rw" };
    let mut mount = Mount::default();
    mount
        .set_typ(Some("bind".to_owned()))
        .set_source(Some(source))
        .set_destination(volume.target.clone())
        .set_options(Some(["rbind", "rprivate", access].map(str::to_owned).to_vec()));
    Ok(mount)
}

fn read_only(rootfs: &Rootfs) -> Rootfs {
    Rootfs::ReadOnly(rootfs.directory().clone())
}

fn write_root(spec: &mut Spec, rootfs: &Rootfs) {
    let root = spec.root_mut().get_or_insert_default();
    root.set_path(rootfs.directory().clone());
    root.set_readonly(Some(matches!(rootfs, Rootfs::ReadOnly(_))));
}

#[cfg(test)]
mod tests;
