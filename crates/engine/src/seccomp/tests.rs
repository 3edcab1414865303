//! Programs against their profiles: by example and at the limits; `direct_reading` does it with random ones.

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompBuilder,
    LinuxSeccompFilterFlag, LinuxSeccompOperator as Operator, LinuxSyscall, LinuxSyscallBuilder,
};

use super::architecture::{AARCH64, ARM, ARM_FAMILY, Abi, I386, X32, X86_64, X86_FAMILY};
use super::syscalls::{Found, SYSCALLS, find};
use super::{Error, LIMIT, Program, Verdict, compile, compile_on, evaluate, locate};

mod direct_reading;

const ALL: [Abi; 5] = [X86_64, X32, I386, ARM, AARCH64];
const EPERM: Verdict = Verdict::Errno(1);
const ENOSYS: Verdict = Verdict::Errno(38);

fn argument(index: usize, op: Operator, value: u64) -> LinuxSeccompArg {
    LinuxSeccompArgBuilder::default().index(index).op(op).value(value).build().unwrap()
}

fn masked(index: usize, mask: u64, value: u64) -> LinuxSeccompArg {
    let argument = LinuxSeccompArgBuilder::default().index(index).op(Operator::ScmpCmpMaskedEq).value(mask);
    argument.value_two(value).build().unwrap()
}

fn rule(names: &[&str], action: Action, arguments: &[LinuxSeccompArg]) -> LinuxSyscall {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    LinuxSyscallBuilder::default().names(names).action(action).args(arguments).build().unwrap()
}

fn errno(names: &[&str], errno: u32) -> LinuxSyscall {
    let mut rule = rule(names, Action::ScmpActErrno, &[]);
    rule.set_errno_ret(Some(errno));
    rule
}

/// A profile that refuses what no rule allows, for every architecture.
fn refusing(rules: Vec<LinuxSyscall>) -> LinuxSeccomp {
    let architectures: Vec<Arch> = ALL.iter().map(|abi| abi.name).collect();
    let profile = LinuxSeccompBuilder::default().default_action(Action::ScmpActErrno).syscalls(rules);
    profile.architectures(architectures).build().unwrap()
}

fn number(abi: Abi, name: &str) -> u32 {
    let Found::Here(syscall) = find(name) else { panic!("{name} is unknown") };
    abi.offset + syscall.number(abi.column).unwrap()
}

fn x86(rules: Vec<LinuxSyscall>) -> Program {
    compile_on(X86_FAMILY, &refusing(rules)).unwrap()
}

fn ask(program: &Program, abi: Abi, name: &str, arguments: [u64; 6]) -> Verdict {
    evaluate(program, abi.audit, number(abi, name), arguments)
}

#[test]
fn the_table_is_sorted_and_its_numbers_are_unique() {
    assert!(SYSCALLS.is_sorted_by(|one, other| one.name < other.name));
    for abi in ALL {
        let mut numbers: Vec<_> = SYSCALLS
            .iter()
            .filter(|syscall| abi != ARM || syscall.name != "sync_file_range2")
            .filter_map(|syscall| syscall.number(abi.column))
            .collect();
        let found = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), found, "{:?}", abi.name);
    }
}

#[test]
fn the_table_knows_the_same_numbers_as_the_c_library() {
    use nix::libc;
    let known = [
        ("read", libc::SYS_read),
        ("socket", libc::SYS_socket),
        ("clone3", libc::SYS_clone3),
        ("openat2", libc::SYS_openat2),
        ("mseal", libc::SYS_mseal),
        ("fchmodat2", libc::SYS_fchmodat2),
    ];
    let native = super::HOST[0];
    for (name, expected) in known {
        assert_eq!(libc::c_long::from(number(native, name)), expected, "{name}");
    }
}

#[test]
fn calls_are_located_by_architecture_and_name() {
    assert_eq!(locate(Arch::ScmpArchX32, "ioctl"), Some((0xc000_003e, 0x4000_0202)));
    assert_eq!(locate(Arch::ScmpArchAarch64, "open"), None);
    assert_eq!(locate(Arch::ScmpArchX86_64, "getpit"), None);
    assert_eq!(locate(Arch::ScmpArchS390x, "read"), None);
}

