//! Random profiles and calls: a program must answer as a plain reading of its profile does.

use oci_spec::runtime::{
    LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg, LinuxSeccompOperator as Operator, LinuxSyscall,
};
use proptest::prelude::*;

use super::super::architecture::{ARM_FAMILY, Abi, X86_FAMILY};
use super::super::syscalls::{Found, find};
use super::super::{Error, Verdict, compile_on, evaluate};
use super::{ALL, ENOSYS, argument, masked, refusing, rule};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_program_answers_as_its_profile_says(profile in profiles(), calls in prop::collection::vec(calls(), 64)) {
        for family in [X86_FAMILY, ARM_FAMILY] {
            let program = match compile_on(family, &profile) {
                Err(Error::Conflict { .. }) => continue,
                program => program.unwrap(),
            };
            for (abi, name, arguments) in &calls {
                let Found::Here(syscall) = find(name) else { unreachable!() };
                let Some(number) = syscall.number(abi.column) else { continue };
                let arguments = if abi.wide { *arguments } else { arguments.map(|argument| argument & 0xffff_ffff) };
                let found = evaluate(&program, abi.audit, abi.offset + number, arguments);
                let expected = read_directly(&profile, family, *abi, name, arguments);
                prop_assert_eq!(found, expected, "{} on {:?} with {:x?}", name, abi.name, arguments);
            }
        }
    }
}

const POOL: [&str; 14] = [
    "read",
    "write",
    "open",
    "close",
    "stat",
    "mmap",
    "socket",
    "clone",
    "ioctl",
    "personality",
    "mseal",
    "clone3",
    "execveat",
    "removexattrat",
];

fn values() -> impl Strategy<Value = u64> {
    let edge =
        prop::sample::select(vec![0, 1, 38, 40, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0028, u64::MAX, 0x7e02_0000]);
    prop_oneof![3 => edge, 1 => any::<u64>()]
}

fn calls() -> impl Strategy<Value = (Abi, &'static str, [u64; 6])> {
    (prop::sample::select(ALL.to_vec()), prop::sample::select(POOL.to_vec()), prop::array::uniform6(values()))
}

fn conditions() -> impl Strategy<Value = LinuxSeccompArg> {
    use Operator::*;
    let operators = vec![ScmpCmpEq, ScmpCmpNe, ScmpCmpLt, ScmpCmpLe, ScmpCmpGt, ScmpCmpGe, ScmpCmpMaskedEq];
    (0..3_usize, prop::sample::select(operators), values(), values()).prop_map(|(index, operator, value, second)| {
        match operator {
            ScmpCmpMaskedEq => masked(index, value, second & value),
            _ => argument(index, operator, value),
        }
    })
}

fn profiles() -> impl Strategy<Value = LinuxSeccomp> {
    use Action::*;
    let action = || prop::sample::select(vec![ScmpActAllow, ScmpActErrno, ScmpActTrap, ScmpActLog, ScmpActKillProcess]);
    let names = prop::collection::vec(prop::sample::select(POOL.to_vec()), 1..4);
    let rule = (names, action(), prop::collection::vec(conditions(), 0..3))
        .prop_map(|(names, action, arguments)| rule(&names, action, &arguments));
    let architectures = prop::sample::subsequence(ALL.map(|abi| abi.name).to_vec(), 0..=ALL.len());
    (action(), prop::collection::vec(rule, 0..8), architectures).prop_map(|(action, rules, architectures)| {
        let mut profile = refusing(rules);
        profile.set_default_action(action);
        profile.set_architectures(Some(architectures));
        profile
    })
}

/// Reads a profile for one call without any of the compiler's steps.
fn read_directly(profile: &LinuxSeccomp, family: &[Abi], abi: Abi, name: &str, arguments: [u64; 6]) -> Verdict {
    let verdict = |action: Action| Verdict::from_raw(u32::from(action));
    let listed = profile.architectures().as_ref().unwrap().contains(&abi.name);
    if !family.contains(&abi) || (!listed && abi != family[0]) {
        return Verdict::KillProcess;
    }
    let rules = profile.syscalls().as_ref().unwrap();
    let default = profile.default_action();
    let mine = || rules.iter().filter(|rule| rule.names().iter().any(|n| n == name) && rule.action() != default);
    let conditions = |rule: &LinuxSyscall| rule.args().clone().unwrap_or_default();
    if let Some(rule) = mine().find(|rule| conditions(rule).is_empty()) {
        return verdict(rule.action());
    }
    if let Some(rule) = mine().find(|rule| holds_directly(&conditions(rule), abi, name, arguments)) {
        return verdict(rule.action());
    }
    let shared = |name: &str| number_or_none(abi, name).filter(|number| !abi.is_private(*number));
    let newest = rules.iter().flat_map(|rule| rule.names()).filter_map(|name| shared(name)).max();
    let refuses = !matches!(default, Action::ScmpActAllow | Action::ScmpActLog);
    match (newest, shared(name)) {
        (Some(newest), Some(number)) if refuses && number > newest => ENOSYS,
        _ => verdict(default),
    }
}

fn number_or_none(abi: Abi, name: &str) -> Option<u32> {
    let Found::Here(syscall) = find(name) else { unreachable!() };
    syscall.number(abi.column)
}

fn holds_directly(conditions: &[LinuxSeccompArg], abi: Abi, name: &str, arguments: [u64; 6]) -> bool {
    let half =
        |index: usize| !abi.wide || matches!((name, index), ("socket", 0..3) | ("ioctl", 0..2) | ("personality", 0));
    let holds = |condition: &LinuxSeccompArg| {
        let cut = |value: u64| if half(condition.index()) { value & 0xffff_ffff } else { value };
        let (argument, value) = (cut(arguments[condition.index()]), cut(condition.value()));
        match condition.op() {
            Operator::ScmpCmpEq => argument == value,
            Operator::ScmpCmpNe => argument != value,
            Operator::ScmpCmpLt => argument < value,
            Operator::ScmpCmpLe => argument <= value,
            Operator::ScmpCmpGt => argument > value,
            Operator::ScmpCmpGe => argument >= value,
            Operator::ScmpCmpMaskedEq => argument & value == cut(condition.value_two().unwrap()),
        }
    };
    let repeats = (0..6).any(|index| conditions.iter().filter(|condition| condition.index() == index).count() > 1);
    if repeats { conditions.iter().any(holds) } else { conditions.iter().all(holds) }
}
