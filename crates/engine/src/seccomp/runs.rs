//! The outcomes of a profile laid over the numbers of system calls, as runs of neighbours that share one.
//!
//! Each section belongs to one audit value and covers all 2^32 numbers without a gap, so a search in it always ends in
//! an outcome: the rules', the default, `ENOSYS` above what the profile's writer knew, or death for an ABI that is not
//! covered.
//!
//! Keeps: `numbers_newer_than_the_profile_do_not_exist`, `calls_of_an_abi_that_is_not_named_kill`.

use super::architecture::Abi;
use super::rules::Rules;
use super::syscalls::Syscall;
use super::{Error, Verdict};

const ENOSYS: Verdict = Verdict::Errno(38);

/// What happens to the calls of one audit value.
#[derive(Debug)]
pub(super) struct Section {
    /// The value of `seccomp_data.arch`.
    pub(super) audit: u32,
    /// Sorted by number; the first begins at 0.
    pub(super) runs: Vec<Run>,
}

/// Neighbouring numbers with the same outcome, up to where the next run begins.
#[derive(Debug)]
pub(super) struct Run {
    /// The first number.
    pub(super) first: u32,
    /// What happens to the calls.
    pub(super) outcome: Outcome,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Always the same.
    Always(Verdict),
    /// It depends on arguments.
    Depends {
        /// The rules that may answer, in order.
        rules: Vec<usize>,
        /// A bit for each argument that is compared in its lower half only.
        narrow: u8,
    },
}

/// Lays the rules over every ABI that the host runs and the profile covers.
pub(super) fn sections(host: &[Abi], rules: &Rules) -> Result<Vec<Section>, Error> {
    let native = host.first().ok_or(Error::Machine)?;
    let mut sections: Vec<Section> = Vec::new();
    for abi in host {
        let covered = abi == native || rules.architectures.contains(&abi.name);
        let section = match sections.iter_mut().find(|section| section.audit == abi.audit) {
            Some(section) => section,
            None if !covered => continue,
            None => sections.push_mut(Section { audit: abi.audit, runs: Vec::new() }),
        };
        if covered {
            lay(abi, rules, section)?;
        } else {
            section.push(abi.offset, Outcome::Always(Verdict::KillProcess));
        }
    }
    Ok(sections)
}

impl Section {
    fn push(&mut self, first: u32, outcome: Outcome) {
        if self.runs.last().is_none_or(|last| last.outcome != outcome) {
            self.runs.push(Run { first, outcome });
        }
    }
}

fn lay(abi: &Abi, rules: &Rules, section: &mut Section) -> Result<(), Error> {
    let unruled = Unruled::of(abi, rules);
    let mut next = Some(0);
    for (number, outcome) in numbered(abi, rules)? {
        if let Some(from) = next.filter(|from| *from < number) {
            unruled.fill(section, from, Some(number));
        }
        section.push(abi.offset + number, outcome);
        next = number.checked_add(1);
    }
    if let Some(from) = next {
        unruled.fill(section, from, None);
    }
    Ok(())
}

/// What happens to the numbers of an ABI that no rule names: where each stretch of them begins, and its verdict.
struct Unruled {
    stretches: Vec<(u32, Verdict)>,
    offset: u32,
}

impl Unruled {
    fn of(abi: &Abi, rules: &Rules) -> Self {
        let numbers = rules.named.iter().filter_map(|syscall| syscall.number(abi.column));
        let newest = numbers.filter(|number| !abi.is_private(*number)).max();
        let mut stretches = vec![(0, rules.default)];
        if let Some(newest) = newest.filter(|_| !rules.default.lets_run()) {
            stretches.push((newest + 1, ENOSYS));
            if abi.private.0 > newest {
                stretches.extend([(abi.private.0, rules.default), (abi.private.1, ENOSYS)]);
            }
        }
        Self { stretches, offset: abi.offset }
    }

    /// Covers the numbers from `from` to the one before `to`, or to the last.
    fn fill(&self, section: &mut Section, from: u32, to: Option<u32>) {
        for (place, (begin, verdict)) in self.stretches.iter().enumerate() {
            let first = from.max(*begin);
            let within = self.stretches.get(place + 1).is_none_or(|(next, _)| first < *next);
            if within && to.is_none_or(|to| first < to) {
                section.push(self.offset + first, Outcome::Always(*verdict));
            }
        }
    }
}

fn numbered(abi: &Abi, rules: &Rules) -> Result<Vec<(u32, Outcome)>, Error> {
    let mut calls: Vec<(u32, usize, &'static Syscall)> =
        rules.calls.iter().filter_map(|(syscall, rule)| Some((syscall.number(abi.column)?, *rule, *syscall))).collect();
    calls.sort_unstable_by_key(|(number, rule, _)| (*number, *rule));
    calls.chunk_by(|one, other| one.0 == other.0).map(|calls| Ok((calls[0].0, outcome(abi, rules, calls)?))).collect()
}

/// Decides what a call's rules come to: an unconditional one decides alone, as in libseccomp, wherever it stands.
fn outcome(abi: &Abi, rules: &Rules, calls: &[(u32, usize, &'static Syscall)]) -> Result<Outcome, Error> {
    let syscall = calls[0].2;
    let mut always = None;
    for (_, place, _) in calls {
        let rule = &rules.rules[*place];
        if rule.alternatives.is_empty() && always.replace(rule.verdict).is_some_and(|earlier| earlier != rule.verdict) {
            return Err(Error::Conflict { syscall: syscall.name });
        }
    }
    Ok(match always {
        Some(verdict) => Outcome::Always(verdict),
        None => Outcome::Depends {
            rules: calls.iter().map(|(_, place, _)| *place).collect(),
            narrow: if abi.wide { syscall.narrow_arguments() } else { u8::MAX },
        },
    })
}