#[test]
fn each_abi_is_asked_for_its_own_number() {
    let profile = refusing(vec![rule(&["getpid", "removexattrat"], Action::ScmpActAllow, &[])]);
    for family in [X86_FAMILY, ARM_FAMILY] {
        let program = compile_on(family, &profile).unwrap();
        for abi in family {
            assert_eq!(ask(&program, *abi, "getpid", [0; 6]), Verdict::Allow, "{:?}", abi.name);
            assert_eq!(ask(&program, *abi, "getppid", [0; 6]), EPERM, "{:?}", abi.name);
        }
    }
}

#[test]
fn calls_of_an_abi_that_is_not_named_kill() {
    let mut profile = refusing(vec![rule(&["getpid"], Action::ScmpActAllow, &[])]);
    profile.set_architectures(None);
    let program = compile_on(X86_FAMILY, &profile).unwrap();
    assert_eq!(ask(&program, X86_64, "getpid", [0; 6]), Verdict::Allow);
    for abi in [X32, I386, AARCH64] {
        assert_eq!(ask(&program, abi, "getpid", [0; 6]), Verdict::KillProcess, "{:?}", abi.name);
    }
}

#[test]
fn numbers_newer_than_the_profile_do_not_exist() {
    let program = x86(vec![rule(&["getpid", "mseal"], Action::ScmpActAllow, &[])]);
    for abi in [X86_64, X32, I386] {
        assert_eq!(ask(&program, abi, "landlock_add_rule", [0; 6]), EPERM, "{:?}", abi.name);
        assert_eq!(ask(&program, abi, "mseal", [0; 6]), Verdict::Allow, "{:?}", abi.name);
        assert_eq!(ask(&program, abi, "setxattrat", [0; 6]), ENOSYS, "{:?}", abi.name);
        assert_eq!(evaluate(&program, abi.audit, u32::MAX, [0; 6]), ENOSYS, "{:?}", abi.name);
    }
}

#[test]
fn old_numbers_of_one_abi_alone_do_not_count_as_new() {
    let program = x86(vec![rule(&["rt_sigaction", "mseal", "execveat"], Action::ScmpActAllow, &[])]);
    assert_eq!(ask(&program, X32, "rt_sigaction", [0; 6]), Verdict::Allow);
    assert_eq!(ask(&program, X32, "execveat", [0; 6]), Verdict::Allow);
    assert_eq!(ask(&program, X32, "ioctl", [0; 6]), EPERM);
    assert_eq!(ask(&program, X32, "setxattrat", [0; 6]), ENOSYS);
}

#[test]
fn a_default_that_lets_calls_run_lets_new_ones_run() {
    for (action, verdict) in [(Action::ScmpActAllow, Verdict::Allow), (Action::ScmpActLog, Verdict::Log)] {
        let mut profile = refusing(vec![errno(&["reboot"], 5)]);
        profile.set_default_action(action);
        let program = compile_on(X86_FAMILY, &profile).unwrap();
        assert_eq!(ask(&program, X86_64, "reboot", [0; 6]), Verdict::Errno(5));
        assert_eq!(evaluate(&program, X86_64.audit, 2000, [0; 6]), verdict);
    }
}

#[test]
fn every_action_reaches_the_kernel_as_itself() {
    let cases = [
        (Action::ScmpActAllow, Verdict::Allow, 0x7fff_0000),
        (Action::ScmpActLog, Verdict::Log, 0x7ffc_0000),
        (Action::ScmpActTrace, Verdict::Trace(1), 0x7ff0_0001),
        (Action::ScmpActTrap, Verdict::Trap, 0x0003_0000),
        (Action::ScmpActKill, Verdict::KillThread, 0),
        (Action::ScmpActKillThread, Verdict::KillThread, 0),
        (Action::ScmpActKillProcess, Verdict::KillProcess, 0x8000_0000),
    ];
    for (action, verdict, raw) in cases {
        assert_eq!(verdict.to_raw(), raw);
        assert_eq!(Verdict::from_raw(raw), verdict);
        assert_eq!(ask(&x86(vec![rule(&["reboot"], action, &[])]), X86_64, "reboot", [0; 6]), verdict);
    }
    assert_eq!(ask(&x86(vec![errno(&["reboot"], 4095)]), X86_64, "reboot", [0; 6]), Verdict::Errno(4095));
}

