//! Faults on order: which call of the in-memory runtime goes wrong, and how its events arrive.
//!
//! A fault is used up by the call that meets it. One decision: a fault says *when* relative to the effect it strikes
//! (before, after, answer lost), since that is what recovery has to cope with.

use std::time::Duration;

use crate::error::ErrorKind;
use crate::event::Event;
use crate::id::ContainerId;

/// A call of the port `Runtime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// `create`.
    Create,
    /// `start`.
    Start,
    /// `exec`.
    Exec,
    /// `signal`.
    Signal,
    /// `resize`.
    Resize,
    /// `close_stdin`.
    CloseStdin,
    /// `state`.
    State,
    /// `list`.
    List,
    /// `pids`.
    Pids,
    /// `delete`.
    Delete,
    /// `version`.
    Version,
    /// `cursor`.
    Cursor,
    /// `past`.
    Past,
    /// `sweep`.
    Sweep,
    /// `events`.
    Events,
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Break {
    /// It fails and nothing happened.
    Before(ErrorKind),
    /// It fails, and what was asked for happened.
    After(ErrorKind),
    /// What was asked for happens, and the answer never comes.
    AnswerLost,
    /// Nothing happens, for ever.
    Hang,
    /// It is served so much later.
    Late(Duration),
}

/// One call that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Which call.
    pub call: Call,
    /// Of which container; of any when `None`.
    pub container: Option<ContainerId>,
    /// How.
    pub how: Break,
    /// How many such calls are served well before it.
    pub skip: u32,
}

impl Fault {
    /// The next `call` goes wrong in the way `how`.
    pub fn new(call: Call, how: Break) -> Self {
        Fault { call, container: None, how, skip: 0 }
    }

    /// The same, for calls about `container` only.
    #[must_use]
    pub fn on(mut self, container: ContainerId) -> Self {
        self.container = Some(container);
        self
    }

    /// The same, after `count` calls that go well.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    fn meets(&self, call: Call, container: Option<&ContainerId>) -> bool {
        self.call == call && self.container.as_ref().is_none_or(|wanted| Some(wanted) == container)
    }
}

/// What happens to events on their way to those who follow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventFault {
    /// Those that happen from now on arrive so much later.
    Late(Duration),
    /// Those that happen from now on arrive twice.
    Twice,
    /// The next one arrives after the one that follows it.
    Swapped,
    /// One arrives that nobody caused.
    Foreign(Box<Event>),
    /// Those that follow now find the stream at its end.
    Ended,
    /// Those that follow now find the stream broken.
    Broken,
    /// Those that follow now, or come with an old cursor, find that events were lost.
    Lost,
}

/// The faults still to come.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The fault that this call meets, which is used up by it.
    pub(super) fn take(&mut self, call: Call, container: Option<&ContainerId>) -> Option<Break> {
        let at = self.0.iter().position(|fault| fault.meets(call, container))?;
        if self.0[at].skip > 0 {
            self.0[at].skip -= 1;
            return None;
        }
        Some(self.0.remove(at).how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_call_it_names_once_and_after_those_it_skips() {
        let web: ContainerId = "web".parse().unwrap();
        let mut faults = Faults::default();
        faults.add(Fault::new(Call::Start, Break::Hang).on(web.clone()).after(1));
        assert_eq!(faults.take(Call::Create, Some(&web)), None);
        assert_eq!(faults.take(Call::Start, None), None);
        assert_eq!(faults.take(Call::Start, Some(&web)), None);
        assert_eq!(faults.take(Call::Start, Some(&web)), Some(Break::Hang));
        assert_eq!(faults.take(Call::Start, Some(&web)), None);
    }
}
