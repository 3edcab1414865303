//! The default seccomp profile: what Docker's allows, for the capabilities that a container has.
//!
//! Everything that no rule allows fails with EPERM, but `clone3`, whose arguments a filter cannot see, does not exist,
//! so that programs fall back to `clone`. The rules are a table; a profile has those that hold for this machine and
//! these capabilities, in the table's order.
//!
//! Keeps: `the_compiled_profile_answers_every_call_as_the_table_says`.

use std::env::consts::ARCH;

use oci_spec::runtime::{
    Arch, Capability, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompOperator,
    LinuxSyscall,
};

use self::Answer::{Allow, NoSuchCall};
use self::Argument::{Above, Below, Is, Without};
use self::When::{Has, Lacks, NotOn, On};

/// Gives the profile for a container that has these capabilities.
///
/// It is meant to be made anew when capabilities are added or dropped: what a capability is for is allowed with it.
pub fn default_seccomp(capabilities: &[Capability]) -> LinuxSeccomp {
    let rules = RULES.iter().filter(|rule| rule.when.iter().all(|when| when.holds(capabilities)));
    let mut profile = LinuxSeccomp::default();
    profile
        .set_default_action(LinuxSeccompAction::ScmpActErrno)
        .set_default_errno_ret(Some(EPERM))
        .set_architectures(Some(architectures()))
        .set_syscalls(Some(rules.map(Rule::to_spec).collect()));
    profile
}

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

const ARM: &[&str] = &["arm", "aarch64"];
const POWER: &[&str] = &["powerpc64"];
const RISCV: &[&str] = &["riscv64"];
const S390: &[&str] = &["s390x"];
const X86: &[&str] = &["x86_64", "x86"];
const X86_64: &[&str] = &["x86_64"];

/// An answer to some calls, under conditions that must all hold.
struct Rule {
    answer: Answer,
    argument: Option<(usize, Argument)>,
    when: &'static [When],
    /// Separated by white space.
    names: &'static str,
}

#[derive(Clone, Copy)]
enum Answer {
    Allow,
    NoSuchCall,
}

/// What an argument must be.
#[derive(Clone, Copy)]
enum Argument {
    Below(u64),
    Is(u64),
    Above(u64),
    /// It has none of these bits.
    Without(u64),
}

/// Which containers a rule is for.
enum When {
    Has(Capability),
    Lacks(Capability),
    On(&'static [&'static str]),
    NotOn(&'static [&'static str]),
}

impl When {
    fn holds(&self, capabilities: &[Capability]) -> bool {
        match self {
            Has(capability) => capabilities.contains(capability),
            Lacks(capability) => !capabilities.contains(capability),
            On(machines) => machines.contains(&ARCH),
            NotOn(machines) => !machines.contains(&ARCH),
        }
    }
}

impl Rule {
    fn to_spec(&self) -> LinuxSyscall {
        let (action, errno) = match self.answer {
            Allow => (LinuxSeccompAction::ScmpActAllow, None),
            NoSuchCall => (LinuxSeccompAction::ScmpActErrno, Some(ENOSYS)),
        };
        let argument = self.argument.map(|(index, argument)| vec![argument.to_spec(index)]);
        let mut rule = LinuxSyscall::default();
        rule.set_names(self.names.split_whitespace().map(str::to_owned).collect())
            .set_action(action)
            .set_errno_ret(errno)
            .set_args(argument);
        rule
    }
}

impl Argument {
    fn to_spec(self, index: usize) -> LinuxSeccompArg {
        let argument = LinuxSeccompArgBuilder::default().index(index);
        let argument = match self {
            Below(value) => argument.op(LinuxSeccompOperator::ScmpCmpLt).value(value),
            Is(value) => argument.op(LinuxSeccompOperator::ScmpCmpEq).value(value),
            Above(value) => argument.op(LinuxSeccompOperator::ScmpCmpGt).value(value),
            Without(bits) => argument.op(LinuxSeccompOperator::ScmpCmpMaskedEq).value(bits).value_two(0_u64),
        };
        argument.build().unwrap_or_else(|_| unreachable!("every field of an argument has a default"))
    }
}

