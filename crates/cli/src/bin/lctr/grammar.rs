//! The small languages that hands know: sizes, volumes, variables, root file systems, times, owners, filters and logs.
//!
//! Each reads one text into one value and says what is wrong with it; values of variables are never repeated, they
//! may be secrets.

pub(crate) mod duration;
pub(crate) mod env_file;
pub(crate) mod event_filter;
pub(crate) mod log_level;
pub(crate) mod log_options;
pub(crate) mod log_position;
pub(crate) mod owner;
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
    /// No duration.
    #[error("a duration is as 10s or 1m30s, or seconds as 10 or 1.5, and not zero")]
    Duration,
    /// No driver of ours.
    #[error("there is no log driver {0}; there are kept (also json-file, local, k8s-file) and none")]
    LogDriver(String),
    /// No option of ours.
    #[error("{0:?} is no option of logs; there are max-size=SIZE, max-file=COUNT and mode=drop or mode=block")]
    LogOption(String),
    /// No length of a segment.
    #[error("max-size is a size from 4k, as 16m, or -1 for no bounds")]
    LogSize,
    /// No number of segments.
    #[error("max-file is a number from 1")]
    LogFiles,
    /// No mode.
    #[error("mode is drop or block")]
    LogMode,
    /// No number of lines.
    #[error("it is a number of lines, or all")]
    Tail,
    /// No place in kept output.
    #[error("it is start, now, or an offset in bytes")]
    From,
    /// Nobody's pid.
    #[error("it is the pid of a program, or parent for whoever runs this")]
    Owner,
    /// No filter of events.
    #[error("{0:?} is no filter; there are container=NAME, event=KIND and process=NAME")]
    Filter(String),
    /// No kind of event.
    #[error("there is no event {0:?}; there are {1}")]
    EventKind(String, &'static str),
    /// No log level.
    #[error("a log level is off, error, warn, info, debug or trace; or MODULE=LEVEL, several with commas")]
    LogLevel,
}
