//! Filters of events: `container=NAME`, `event=KIND`, `process=NAME`.
//!
//! Filters of one key widen, filters of different keys narrow, as Docker's; its names of kinds are known too.

use libcontainerd::core::event::{Event, EventKind};

use super::GrammarError;

/// Every kind of event by its name here, and by Docker's where that is another.
const KINDS: [(&str, &str); 8] = [
    ("created", "create"),
    ("started", "start"),
    ("exec-started", "exec_start"),
    ("exited", "die"),
    ("paused", "pause"),
    ("resumed", "unpause"),
    ("oom", "oom"),
    ("deleted", "destroy"),
];

const KIND_NAMES: &str = "created, started, exec-started, exited, paused, resumed, oom and deleted";

/// What an event must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventFilter {
    /// Of this container.
    Container(String),
    /// Of this kind.
    Kind(&'static str),
    /// About this process.
    Process(String),
}

/// Reads a filter.
pub(crate) fn parse(text: &str) -> Result<EventFilter, GrammarError> {
    match text.split_once('=') {
        Some((_, "")) | None => Err(GrammarError::Filter(text.to_owned())),
        Some(("container", name)) => Ok(EventFilter::Container(name.to_owned())),
        Some(("process", name)) => Ok(EventFilter::Process(name.to_owned())),
        Some(("event", name)) => {
            let kind = KINDS.iter().find(|(ours, dockers)| *ours == name || *dockers == name);
            let kind = kind.ok_or_else(|| GrammarError::EventKind(name.to_owned(), KIND_NAMES))?;
            Ok(EventFilter::Kind(kind.0))
        }
        Some(_) => Err(GrammarError::Filter(text.to_owned())),
    }
}

/// Whether all of them let an event through.
pub(crate) fn admit(filters: &[EventFilter], event: &Event) -> bool {
    let mut asked = [false; 3];
    let mut met = [false; 3];
    for filter in filters {
        let (key, meets) = match filter {
            EventFilter::Container(name) => (0, event.container.as_str() == name),
            EventFilter::Kind(kind) => (1, name(&event.kind) == *kind),
            EventFilter::Process(name) => (2, process(&event.kind) == Some(name)),
        };
        asked[key] = true;
        met[key] |= meets;
    }
    asked == met
}

/// The name of a kind, here and in every result.
pub(crate) fn name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Created => "created",
        EventKind::Started { .. } => "started",
        EventKind::ExecStarted { .. } => "exec-started",
        EventKind::Exited { .. } => "exited",
        EventKind::Paused => "paused",
        EventKind::Resumed => "resumed",
        EventKind::Oom => "oom",
        EventKind::Deleted => "deleted",
        _ => "changed",
    }
}

fn process(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::Started { .. } => Some("init"),
        EventKind::ExecStarted { process, .. } | EventKind::Exited { process, .. } => Some(process.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use libcontainerd::core::id::{Instance, Run};

    use super::*;

    fn admitted(filters: &[&str], container: &str, kind: EventKind) -> bool {
        let filters: Vec<_> = filters.iter().map(|text| parse(text).unwrap()).collect();
        let instance = Instance::from_bits(1);
        let at = SystemTime::UNIX_EPOCH;
        admit(&filters, &Event::new(container.parse().unwrap(), instance, Run::FIRST, 1, at, kind))
    }

    fn exec(name: &str) -> EventKind {
        EventKind::ExecStarted { process: name.parse().unwrap(), pid: 1 }
    }

    #[test]
    fn filters_of_one_key_widen_and_of_different_keys_narrow() {
        assert!(admitted(&[], "web", EventKind::Oom));
        assert!(admitted(&["container=db", "container=web"], "web", EventKind::Oom));
        assert!(!admitted(&["container=db"], "web", EventKind::Oom));
        assert!(admitted(&["container=web", "event=oom"], "web", EventKind::Oom));
        assert!(!admitted(&["container=web", "event=deleted"], "web", EventKind::Oom));
    }

    #[test]
    fn a_process_is_in_the_events_about_it() {
        assert!(admitted(&["process=job"], "web", exec("job")));
        assert!(!admitted(&["process=job"], "web", exec("other")));
        assert!(admitted(&["process=init"], "web", EventKind::Started { pid: 1 }));
        assert!(!admitted(&["process=init"], "web", EventKind::Created));
    }

    #[test]
    fn kinds_are_known_by_our_names_and_by_dockers() {
        for (ours, dockers) in KINDS {
            assert_eq!(parse(&format!("event={dockers}")), parse(&format!("event={ours}")));
            assert!(KIND_NAMES.contains(ours));
        }
        assert_eq!(parse("event=die"), Ok(EventFilter::Kind("exited")));
    }

    #[test]
    fn what_is_no_filter_says_what_there_is() {
        for text in ["", "web", "container=", "label=x", "=x"] {
            assert_eq!(parse(text), Err(GrammarError::Filter(text.into())), "{text}");
        }
        assert!(matches!(parse("event=born"), Err(GrammarError::EventKind(name, _)) if name == "born"));
    }
}
