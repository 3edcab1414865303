//! What was typed: global options and a verb.
//!
//! Verbs bring their own options. Usage errors of `run`, `create` and `exec` end with 125, since every lower code could be
//! the program's; of the others with 2.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, ValueEnum};
use libcontainerd::{DEFAULT_DATA, DEFAULT_ROOT};

use crate::grammar::log_level;
use crate::verb::Verb;
use crate::{env, exit_code, output};

/// Run and watch containers.
#[derive(Debug, Parser)]
#[command(name = "lctr", version, max_term_width = 100, subcommand_required = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Options of every verb.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct Global {
    /// Keep state that lives with the boot below DIR
    #[arg(long, global = true, value_name = "DIR", env = env::ROOT, hide_env_values = true, default_value = DEFAULT_ROOT)]
    pub(crate) root: PathBuf,
    /// Keep what is large or outlives the boot below DIR
    #[arg(long, global = true, value_name = "DIR", env = env::DATA, hide_env_values = true, default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// Log to stderr: off, error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", env = env::LOG, hide_env_values = true,
        value_parser = log_level::parse)]
    pub(crate) log_level: Option<String>,
    /// Log lines for people, or one JSON object a line
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// How to print results: for people, or as one JSON object a line
    #[arg(long, global = true, value_parser = PossibleValuesParser::new(["table", "json"]).map(|name| Format::named(&name)))]
    pub(crate) format: Option<Format>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// How results look. `logs` has formats of its own under the same name of the option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Raw,
    JsonFile,
    Cri,
}

impl Format {
    /// The format of a name that its option has let through.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "json" => Format::Json,
            "raw" => Format::Raw,
            "json-file" => Format::JsonFile,
            "cri" => Format::Cri,
            _ => Format::Table,
        }
    }
}

/// The command line asks for help, or is none.
#[derive(Debug)]
pub(crate) struct Refused {
    error: clap::Error,
    verb: Option<String>,
}

/// Reads the command line.
pub(crate) fn read() -> Result<Arguments, Refused> {
    read_from(std::env::args_os().collect())
}

fn read_from(typed: Vec<OsString>) -> Result<Arguments, Refused> {
    Arguments::try_parse_from(&typed).map_err(|error| Refused { error, verb: verb_of(&typed) })
}

impl Refused {
    /// Prints help to stdout or the mistake to stderr, and gives the exit code.
    pub(crate) fn print(self) -> u8 {
        if !self.error.use_stderr() {
            output::text(&self.error.render().to_string());
            return 0;
        }
        output::error::usage(&self.error.render().to_string());
        exit_code::of_usage(self.verb.as_deref())
    }
}

/// The verb, as far as it can be told in a command line that is none.
fn verb_of(typed: &[OsString]) -> Option<String> {
    const WITH_VALUE: [&str; 5] = ["--root", "--data", "--log-level", "--log-format", "--format"];
    let mut words = typed.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if WITH_VALUE.contains(&&*word) {
            words.next();
        } else if !word.starts_with('-') {
            return Some(word.into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        std::iter::once("lctr").chain(line.split_whitespace()).map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn the_verb_of_a_wrong_line_is_found_behind_global_options() {
        assert_eq!(verb_of(&words("--root /x run --no-such")).as_deref(), Some("run"));
        assert_eq!(verb_of(&words("--root=/x --format json ps")).as_deref(), Some("ps"));
        assert_eq!(verb_of(&words("--root")), None);
    }

    #[test]
    fn options_of_the_program_are_the_programs() {
        for line in ["run --rootfs / ls -l --root /x -h", "run --rootfs / -- ls -l --root /x -h"] {
            let Verb::Run(run) = read_from(words(line)).unwrap().verb else { panic!("{line}") };
            assert_eq!(run.container.command, ["ls", "-l", "--root", "/x", "-h"], "{line}");
        }
        let Verb::Exec(exec) = read_from(words("exec -w /tmp c sh -c ls -t")).unwrap().verb else { panic!() };
        assert_eq!(exec.command, ["sh", "-c", "ls", "-t"]);
        assert!(!exec.tty);
    }

    #[test]
    fn h_is_the_hostname_of_run_and_help_elsewhere() {
        let Verb::Run(run) = read_from(words("run -h there --rootfs / sh")).unwrap().verb else { panic!() };
        assert_eq!(run.container.hostname.as_deref(), Some("there"));
        assert_eq!(read_from(words("ps -h")).unwrap_err().error.kind(), clap::error::ErrorKind::DisplayHelp);
        assert_eq!(read_from(words("run --help")).unwrap_err().error.kind(), clap::error::ErrorKind::DisplayHelp);
    }

    #[test]
    fn logs_have_formats_of_their_own_and_know_json_too() {
        let format = |line: &str| match read_from(words(line)).unwrap() {
            Arguments { verb: Verb::Logs(logs), .. } => logs.format,
            other => panic!("{other:?}"),
        };
        assert_eq!(format("logs --format json-file c"), Some(Format::JsonFile));
        assert_eq!(format("logs --format cri c"), Some(Format::Cri));
        assert_eq!(format("--format json logs c"), Some(Format::Json));
        assert!(read_from(words("ps --format cri")).is_err());
        assert!(read_from(words("logs --format table c")).is_err());
    }

    #[test]
    fn a_log_level_that_is_none_is_refused() {
        assert!(read_from(words("--log-level debug ps")).is_ok());
        assert!(read_from(words("--log-level loud ps")).is_err());
    }

    #[test]
    fn a_usage_error_is_125_where_lower_codes_may_be_the_programs() {
        for (line, code) in [("run --no-such", 125), ("exec", 125), ("ps --no-such", 2), ("nonsense", 2)] {
            let refused = read_from(words(line)).unwrap_err();
            assert_eq!(exit_code::of_usage(refused.verb.as_deref()), code, "{line}");
        }
    }
}
