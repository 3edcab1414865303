//! What is written down about a container: journal, events, ledger.

use libcontainerd_durable::{Dir, Journal, journal, log};
use serde_json::{Value, json};

use crate::container::{Container, eventually};

impl Container<'_> {
    /// The entries of the journal.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let Ok(directory) = Dir::open_path(self.run()) else { return Vec::new() };
        let Ok(replay) = journal::read(&directory, "journal") else { return Vec::new() };
        replay.records.iter().map(|record| serde_json::from_slice(record).unwrap()).collect()
    }

    /// All exits that were written down of a process.
    pub(crate) fn exits(&self, process: &str) -> Vec<Value> {
        let facts = self.journal().into_iter().map(|entry| entry["fact"]["exited"].clone());
        facts.filter(|exited| exited["process"] == process).map(|exited| exited["exit"].clone()).collect()
    }

    /// Waits for the exit of a process.
    pub(crate) fn exit(&self, process: &str) -> Value {
        eventually(|| self.exits(process).into_iter().next())
    }

    /// Waits for the exit of init and asserts its status.
    pub(crate) fn ends_with(&self, status: Value) {
        assert_eq!(self.exit("init")["status"], status);
        assert_eq!(self.exits("init").len(), 1);
    }

    /// The kinds of the events that were told of this container, each once, in order of their sequence.
    pub(crate) fn events(&self) -> Vec<(u64, Value)> {
        let directory = Dir::open_path(&self.scratch.path("state/events")).unwrap();
        let mut reader = log::Reader::open(&directory, None).unwrap();
        let mut events = std::collections::BTreeMap::new();
        loop {
            let batch = reader.next_batch().unwrap();
            if batch.records.is_empty() {
                return events.into_iter().collect();
            }
            for record in &batch.records {
                let event: Value = serde_json::from_slice(record).unwrap();
                if event["container"] == self.id {
                    events.insert(event["sequence"].as_u64().unwrap(), event["kind"].clone());
                }
            }
        }
    }

    /// Writes an entry into the journal as its next, over the head of its monitor.
    pub(crate) fn write_down(&self, fact: &str) {
        let next = self.journal().last().unwrap()["seq"].as_u64().unwrap() + 1;
        let now = std::time::SystemTime::now();
        self.append(&json!({ "v": 1, "seq": next, "at": now, "fact": fact }));
    }

    /// Appends to the journal.
    pub(crate) fn append(&self, entry: &Value) {
        let run = Dir::open_path(self.run()).unwrap();
        let (mut journal, _) = Journal::open(&run, "journal", 0).unwrap();
        journal.append(&serde_json::to_vec(entry).unwrap()).unwrap();
    }

    /// What the ledger has of containers of this name, oldest first.
    pub(crate) fn past(&self) -> Vec<Value> {
        let ledger = Dir::open_path(&self.scratch.path("data/exits")).unwrap();
        let mut reader = log::Reader::open(&ledger, None).unwrap();
        let entries = reader.next_batch().unwrap().records.into_iter();
        let entries = entries.map(|record| serde_json::from_slice::<Value>(&record).unwrap()["past"].clone());
        let mut past: Vec<Value> = entries.filter(|past| past["id"] == self.id).collect();
        // A successor may have written it down again.
        past.dedup_by(|one, other| one["instance"] == other["instance"]);
        past
    }
}