#[test]
fn rules_for_one_call_are_alternatives() {
    let allow = |op, value| rule(&["socket"], Action::ScmpActAllow, &[argument(0, op, value)]);
    let program =
        x86(vec![allow(Operator::ScmpCmpLt, 38), allow(Operator::ScmpCmpEq, 39), allow(Operator::ScmpCmpGt, 40)]);
    for (family, verdict) in [(0, Verdict::Allow), (37, Verdict::Allow), (38, EPERM), (39, Verdict::Allow), (40, EPERM)]
    {
        assert_eq!(ask(&program, X86_64, "socket", [family, 0, 0, 0, 0, 0]), verdict, "{family}");
    }
    assert_eq!(ask(&program, X86_64, "socket", [41, 0, 0, 0, 0, 0]), Verdict::Allow);
}

#[test]
fn the_upper_half_of_an_int_walks_around_no_rule() {
    let program = x86(vec![rule(&["socket", "mmap"], Action::ScmpActAllow, &[argument(0, Operator::ScmpCmpGt, 40)])]);
    let call = [0x1_0000_0028, 0, 0, 0, 0, 0];
    assert_eq!(ask(&program, X86_64, "socket", call), EPERM, "the kernel would make a socket of family 40");
    assert_eq!(ask(&program, X86_64, "mmap", call), Verdict::Allow, "an address has 64 bits");
}

#[test]
fn conditions_on_different_arguments_must_all_hold_and_on_the_same_one_suffices() {
    let [zero, one] = [argument(0, Operator::ScmpCmpEq, 7), argument(1, Operator::ScmpCmpEq, 8)];
    let both = x86(vec![rule(&["mmap"], Action::ScmpActAllow, &[zero, one])]);
    assert_eq!(ask(&both, X86_64, "mmap", [7, 8, 0, 0, 0, 0]), Verdict::Allow);
    assert_eq!(ask(&both, X86_64, "mmap", [7, 9, 0, 0, 0, 0]), EPERM);
    let either = x86(vec![rule(&["mmap"], Action::ScmpActAllow, &[zero, argument(0, Operator::ScmpCmpEq, 9)])]);
    assert_eq!(ask(&either, X86_64, "mmap", [7, 0, 0, 0, 0, 0]), Verdict::Allow);
    assert_eq!(ask(&either, X86_64, "mmap", [9, 0, 0, 0, 0, 0]), Verdict::Allow);
    assert_eq!(ask(&either, X86_64, "mmap", [8, 0, 0, 0, 0, 0]), EPERM);
}

#[test]
fn an_unconditional_rule_decides_wherever_it_stands() {
    let conditional = rule(&["clone"], Action::ScmpActKillProcess, &[masked(0, 0x7e02_0000, 0)]);
    let always = rule(&["clone"], Action::ScmpActAllow, &[]);
    for rules in [vec![conditional.clone(), always.clone()], vec![always, conditional]] {
        assert_eq!(ask(&x86(rules), X86_64, "clone", [0; 6]), Verdict::Allow);
    }
}

#[test]
fn two_unconditional_answers_to_one_call_are_refused() {
    let profile = refusing(vec![rule(&["clone"], Action::ScmpActAllow, &[]), errno(&["clone"], 38)]);
    assert_eq!(compile_on(X86_FAMILY, &profile), Err(Error::Conflict { syscall: "clone" }));
}

#[test]
fn names_that_are_no_calls_anywhere_are_told_and_skipped() {
    let names = ["getpid", "s390_pci_mmio_read", "getpit", "getpit", "swapcontext"];
    let program = x86(vec![rule(&names, Action::ScmpActAllow, &[])]);
    assert_eq!(program.unknown, ["getpit"]);
    assert_eq!(ask(&program, X86_64, "getpid", [0; 6]), Verdict::Allow);
}

