//! What is no more: containers that were removed, what was left behind, and the place in the events after all of it.

use libcontainerd::core::cursor::Cursor;
use libcontainerd::{Past, ProcessId, Swept};
use serde::Serialize;

use super::{ExitView, exact};

/// A container that was removed.
#[derive(Debug, Serialize)]
pub(crate) struct PastView {
    id: String,
    instance: String,
    state: &'static str,
    args: Vec<String>,
    created_at: String,
    removed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<ExitView>,
    processes: Vec<PastProcessView>,
}

/// A process of it.
#[derive(Debug, Serialize)]
struct PastProcessView {
    id: String,
    exit: ExitView,
}

impl PastView {
    /// A container as the ledger remembers it.
    pub(crate) fn new(past: &Past) -> Self {
        let process = |(id, exit): &(ProcessId, _)| PastProcessView { id: id.to_string(), exit: ExitView::new(exit) };
        PastView {
            id: past.id.to_string(),
            instance: past.instance.to_string(),
            state: "removed",
            args: past.args.clone(),
            created_at: exact(past.created_at),
            removed_at: exact(past.removed_at),
            exit: past.exit(&ProcessId::init()).map(ExitView::new),
            processes: past.exits.iter().map(process).collect(),
        }
    }
}

/// A place in the events.
#[derive(Debug, Serialize)]
pub(crate) struct CursorView {
    cursor: String,
}

impl CursorView {
    /// A place.
    pub(crate) fn new(cursor: &Cursor) -> Self {
        CursorView { cursor: cursor.to_string() }
    }
}

/// Something that was left behind.
#[derive(Debug, Serialize)]
pub(crate) struct SweptView {
    kind: String,
    name: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl SweptView {
    /// It, and whether it was only to be found.
    pub(crate) fn new(swept: &Swept, only_found: bool) -> Self {
        let outcome = match &swept.failed {
            Some(_) => "failed",
            None if only_found => "found",
            None => "removed",
        };
        SweptView { kind: swept.kind.clone(), name: swept.name.clone(), outcome, error: swept.failed.clone() }
    }
}
