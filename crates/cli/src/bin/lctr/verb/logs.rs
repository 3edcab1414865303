//! `lctr logs`: what a process wrote and what of it is kept, byte for byte, or in a format that readers of logs know.
//!
//! Raw output is passed on in pieces as large as they come, stdout's bytes to stdout and stderr's to stderr; it is cut
//! into lines only where times or a format ask for them. Where bytes are missing that is said on stderr.

use std::time::SystemTime;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use libcontainerd::log_format::{LogFormat, LogFormatter};
use libcontainerd::{ErrorKind, LogEntry, LogStream, Logs as Kept, OutputKind, Piece, ProcessId, ProcessRef, ReadFrom};

use crate::args::Format;
use crate::context::Context;
use crate::failure::Failure;
use crate::grammar::{log_position, since};
use crate::output;
use crate::output::records::Records;
use crate::until::Until;

/// Options of `logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    /// Go on with what is written from now on, until the process has ended
    #[arg(short, long)]
    follow: bool,
    /// Begin at this offset in bytes, at the start, or now
    #[arg(long, value_name = "OFFSET|start|now", value_parser = log_position::from, conflicts_with = "tail")]
    from: Option<ReadFrom>,
    /// Begin with the last N lines
    #[arg(short = 'n', long, value_name = "N|all", value_parser = log_position::tail, allow_hyphen_values = true)]
    tail: Option<ReadFrom>,
    /// Print the time before each line
    #[arg(short, long)]
    timestamps: bool,
    /// Begin with what was written since: a time, seconds since 1970, or how long ago as 10m
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    since: Option<SystemTime>,
    /// End with what was written until then
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    until: Option<SystemTime>,
    /// Only stdout, or only stderr
    #[arg(long, value_enum, default_value_t = StreamFlag::All)]
    stream: StreamFlag,
    /// How to print it: as it was written, as Docker's json-file, or as the CRI has it
    #[arg(long, value_parser = PossibleValuesParser::new(["raw", "json-file", "cri"]).map(|name| Format::named(&name)))]
    pub(crate) format: Option<Format>,
    /// Of this further process
    #[arg(long, value_name = "NAME")]
    exec: Option<ProcessId>,
    /// The container
    container: String,
}

/// Which output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StreamFlag {
    Stdout,
    Stderr,
    All,
}

impl Logs {
    /// Prints it.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let id = supervisor.find(&self.container).await?;
        let process = self.exec.clone().unwrap_or_else(ProcessId::init);
        let status = supervisor.client().state(&id).await?;
        // Of a process that has ended the last bytes may still be on their way: they are waited for, and not for long.
        let ended = status.process(&process).is_none_or(|found| found.exit().is_some());
        let time = if ended && !self.follow { Until(Some(SystemTime::UNIX_EPOCH)) } else { Until(self.until) };
        let process = ProcessRef::new(id, process);
        let logs = self.chosen(supervisor.client().logs(&process));
        let follows = ended || (self.follow && !time.is_past());
        let stream = match (if follows { logs.follow() } else { logs }).open().await {
            // The container is there: it is the output that is not.
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Failure::NotKept(process)),
            stream => stream?,
        };
        match self.formatter() {
            Some(format) => self.records(stream, format, time).await?,
            None => self.raw(stream, time).await?,
        }
        Ok(0)
    }

    fn chosen(&self, logs: Kept) -> Kept {
        let logs = logs.from(self.from());
        match self.stream {
            StreamFlag::Stdout => logs.only(OutputKind::Stdout),
            StreamFlag::Stderr => logs.only(OutputKind::Stderr),
            StreamFlag::All => logs,
        }
    }

    /// A place goes before a time: what comes after it and is older is left out.
    fn from(&self) -> ReadFrom {
        self.from.or(self.tail).or(self.since.map(ReadFrom::Time)).unwrap_or_default()
    }

    fn formatter(&self) -> Option<LogFormat> {
        match self.format {
            Some(Format::JsonFile | Format::Json) => Some(LogFormat::JsonFile),
            Some(Format::Cri) => Some(LogFormat::Cri),
            _ if self.timestamps => Some(LogFormat::Stamped),
            _ => None,
        }
    }

    async fn raw(&self, mut stream: LogStream, time: Until) -> Result<(), Failure> {
        let until = Until(self.until);
        while let Some(piece) = time.next(stream.next()).await? {
            match piece {
                Piece::Bytes { at, .. } if until.is_before(at) => break,
                Piece::Bytes { at, .. } if self.is_before(at) => {}
                Piece::Bytes { kind, bytes, .. } => output::bytes(kind, &bytes)?,
                Piece::Lost { from, to } => lost(from, to),
                _ => {}
            }
        }
        Ok(())
    }

    async fn records(&self, stream: LogStream, format: LogFormat, time: Until) -> Result<(), Failure> {
        let (mut lines, until) = (stream.lines(), Until(self.until));
        let mut records = Records::new(LogFormatter::new(format), format != LogFormat::Stamped);
        loop {
            // What is there already is printed together; before there is a wait everything is out.
            let entry = tokio::select! {
                biased;
                entry = lines.next() => entry?,
                () = std::future::ready(()) => {
                    records.flush()?;
                    time.next(lines.next()).await?
                }
            };
            match entry {
                Some(LogEntry::Line(line)) if until.is_before(line.at) => break,
                Some(LogEntry::Line(line)) if self.is_before(line.at) => {}
                Some(LogEntry::Line(line)) => records.line(&line)?,
                Some(LogEntry::Lost { from, to }) => {
                    records.flush()?;
                    lost(from, to);
                }
                Some(LogEntry::End { kind, at, .. }) => records.end(kind, at)?,
                Some(_) => {}
                None => break,
            }
        }
        records.flush()
    }

    fn is_before(&self, at: SystemTime) -> bool {
        self.since.is_some_and(|since| at < since)
    }
}

fn lost(from: u64, to: u64) {
    output::error::note(&format!("{} bytes are not kept any more", to.saturating_sub(from)));
}
