//! The small languages that hands know: sizes, volumes, variables, root file systems and times.
//!
//! Each reads one text into one value and says what is wrong with it; values of variables are never repeated, they
//! may be secrets.

pub(crate) mod env_file;
pub(crate) mod rootfs;
pub(crate) mod since;
pub(crate) mod size;
pub(crate) mod volume;

/// Why a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrammarError {
    /// No amount of memory.
    #[error("a size is a number and one of b, k, m, g, t, as in 512m")]
    Size,
    /// More than there can be.
    #[error("no machine has so much memory")]
    SizeTooLarge,
    /// No volume.
    #[error("a volume is SOURCE:TARGET or SOURCE:TARGET:ro")]
    Volume,
    /// A source that is a bare name.
    #[error("named volumes are not supported; for a directory write ./{0} or an absolute path")]
    NamedVolume(String),
    /// An option of a volume that is not known.
    #[error("{0:?} is no option of a volume; there are ro and rw")]
    VolumeOption(String),
    /// A variable without a name.
    #[error("a variable is KEY=VALUE, or KEY to take the caller's")]
    Variable,
    /// The same in a file.
    #[error("line {0} is neither KEY=VALUE nor KEY")]
    VariableLine(usize),
    /// A root file system without a path.
    #[error("a root file system is DIR, DIR:rw or DIR:ro")]
    Rootfs,
    /// No time.
    #[error("a time is as 2026-01-31T12:00:00Z, seconds since 1970, or how long ago as 10m or 1h30m")]
    Since,
}
