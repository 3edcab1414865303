//! Tables and lines for people.
//!
//! Everything in a cell is escaped before its width is measured.

use std::time::SystemTime;

use libcontainerd::core::event::{Event, EventKind};
use libcontainerd::{ContainerState, ContainerStatus, Exit, ExitStatus, Past, ProcessId};

use super::escape::escaped;
use super::{lines, time};
use crate::failure::Failure;

const GAP: usize = 3;
const LONGEST_COMMAND: usize = 40;

/// Prints containers, one a line: those that are there, then those that were removed.
pub(crate) fn containers(all: &[ContainerStatus], past: &[Past], cut: bool) -> Result<(), Failure> {
    let now = SystemTime::now();
    let header = ["CONTAINER ID", "COMMAND", "CREATED", "STATUS", "PID"].map(str::to_owned);
    let rows = all.iter().map(|status| {
        [
            status.id.to_string(),
            command(status.init().map(|init| &*init.args).unwrap_or_default(), cut),
            format!("{} ago", time::since(status.created_at, now)),
            state(status, now),
            status.init().and_then(|init| init.pid).map(|pid| pid.to_string()).unwrap_or_default(),
        ]
    });
    let gone = past.iter().map(|past| {
        let created = format!("{} ago", time::since(past.created_at, now));
        [past.id.to_string(), command(&past.args, cut), created, removal(past, now), String::new()]
    });
    let table = aligned(&std::iter::once(header).chain(rows).chain(gone).collect::<Vec<_>>());
    lines(table.iter().map(String::as_str))
}

/// Prints an event.
pub(crate) fn event(event: &Event) -> Result<(), Failure> {
    let what = match &event.kind {
        EventKind::Created => "created".to_owned(),
        EventKind::Started { pid } => format!("started pid={pid}"),
        EventKind::ExecStarted { process, pid } => format!("exec-started process={process} pid={pid}"),
        EventKind::Exited { process, exit } => {
            format!("exited process={process} {}{}", ending(exit), if exit.oom { " oom" } else { "" })
        }
        EventKind::Paused => "paused".to_owned(),
        EventKind::Resumed => "resumed".to_owned(),
        EventKind::Oom => "oom".to_owned(),
        EventKind::Deleted => "deleted".to_owned(),
        _ => "changed".to_owned(),
    };
    super::line(&format!("{} container {} {what}", time::exact(event.at), event.container))
}

fn ending(exit: &Exit) -> String {
    match exit.status {
        ExitStatus::Code(code) => format!("code={code}"),
        ExitStatus::Signal(signal) => format!("signal={signal}"),
        ExitStatus::Unknown => "unknown".to_owned(),
    }
}

fn command(args: &[String], cut: bool) -> String {
    // Escaped before it is cut, so that an escape is never cut into something else's beginning.
    let text = escaped(&args.join(" ")).to_string();
    if !cut || text.chars().count() <= LONGEST_COMMAND {
        return text;
    }
    text.chars().take(LONGEST_COMMAND - 1).chain(['…']).collect()
}

fn state(status: &ContainerStatus, now: SystemTime) -> String {
    let up = || time::since(status.started_at.unwrap_or(status.created_at), now);
    match (status.state, status.exit()) {
        (ContainerState::Stopped, Some(exit)) => {
            format!("Exited ({}) {} ago", exit.status.shell_code(), time::since(exit.at, now))
        }
        (ContainerState::Stopped, None) => "Stopped".to_owned(),
        (ContainerState::Running, _) => format!("Up {}", up()),
        (ContainerState::Paused, _) => format!("Up {} (Paused)", up()),
        (ContainerState::Creating, _) => "Creating".to_owned(),
        _ => "Created".to_owned(),
    }
}

fn removal(past: &Past, now: SystemTime) -> String {
    let ago = time::since(past.removed_at, now);
    match past.exit(&ProcessId::init()) {
        Some(exit) => format!("Removed ({}) {ago} ago", exit.status.shell_code()),
        None => format!("Removed {ago} ago"),
    }
}

fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0) + GAP;
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use libcontainerd::Signal;
    use libcontainerd::core::id::Instance;
    use libcontainerd::core::status::{ProcessState, ProcessStatus};

    use super::*;

    fn status(args: &[&str], end: Option<ExitStatus>) -> ContainerStatus {
        let mut status =
            ContainerStatus::new("web".parse().unwrap(), Instance::from_bits(1), "/b".into(), SystemTime::UNIX_EPOCH);
        let mut init = ProcessStatus::new(ProcessId::init(), args.iter().map(|arg| (*arg).to_owned()).collect());
        status.state = ContainerState::Running;
        if let Some(end) = end {
            init.state = ProcessState::Exited(Exit::new(end, libcontainerd::core::How::Waited, SystemTime::UNIX_EPOCH));
            status.state = ContainerState::Stopped;
        }
        status.processes = vec![init];
        status
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["A".to_owned(), "B".to_owned()], ["long".to_owned(), "x".to_owned()]];
        assert_eq!(aligned(&rows), ["A      B", "long   x"]);
    }

    #[test]
    fn the_status_tells_how_it_ended_and_when() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(120);
        assert_eq!(state(&status(&[], Some(ExitStatus::Code(7))), now), "Exited (7) 2 minutes ago");
        assert_eq!(state(&status(&[], Some(ExitStatus::Signal(Signal::KILL))), now), "Exited (137) 2 minutes ago");
        assert_eq!(state(&status(&[], None), now), "Up 2 minutes");
    }

    #[test]
    fn one_that_was_removed_tells_its_code_if_it_ever_ran() {
        let (then, now) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(120));
        let mut past = Past::new("web".parse().unwrap(), Instance::from_bits(1), then, then);
        assert_eq!(removal(&past, now), "Removed 2 minutes ago");
        let exit = Exit::new(ExitStatus::Code(7), libcontainerd::core::How::Waited, then);
        past.exits = vec![(ProcessId::init(), exit)];
        assert_eq!(removal(&past, now), "Removed (7) 2 minutes ago");
    }

    #[test]
    fn c41_a_hostile_command_is_escaped_before_it_is_cut() {
        let args = ["sh", "-c", "echo \x1b]0;owned\x07; rm -rf \u{202e}everything there is"].map(str::to_owned);
        insta::assert_snapshot!(command(&args, true), @r"sh -c echo \x1b]0;owned\x07; rm -rf \u{…");
        assert!(command(&args, false).ends_with("everything there is"));
    }
}
