//! A profile, checked and with its numbers and words resolved, before any architecture is thought of.
//!
//! Rules keep the profile's order. Conditions on different arguments must all hold; where a rule has two conditions on
//! the same argument each is a rule of its own, as runc and crun read it.
//!
//! Does not know: the numbers of system calls.

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSeccompOperator, LinuxSyscall,
};

use super::syscalls::{Found, Syscall, find};
use super::{Error, Verdict};

const EPERM: u32 = 1;
/// The largest errno that the kernel returns; it would cut larger ones down to it.
const MAX_ERRNO: u32 = 4095;

/// What a profile says.
#[derive(Debug)]
pub(super) struct Rules {
    /// The answer where no rule has one.
    pub(super) default: Verdict,
    /// The architectures that it names.
    pub(super) architectures: Vec<Arch>,
    /// `SECCOMP_FILTER_FLAG_*` bits.
    pub(super) flags: u32,
    /// All rules that say something, in order.
    pub(super) rules: Vec<Rule>,
    /// Each named call with its rule's place in `rules`.
    pub(super) calls: Vec<(&'static Syscall, usize)>,
    /// Every call that the profile names, those of rules that say nothing too: what its writer knew.
    pub(super) named: Vec<&'static Syscall>,
    /// Names that are no calls.
    pub(super) unknown: Vec<String>,
}

/// An answer, and when it is given.
#[derive(Debug)]
pub(super) struct Rule {
    /// The answer.
    pub(super) verdict: Verdict,
    /// Given when one of these holds; each holds when all its conditions do. None: always.
    pub(super) alternatives: Vec<Vec<Condition>>,
}

/// A comparison of one argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    /// Which argument, 0 to 5.
    pub(super) argument: u8,
    /// How it is compared.
    pub(super) operator: LinuxSeccompOperator,
    /// With what.
    pub(super) value: u64,
    /// The bits of it that count; all but with a masked comparison.
    pub(super) mask: u64,
}

impl Rules {
    /// Reads a profile.
    pub(super) fn read(profile: &LinuxSeccomp) -> Result<Self, Error> {
        refuse_listener(profile)?;
        let default = verdict(
            profile.default_action(),
            profile.default_errno_ret(),
            "linux.seccomp.defaultAction",
            "linux.seccomp.defaultErrnoRet",
        )?;
        let mut rules = Self {
            default,
            architectures: profile.architectures().clone().unwrap_or_default(),
            flags: flags(profile)?,
            rules: Vec::new(),
            calls: Vec::new(),
            named: Vec::new(),
            unknown: Vec::new(),
        };
        for (index, entry) in profile.syscalls().iter().flatten().enumerate() {
            rules.add(index, entry)?;
        }
        Ok(rules)
    }

    fn add(&mut self, index: usize, entry: &LinuxSyscall) -> Result<(), Error> {
        let field = format!("linux.seccomp.syscalls[{index}]");
        let verdict =
            verdict(entry.action(), entry.errno_ret(), &format!("{field}.action"), &format!("{field}.errnoRet"))?;
        let alternatives = alternatives(entry.args().as_deref().unwrap_or_default(), &field)?;
        let place = self.rules.len();
        let speaks = verdict != self.default;
        for name in entry.names() {
            match find(name) {
                Found::Here(syscall) => {
                    self.named.push(syscall);
                    if speaks {
                        self.calls.push((syscall, place));
                    }
                }
                Found::Nowhere if !self.unknown.contains(name) => self.unknown.push(name.clone()),
                Found::Elsewhere | Found::Nowhere => {}
            }
        }
        if speaks {
            self.rules.push(Rule { verdict, alternatives });
        }
        Ok(())
    }
}

fn refuse_listener(profile: &LinuxSeccomp) -> Result<(), Error> {
    let field = if profile.listener_path().is_some() {
        "linux.seccomp.listenerPath"
    } else if profile.listener_metadata().is_some() {
        "linux.seccomp.listenerMetadata"
    } else {
        return Ok(());
    };
    Err(Error::Unsupported { field: field.to_owned() })
}

fn verdict(action: LinuxSeccompAction, number: Option<u32>, action_field: &str, field: &str) -> Result<Verdict, Error> {
    use LinuxSeccompAction as Action;
    let within = |largest: u32| match number.unwrap_or(EPERM) {
        value if value <= largest => Ok(value as u16),
        value => Err(Error::ErrnoRange { field: field.to_owned(), value, largest }),
    };
    let verdict = match action {
        Action::ScmpActErrno => return within(MAX_ERRNO).map(Verdict::Errno),
        Action::ScmpActTrace => return within(u32::from(u16::MAX)).map(Verdict::Trace),
        Action::ScmpActNotify => return Err(Error::Unsupported { field: action_field.to_owned() }),
        Action::ScmpActKill | Action::ScmpActKillThread => Verdict::KillThread,
        Action::ScmpActKillProcess => Verdict::KillProcess,
        Action::ScmpActTrap => Verdict::Trap,
        Action::ScmpActLog => Verdict::Log,
        Action::ScmpActAllow => Verdict::Allow,
    };
    match number {
        Some(_) => Err(Error::UnusedErrno { field: field.to_owned() }),
        None => Ok(verdict),
    }
}

fn flags(profile: &LinuxSeccomp) -> Result<u32, Error> {
    use LinuxSeccompFilterFlag as Flag;
    let mut bits = 0;
    for (index, flag) in profile.flags().iter().flatten().enumerate() {
        bits |= match flag {
            Flag::SeccompFilterFlagTsync => 1,
            Flag::SeccompFilterFlagLog => 1 << 1,
            Flag::SeccompFilterFlagSpecAllow => 1 << 2,
            Flag::SeccompFilterFlagWaitKillableRecv => {
                return Err(Error::Unsupported { field: format!("linux.seccomp.flags[{index}]") });
            }
        };
    }
    Ok(bits)
}

fn alternatives(arguments: &[LinuxSeccompArg], field: &str) -> Result<Vec<Vec<Condition>>, Error> {
    let conditions = arguments
        .iter()
        .enumerate()
        .map(|(place, argument)| condition(argument, || format!("{field}.args[{place}].index")))
        .collect::<Result<Vec<_>, _>>()?;
    let repeated = conditions
        .iter()
        .enumerate()
        .any(|(place, condition)| conditions[..place].iter().any(|earlier| earlier.argument == condition.argument));
    Ok(match conditions.len() {
        0 => Vec::new(),
        _ if repeated => conditions.into_iter().map(|condition| vec![condition]).collect(),
        _ => vec![conditions],
    })
}

fn condition(argument: &LinuxSeccompArg, field: impl Fn() -> String) -> Result<Condition, Error> {
    let index = argument.index();
    let number = u8::try_from(index).ok().filter(|number| *number < 6);
    let Some(number) = number else {
        return Err(Error::Argument { field: field(), index });
    };
    let operator = argument.op();
    let (value, mask) = match operator {
        LinuxSeccompOperator::ScmpCmpMaskedEq => (argument.value_two().unwrap_or(0), argument.value()),
        _ => (argument.value(), u64::MAX),
    };
    Ok(Condition { argument: number, operator, value, mask })
}
