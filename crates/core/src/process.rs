//! What to run: the user's words for a further process, and who it runs as.
//!
//! Environments never show in `Debug` output, nor in any error.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stdio::Stdio;

/// Who a process runs as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum User {
    /// By numbers, which are taken as they are.
    Ids {
        /// User id.
        uid: u32,
        /// Group id.
        gid: u32,
        /// Exactly these supplementary groups.
        groups: Vec<u32>,
    },
    /// As a person writes it, `name|uid[:group|gid]`, looked up in the container's own files by the runtime.
    Named(String),
}

/// What becomes of the processes that a process leaves behind it when it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LeftOvers {
    /// They go on, as what an exec has started in the background should.
    #[default]
    Leave,
    /// They are killed.
    Kill,
}

/// Environment variables, `KEY=value`; their text shows nowhere.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment(pub Vec<String>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} variables]", self.0.len())
    }
}

/// A further process in a running container. What is `None` is as in the container's own spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewProcess {
    /// Program and arguments; always taken from here.
    pub args: Vec<String>,
    /// Its streams; always taken from here.
    pub stdio: Stdio,
    /// Instead of the spec's environment.
    pub env: Option<Environment>,
    /// In addition to the environment, replacing variables of the same name.
    pub extra_env: Environment,
    /// Instead of the spec's working directory.
    pub cwd: Option<PathBuf>,
    /// Instead of the spec's user.
    pub user: Option<User>,
    /// Instead of the spec's capabilities: exactly these, by name, bounding, effective and permitted.
    pub capabilities: Option<Vec<String>>,
    /// Instead of the spec's setting.
    pub no_new_privileges: Option<bool>,
    /// How long it may run; then it is killed with everything that it has started.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// What becomes of what it leaves running.
    #[serde(default)]
    pub left_overs: LeftOvers,
}

impl NewProcess {
    /// `args` with `stdio`, all else as in the container's spec.
    pub fn new<S: Into<String>>(args: impl IntoIterator<Item = S>, stdio: Stdio) -> Self {
        NewProcess {
            args: args.into_iter().map(Into::into).collect(),
            stdio,
            env: None,
            extra_env: Environment::default(),
            cwd: None,
            user: None,
            capabilities: None,
            no_new_privileges: None,
            timeout: None,
            left_overs: LeftOvers::Leave,
        }
    }
}
