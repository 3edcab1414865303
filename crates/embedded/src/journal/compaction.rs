//! Which entries of a long journal are still needed.
//!
//! All about the container itself, all about the processes that are remembered, and the very last entry, so that
//! sequence numbers go on. What falls away are the lives of execs that ended long ago.

use libcontainerd_core::ProcessId;

use crate::record::{Entry, Fact, History};

/// The payloads that are kept, in their order.
pub(super) fn kept(records: &[Vec<u8>], history: &History) -> Result<Vec<Vec<u8>>, serde_json::Error> {
    let entries = records.iter().map(|record| Entry::decode(record)).collect::<Result<Vec<_>, _>>()?;
    let last = entries.len().saturating_sub(1);
    let kept = entries.iter().enumerate().filter(|(at, entry)| {
        *at == last || subject(&entry.fact).is_none_or(|process| is_remembered(process, *at, &entries, history))
    });
    kept.map(|(_, entry)| entry.encode()).collect()
}

/// Whether an entry is about the life of that name that the history remembers, not about an earlier one.
fn is_remembered(process: &ProcessId, at: usize, entries: &[Entry], history: &History) -> bool {
    let Some(remembered) = history.process(process) else { return false };
    let begun = |entry: &Entry| match &entry.fact {
        Fact::Created(made) | Fact::ExecCreated(made) => made.id == *process && made.number == remembered.made.number,
        _ => false,
    };
    entries.iter().position(begun).is_some_and(|begin| at >= begin)
}

/// The exec that an entry is about.
fn subject(fact: &Fact) -> Option<&ProcessId> {
    match fact {
        Fact::ExecCreated(process) => Some(&process.id),
        Fact::ExecStarted { process }
        | Fact::ExecFailed { process }
        | Fact::StdinClosed { process }
        | Fact::Kept { process, .. }
        | Fact::TimeUp { process }
        | Fact::Exited { process, .. } => (!process.is_init()).then_some(process),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use libcontainerd_core::rootfs::Rootfs;
    use libcontainerd_core::stdio::Endpoints;
    use libcontainerd_core::{Exit, ExitStatus, How, Instance, Run};

    use super::*;
    use crate::record::{Bounds, Creating, Descriptors, Lifetime, Process};

    fn process(id: &str, number: u64) -> Process {
        Process {
            id: id.parse().unwrap(),
            number,
            pid: 10,
            start_time: 1,
            stream_owner: 0,
            args: Vec::new(),
            endpoints: Endpoints::default(),
            descriptors: Descriptors::default(),
            bounds: Bounds::default(),
        }
    }

    fn life() -> Vec<Fact> {
        let creating = Creating {
            id: "c".parse().unwrap(),
            instance: Instance::from_bits(7),
            bundle: "/b".into(),
            rootfs: Rootfs::Directory("/".into()),
            boot: "boot".into(),
            cgroup_parent: "/p".into(),
            cgroup_name: "n".into(),
            user: None,
            lifetime: Lifetime::default(),
        };
        let mut facts = vec![Fact::Creating(Box::new(creating)), Fact::Created(process("init", 0))];
        facts.push(Fact::Started { run: Run::FIRST });
        for number in 1..=500 {
            // Names come again, as those of health checks do.
            let id = format!("e{}", number % 90);
            facts.push(Fact::ExecCreated(process(&id, number)));
            facts.push(Fact::ExecStarted { process: id.parse().unwrap() });
            if number < 498 {
                let exit = Exit::new(ExitStatus::Code(number as u8), How::Waited, SystemTime::UNIX_EPOCH);
                facts.push(Fact::Exited { process: id.parse().unwrap(), exit });
            }
        }
        facts
    }

    #[test]
    fn what_is_kept_tells_the_same_as_all_did() {
        let entries = life().into_iter().enumerate();
        let entry = |(seq, fact)| Entry::new(seq as u64, SystemTime::UNIX_EPOCH, fact);
        let records: Vec<Vec<u8>> = entries.map(|numbered| entry(numbered).encode().unwrap()).collect();
        let history = History::of(&records).unwrap().unwrap();
        let short = kept(&records, &history).unwrap();
        assert!(short.len() < 250, "{}", short.len());
        assert_eq!(History::of(&short).unwrap().unwrap(), history);
        assert_eq!(kept(&short, &history).unwrap(), short);
    }
}
