//! Results for programs: a schema of our own, so that the core's types may change without breaking scripts.
//!
//! Times are RFC 3339 in UTC with nanoseconds; what is not known is left out. Environments are in none of it. Whatever
//! would act on a terminal is written as JSON's own escapes, so that looking at it is safe and reading it changes nothing.
//!
//! Keeps: C-41.

use std::io::{self, Write};

use libcontainerd::core::cursor::Cursor;
use libcontainerd::core::event::{Event, EventKind};
use libcontainerd::core::ports::runtime::RuntimeVersion;
use libcontainerd::core::status::{ProcessState, ProcessStatus};
use libcontainerd::{ContainerId, ContainerState, ContainerStatus, Exit, ExitStatus};
use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) use self::autopsy::AutopsyView;
pub(crate) use self::past::{CursorView, PastView, SweptView};
use super::escape;
use super::time::exact;
use crate::exit_code;
use crate::failure::Failure;
use crate::grammar::event_filter;

mod autopsy;
mod past;

/// Prints one object on one line.
pub(crate) fn line(view: &impl Serialize) -> Result<(), Failure> {
    lines([view])
}

/// Prints one object a line.
pub(crate) fn lines(views: impl IntoIterator<Item = impl Serialize>) -> Result<(), Failure> {
    let mut text = Vec::new();
    for view in views {
        serde_json::to_writer(&mut text, &view).map_err(Failure::Json)?;
        text.push(b'\n');
    }
    print(&text)
}

/// Prints one value over many lines.
pub(crate) fn pretty(view: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(view).map_err(Failure::Json)?;
    text.push(b'\n');
    print(&text)
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let text = harmless(&String::from_utf8_lossy(text));
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Print)
}

/// The same JSON, without a character that acts on a terminal: those can be in strings only.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && (c.is_control() || escape::acts(c)) {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

/// A container.
#[derive(Debug, Serialize)]
pub(crate) struct ContainerView {
    id: String,
    instance: String,
    run: u32,
    state: &'static str,
    bundle: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<ExitView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autopsy: Option<AutopsyView>,
    processes: Vec<ProcessView>,
}

impl ContainerView {
    /// A container as it is now.
    pub(crate) fn new(status: &ContainerStatus) -> Self {
        ContainerView {
            id: status.id.to_string(),
            instance: status.instance.to_string(),
            run: status.run.0,
            state: state(status.state),
            bundle: status.bundle.display().to_string(),
            created_at: exact(status.created_at),
            started_at: status.started_at.map(exact),
            pid: status.init().and_then(|init| init.pid),
            exit: status.exit().map(ExitView::new),
            autopsy: None,
            processes: status.processes.iter().map(ProcessView::new).collect(),
        }
    }

    /// The same with all that is known of how it ended.
    pub(crate) fn with(mut self, autopsy: Option<AutopsyView>) -> Self {
        self.autopsy = autopsy;
        self
    }
}

/// A process.
#[derive(Debug, Serialize)]
struct ProcessView {
    id: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    terminal: bool,
    args: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<ExitView>,
}

impl ProcessView {
    fn new(process: &ProcessStatus) -> Self {
        let state = match process.state {
            ProcessState::Created => "created",
            ProcessState::Running => "running",
            ProcessState::Exited(_) => "exited",
        };
        ProcessView {
            id: process.id.to_string(),
            state,
            pid: process.pid,
            terminal: process.terminal,
            args: process.args.clone(),
            exit: process.exit().map(ExitView::new),
        }
    }
}

/// An end.
#[derive(Debug, Serialize)]
struct ExitView {
    /// As shells put it.
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    at: String,
    how: Value,
    oom: bool,
    timed_out: bool,
    durable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_overs: Option<u32>,
}

impl ExitView {
    fn new(exit: &Exit) -> Self {
        let (code, signal) = match exit.status {
            ExitStatus::Code(code) => (Some(code), None),
            ExitStatus::Signal(signal) => (None, Some(signal.to_string())),
            ExitStatus::Unknown => (None, None),
        };
        ExitView {
            exit_code: exit_code::of_exit(exit),
            code,
            signal,
            at: exact(exit.at),
            how: serde_json::to_value(exit.how).unwrap_or_default(),
            oom: exit.oom,
            timed_out: exit.timed_out,
            durable: exit.durable,
            left_overs: exit.left_overs,
        }
    }
}

/// A container that was waited for.
#[derive(Debug, Serialize)]
pub(crate) struct WaitedView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<ExitView>,
}

impl WaitedView {
    /// The end of a container; none of one that never ran.
    pub(crate) fn new(id: &ContainerId, exit: Option<&Exit>) -> Self {
        WaitedView { id: id.to_string(), exit: exit.map(ExitView::new) }
    }
}

/// An event.
#[derive(Debug, Serialize)]
pub(crate) struct EventView {
    time: String,
    container: String,
    instance: String,
    run: u32,
    sequence: u64,
    cursor: String,
    kind: &'static str,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl EventView {
    /// An event and the position after it.
    pub(crate) fn new(event: &Event, cursor: &Cursor) -> Self {
        EventView {
            time: exact(event.at),
            container: event.container.to_string(),
            instance: event.instance.to_string(),
            run: event.run.0,
            sequence: event.sequence,
            cursor: cursor.to_string(),
            kind: event_filter::name(&event.kind),
            more: more(&event.kind),
        }
    }
}

fn more(kind: &EventKind) -> Map<String, Value> {
    let mut more = Map::new();
    match kind {
        EventKind::Started { pid } => {
            more.insert("pid".into(), (*pid).into());
        }
        EventKind::ExecStarted { process, pid } => {
            more.insert("process".into(), process.as_str().into());
            more.insert("pid".into(), (*pid).into());
        }
        EventKind::Exited { process, exit } => {
            more.insert("process".into(), process.as_str().into());
            more.insert("exit".into(), serde_json::to_value(ExitView::new(exit)).unwrap_or_default());
        }
        _ => {}
    }
    more
}

/// The state of a container as the OCI runtime specification has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OciState {
    oci_version: &'static str,
    id: String,
    status: &'static str,
    pid: u32,
    bundle: String,
}

impl OciState {
    /// The state of a container as it is now; pid 0 when it has none.
    pub(crate) fn new(status: &ContainerStatus) -> Self {
        OciState {
            oci_version: "1.2.0",
            id: status.id.to_string(),
            status: state(status.state),
            pid: status.init().and_then(|init| init.pid).unwrap_or(0),
            bundle: status.bundle.display().to_string(),
        }
    }
}

/// Who we are.
#[derive(Debug, Serialize)]
pub(crate) struct VersionView {
    pub(crate) version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<RuntimeView>,
}

#[derive(Debug, Serialize)]
struct RuntimeView {
    name: String,
    version: String,
    details: Map<String, Value>,
}

impl VersionView {
    /// Our version, and the runtime's where it is known.
    pub(crate) fn new(version: &'static str, runtime: Option<&RuntimeVersion>) -> Self {
        let runtime = runtime.map(|runtime| RuntimeView {
            name: runtime.name.clone(),
            version: runtime.version.clone(),
            details: runtime.details.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect(),
        });
        VersionView { version, runtime }
    }
}

fn state(state: ContainerState) -> &'static str {
    match state {
        ContainerState::Creating => "creating",
        ContainerState::Created => "created",
        ContainerState::Running => "running",
        ContainerState::Paused => "paused",
        ContainerState::Stopped => "stopped",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests;