/// The machine's own architecture and those that it runs beside it.
fn architectures() -> Vec<Arch> {
    match ARCH {
        "x86_64" => vec![Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32],
        "aarch64" => vec![Arch::ScmpArchAarch64, Arch::ScmpArchArm],
        _ => vec![Arch::ScmpArchNative],
    }
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule {
        answer: Allow,
        argument: None,
        when: &[],
        names: "\
        _llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown \
        chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 \
        clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 \
        epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old \
        eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate \
        fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr \
        flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate \
        ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list \
        get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 \
        getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid \
        getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday \
        getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel \
        io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set \
        ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link \
        linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise \
        map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 \
        mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 \
        mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall \
        munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe \
        pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 \
        process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv \
        recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat \
        renameat2 restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo \
        rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max \
        sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler \
        sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam \
        sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile \
        sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 \
        setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 \
        setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 \
        setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn \
        socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync \
        sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime \
        timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 \
        timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat \
        uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev",
    },
    Rule { answer: Allow, argument: None, when: &[], names: "process_vm_readv process_vm_writev ptrace" },
    Rule { answer: Allow, argument: Some((0, Below(38))), when: &[], names: "socket" },
    Rule { answer: Allow, argument: Some((0, Is(39))), when: &[], names: "socket" },
    Rule { answer: Allow, argument: Some((0, Above(40))), when: &[], names: "socket" },
    Rule { answer: Allow, argument: Some((0, Is(0))), when: &[], names: "personality" },
    Rule { answer: Allow, argument: Some((0, Is(8))), when: &[], names: "personality" },
    Rule { answer: Allow, argument: Some((0, Is(0x20000))), when: &[], names: "personality" },
    Rule { answer: Allow, argument: Some((0, Is(0x20008))), when: &[], names: "personality" },
    Rule { answer: Allow, argument: Some((0, Is(0xffffffff))), when: &[], names: "personality" },
    Rule { answer: Allow, argument: None, when: &[On(POWER)], names: "swapcontext sync_file_range2" },
    Rule {
        answer: Allow,
        argument: None,
        when: &[On(ARM)],
        names: "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
    },
    Rule { answer: Allow, argument: None, when: &[On(X86_64)], names: "arch_prctl" },
    Rule { answer: Allow, argument: None, when: &[On(X86)], names: "modify_ldt" },
    Rule {
        answer: Allow,
        argument: None,
        when: &[On(S390)],
        names: "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr",
    },
    Rule { answer: Allow, argument: None, when: &[On(RISCV)], names: "riscv_flush_icache" },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::DacReadSearch)], names: "open_by_handle_at" },
    Rule {
        answer: Allow,
        argument: None,
        when: &[Has(Capability::SysAdmin)],
        names: "\
        bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr \
        lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl \
        quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare",
    },
    Rule {
        answer: Allow,
        argument: Some((0, Without(0x7e020000))),
        when: &[Lacks(Capability::SysAdmin), NotOn(S390)],
        names: "clone",
    },
    Rule {
        answer: Allow,
        argument: Some((1, Without(0x7e020000))),
        when: &[On(S390), Lacks(Capability::SysAdmin)],
        names: "clone",
    },
    Rule { answer: NoSuchCall, argument: None, when: &[Lacks(Capability::SysAdmin)], names: "clone3" },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::SysBoot)], names: "reboot" },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::SysChroot)], names: "chroot" },
    Rule {
        answer: Allow,
        argument: None,
        when: &[Has(Capability::SysModule)],
        names: "delete_module finit_module init_module",
    },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::SysPacct)], names: "acct" },
    Rule {
        answer: Allow,
        argument: None,
        when: &[Has(Capability::SysPtrace)],
        names: "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::SysRawio)], names: "ioperm iopl" },
    Rule {
        answer: Allow,
        argument: None,
        when: &[Has(Capability::SysTime)],
        names: "clock_settime clock_settime64 settimeofday stime",
    },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::SysTtyConfig)], names: "vhangup" },
    Rule {
        answer: Allow,
        argument: None,
        when: &[Has(Capability::SysNice)],
        names: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::Syslog)], names: "syslog" },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::Bpf)], names: "bpf" },
    Rule { answer: Allow, argument: None, when: &[Has(Capability::Perfmon)], names: "perf_event_open" },
];