#[test]
fn what_needs_a_listener_is_refused_by_the_name_of_its_field() {
    let unsupported = |profile: &LinuxSeccomp| match compile(profile) {
        Err(Error::Unsupported { field }) => field,
        other => panic!("{other:?}"),
    };
    let notify =
        refusing(vec![rule(&["getpid"], Action::ScmpActAllow, &[]), rule(&["mount"], Action::ScmpActNotify, &[])]);
    assert_eq!(unsupported(&notify), "linux.seccomp.syscalls[1].action");
    let mut profile = refusing(vec![]);
    profile.set_listener_path(Some("/run/listener".into()));
    assert_eq!(unsupported(&profile), "linux.seccomp.listenerPath");
    let mut profile = refusing(vec![]);
    profile.set_flags(Some(vec![LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv]));
    assert_eq!(unsupported(&profile), "linux.seccomp.flags[0]");
}

#[test]
fn flags_are_handed_on() {
    use LinuxSeccompFilterFlag as Flag;
    let mut profile = refusing(vec![]);
    profile.set_flags(Some(vec![Flag::SeccompFilterFlagLog, Flag::SeccompFilterFlagSpecAllow]));
    assert_eq!(compile(&profile).unwrap().flags, 0b110);
    profile.set_flags(Some(vec![Flag::SeccompFilterFlagTsync]));
    assert_eq!(compile(&profile).unwrap().flags, 0b001);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let too_large = compile(&refusing(vec![errno(&["mount"], 4096)]));
    assert!(matches!(too_large, Err(Error::ErrnoRange { value: 4096, largest: 4095, .. })), "{too_large:?}");
    let mut unused = errno(&["mount"], 1);
    unused.set_action(Action::ScmpActAllow);
    let unused = compile(&refusing(vec![unused]));
    assert!(matches!(unused, Err(Error::UnusedErrno { .. })), "{unused:?}");
    let argument =
        compile(&refusing(vec![rule(&["mmap"], Action::ScmpActAllow, &[argument(6, Operator::ScmpCmpEq, 0)])]));
    assert!(matches!(argument, Err(Error::Argument { index: 6, .. })), "{argument:?}");
}

#[test]
fn a_machine_without_a_table_is_refused() {
    assert_eq!(compile_on(&[], &refusing(vec![])), Err(Error::Machine));
}

#[test]
fn jumps_over_more_than_255_instructions_arrive() {
    let answer = |index: usize| 2 + index as u32;
    let rules: Vec<_> = SYSCALLS.iter().enumerate().map(|(index, call)| errno(&[call.name], answer(index))).collect();
    let program = x86(rules);
    assert!(program.len() > 3 * 255);
    for (index, call) in SYSCALLS.iter().enumerate() {
        for abi in X86_FAMILY.iter().filter(|abi| call.number(abi.column).is_some()) {
            let verdict = ask(&program, *abi, call.name, [0; 6]);
            assert_eq!(verdict, Verdict::Errno(answer(index) as u16), "{} on {:?}", call.name, abi.name);
        }
    }
}

#[test]
fn a_long_chain_of_conditions_arrives_too() {
    let rules =
        (0..300).map(|value| rule(&["mmap"], Action::ScmpActAllow, &[argument(5, Operator::ScmpCmpEq, value << 30)]));
    let mut profile = refusing(rules.collect());
    profile.set_architectures(None);
    let program = compile_on(X86_FAMILY, &profile).unwrap();
    for value in [0, 1, 150, 299] {
        assert_eq!(ask(&program, X86_64, "mmap", [0, 0, 0, 0, 0, value << 30]), Verdict::Allow);
    }
    assert_eq!(ask(&program, X86_64, "mmap", [0, 0, 0, 0, 0, 300 << 30]), EPERM);
}

#[test]
fn a_program_over_the_kernels_limit_is_refused() {
    let rules =
        (0..2000).map(|value| rule(&["mmap"], Action::ScmpActAllow, &[argument(5, Operator::ScmpCmpEq, value)]));
    let error = compile_on(X86_FAMILY, &refusing(rules.collect())).unwrap_err();
    assert!(matches!(error, Error::TooLong { instructions } if instructions > LIMIT), "{error:?}");
}
