//! The options that describe a container, as Docker's hands type them: shared by `run`, `create` and `spec`.
//!
//! They only note down: what they mean together is the library's.

use std::path::PathBuf;

use clap::{ArgAction, ValueEnum};
use libcontainerd::{Bundle, ContainerBuilder, Network, Rootfs, Volume};

use crate::context::Context;
use crate::failure::Failure;
use crate::grammar::{self, env_file};
use crate::{env, output};

/// What the container is.
#[derive(Debug, clap::Args)]
pub(crate) struct ContainerFlags {
    /// Name it; else it gets a random name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Run on DIR below a layer that goes with the container; DIR:rw writes into it, DIR:ro writes nowhere
    #[arg(long, value_name = "DIR[:rw|:ro]", value_parser = grammar::rootfs::parse)]
    pub(crate) rootfs: Option<Rootfs>,
    /// Start from the config.json in DIR
    #[arg(short, long, value_name = "DIR")]
    pub(crate) bundle: Option<PathBuf>,
    /// Set a variable, or take the caller's
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    pub(crate) env: Vec<String>,
    /// Set the variables in FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Start in DIR
    #[arg(short, long, value_name = "DIR")]
    pub(crate) workdir: Option<PathBuf>,
    /// Run as this user
    #[arg(short, long, value_name = "NAME|UID[:GROUP|GID]")]
    pub(crate) user: Option<String>,
    /// Set the host name; else it is the container's name
    #[arg(short = 'h', long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// Show a directory or file of the host's
    #[arg(short, long, value_name = "SOURCE:TARGET[:ro]", value_parser = grammar::volume::parse)]
    pub(crate) volume: Vec<Volume>,
    /// Never write to the root file system
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Have no network but a loop-back (none, the default), or the host's (host)
    #[arg(long, value_enum)]
    pub(crate) network: Option<NetworkFlag>,
    /// Limit the memory
    #[arg(short, long, value_name = "SIZE", value_parser = grammar::size::parse)]
    pub(crate) memory: Option<u64>,
    /// Limit the processors, as 1.5
    #[arg(long, value_name = "NUMBER")]
    pub(crate) cpus: Option<f64>,
    /// Limit the number of processes; 0 or -1 for no limit
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true)]
    pub(crate) pids_limit: Option<i64>,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// A network that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NetworkFlag {
    None,
    Host,
}

impl ContainerFlags {
    /// Describes the container to `builder`, and says whether its bundle wants a terminal.
    ///
    /// # Errors
    /// When a file that is named cannot be read, or there is neither a root file system nor a bundle.
    pub(crate) fn onto(
        self,
        builder: ContainerBuilder,
        context: &Context,
    ) -> Result<(ContainerBuilder, bool), Failure> {
        let bundle = self.bundle.as_deref().map(Bundle::read).transpose()?;
        if bundle.is_none() && self.rootfs.is_none() {
            let text = "a container needs --rootfs DIR or --bundle DIR; `--rootfs /` runs on a copy-on-write view of this host";
            return Err(Failure::Usage(text.to_owned()));
        }
        let terminal = bundle.as_ref().is_some_and(|bundle| bundle.terminal);
        let builder = match bundle {
            Some(bundle) => {
                output::error::unknown_properties(&bundle.unknown);
                builder.bundle(bundle)
            }
            None => {
                let (soft, hard) = context.open_files.numbers();
                builder.open_files(soft, hard)
            }
        };
        Ok((self.describe(builder)?, terminal))
    }

    fn describe(self, mut builder: ContainerBuilder) -> Result<ContainerBuilder, Failure> {
        for (key, value) in variables(&self.env_file, &self.env)? {
            builder = builder.env(key, value);
        }
        if let Some(name) = self.name {
            builder = builder.name(name);
        }
        if let Some(rootfs) = self.rootfs {
            builder = builder.root(rootfs);
        }
        if let Some(directory) = self.workdir {
            builder = builder.cwd(directory);
        }
        if let Some(user) = self.user {
            builder = builder.user(user);
        }
        if let Some(name) = self.hostname {
            builder = builder.hostname(name);
        }
        if let Some(network) = self.network {
            builder = builder.network(network.into());
        }
        builder = self.volume.into_iter().fold(builder, ContainerBuilder::volume).read_only(self.read_only);
        builder = limit(builder, self.memory, self.cpus, self.pids_limit);
        let mut command = self.command.into_iter();
        if let Some(program) = command.next() {
            builder = builder.command(program).args(command);
        }
        Ok(builder)
    }
}

impl From<NetworkFlag> for Network {
    fn from(flag: NetworkFlag) -> Self {
        match flag {
            NetworkFlag::None => Network::None,
            NetworkFlag::Host => Network::Host,
        }
    }
}

/// The variables of files and options, in this order: options go last, and so prevail.
pub(crate) fn variables(files: &[PathBuf], options: &[String]) -> Result<Vec<env_file::Variable>, Failure> {
    let mut variables = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).map_err(|source| Failure::Read {
            what: "the file of variables",
            path: path.clone(),
            source,
        })?;
        let lines = env_file::lines(&text, env::of_caller)
            .map_err(|wrong| Failure::Usage(format!("{}: {wrong}", path.display())))?;
        variables.extend(lines);
    }
    for option in options {
        variables.extend(env_file::variable(option, env::of_caller).map_err(|e| Failure::Usage(format!("-e: {e}")))?);
    }
    Ok(variables)
}

fn limit(mut builder: ContainerBuilder, memory: Option<u64>, cpus: Option<f64>, pids: Option<i64>) -> ContainerBuilder {
    if let Some(bytes) = memory {
        builder = builder.memory(bytes);
    }
    if let Some(cpus) = cpus {
        builder = builder.cpus(cpus);
    }
    match pids.map(u32::try_from) {
        Some(Ok(count)) if count > 0 => builder.pids_limit(count),
        _ => builder,
    }
}
