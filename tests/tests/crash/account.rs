//! The account of all exits: what the runtime told of every container of a scene, told once more or not.
//!
//! It follows the log of events from the beginning. Settled it says that every process that was started has exactly
//! one exit, that nothing has an exit twice or out of order, and that every container that was made is deleted.

use std::collections::{BTreeMap, BTreeSet};

use libcontainerd::core::event::{Event, EventKind};
use libcontainerd::core::ports::runtime::EventSource;
use libcontainerd::{Exit, ProcessId};
use tokio::sync::watch;

use crate::process::NOT_HANGING;

/// Events of a scene, in the order in which they were told.
#[derive(Debug)]
pub(crate) struct Account {
    told: watch::Receiver<Vec<Event>>,
}

impl Account {
    /// Follows `events` until the scene is over.
    pub(crate) fn follow(mut events: Box<dyn EventSource>) -> Self {
        let (tell, told) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Some((event, _)) = events.next().await.expect("events are followed without a gap") {
                tell.send_modify(|all: &mut Vec<Event>| all.push(event));
            }
        });
        Account { told }
    }

    /// Waits until `container` was told to be deleted.
    pub(crate) async fn until_deleted(&self, container: &str) {
        self.until(container, |kind| matches!(kind, EventKind::Deleted)).await;
    }

    /// Waits until something was told of `container`.
    pub(crate) async fn until(&self, container: &str, wanted: impl Fn(&EventKind) -> bool) {
        let mut told = self.told.clone();
        let is_told =
            |all: &Vec<Event>| all.iter().any(|event| event.container.as_str() == container && wanted(&event.kind));
        let found = tokio::time::timeout(NOT_HANGING, told.wait_for(is_told)).await;
        assert!(found.is_ok_and(|found| found.is_ok()), "{container}: it is never told");
    }

    /// Waits until a process was told to have ended, and gives how.
    pub(crate) async fn exit(&self, container: &str, process: &ProcessId) -> Exit {
        self.until(container, |kind| matches!(kind, EventKind::Exited { process: of, .. } if of == process)).await;
        self.exits(container, process).remove(0)
    }

    /// The exits told of a process so far, each once.
    pub(crate) fn exits(&self, container: &str, process: &ProcessId) -> Vec<Exit> {
        let told = self.told.borrow();
        let story = Story::of(told.iter().filter(|event| event.container.as_str() == container));
        story.exits.get(process).cloned().unwrap_or_default()
    }

    /// Says that the account is even.
    pub(crate) fn settle(&self) {
        let told = self.told.borrow();
        let mut instances: BTreeMap<_, Vec<&Event>> = BTreeMap::new();
        for event in told.iter() {
            instances.entry((event.container.clone(), event.instance.to_string())).or_default().push(event);
        }
        for (of, events) in instances {
            let wrong = Story::of(events.iter().copied()).wrong();
            assert!(wrong.is_empty(), "{of:?}: {wrong:?} in {events:#?}");
        }
    }
}

/// The story of one container, without repetitions.
#[derive(Debug, Default)]
struct Story {
    created: usize,
    deleted: usize,
    started: BTreeMap<ProcessId, usize>,
    exits: BTreeMap<ProcessId, Vec<Exit>>,
    wrong: Vec<String>,
}

impl Story {
    fn of<'e>(events: impl Iterator<Item = &'e Event>) -> Story {
        let (mut story, mut seen) = (Story::default(), BTreeSet::new());
        for event in events.filter(|event| seen.insert((event.instance.to_string(), event.sequence))) {
            story.tell(&event.kind);
        }
        story
    }

    fn tell(&mut self, kind: &EventKind) {
        let is_over = self.deleted > 0 || self.exits.contains_key(&ProcessId::init());
        if is_over && !matches!(kind, EventKind::Deleted) {
            self.wrong.push(format!("told after its end: {kind:?}"));
        }
        match kind {
            EventKind::Created => self.created += 1,
            EventKind::Deleted => self.deleted += 1,
            EventKind::Started { .. } => *self.started.entry(ProcessId::init()).or_default() += 1,
            EventKind::ExecStarted { process, .. } => *self.started.entry(process.clone()).or_default() += 1,
            EventKind::Exited { process, exit } => {
                self.exits.entry(process.clone()).or_default().push(exit.clone());
            }
            _ => {}
        }
    }

    fn wrong(mut self) -> Vec<String> {
        if (self.created, self.deleted) != (1, 1) {
            self.wrong.push(format!("created {} times, deleted {} times", self.created, self.deleted));
        }
        for (process, starts) in &self.started {
            let exits = self.exits.get(process).map_or(0, Vec::len);
            if (*starts, exits) != (1, 1) {
                self.wrong.push(format!("{process}: started {starts} times, ended {exits} times"));
            }
        }
        // Made and never started, a container's first process ends without having begun.
        let unborn = self.exits.keys().filter(|process| !process.is_init() && !self.started.contains_key(process));
        self.wrong.extend(unborn.map(|process| format!("{process}: ended without a start")));
        self.wrong
    }
}
