//! The numbers of all system calls up to Linux 6.18, by name.
//!
//! One row per name, sorted, with a column per ABI in the order x86-64, x32 (without its bit), i386, arm, aarch64; so
//! one search finds a call on all of them. [`ELSEWHERE`] has the names that exist on other architectures only: profiles
//! that are written for many machines name them rightly.
//!
//! Keeps: sorted, and no number twice (`the_table_is_sorted_and_its_numbers_are_unique`).
//! Source: the kernel's headers.

/// A system call that one of the ABIs has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syscall {
    /// Its name.
    pub(super) name: &'static str,
    numbers: [u32; 5],
}

impl Syscall {
    /// Gives its number in the column of an ABI, if it exists there.
    pub(super) fn number(&self, column: usize) -> Option<u32> {
        self.numbers.get(column).copied().filter(|&number| number != N)
    }

    /// Gives the arguments, as a bit each, of which the kernel reads the lower 32 bits only.
    ///
    /// Such an argument must be compared as the kernel reads it: else a program sets a bit in the upper half and walks
    /// around the rule (CVE-2019-7303), and a harmless one fails by what its compiler left there.
    pub(super) fn narrow_arguments(&self) -> u8 {
        NARROW.iter().find(|(name, _)| *name == self.name).map_or(0, |(_, arguments)| *arguments)
    }
}

/// What a name in a profile stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A call that we have numbers for.
    Here(&'static Syscall),
    /// A call of other architectures.
    Elsewhere,
    /// No call at all.
    Nowhere,
}

/// Looks a name up.
pub(super) fn find(name: &str) -> Found {
    match SYSCALLS.binary_search_by_key(&name, |syscall| syscall.name) {
        Ok(index) => Found::Here(&SYSCALLS[index]),
        Err(_) if ELSEWHERE.contains(&name) => Found::Elsewhere,
        Err(_) => Found::Nowhere,
    }
}

/// Stands for: not on this ABI.
const N: u32 = u32::MAX;

const fn row(name: &'static str, numbers: [u32; 5]) -> Syscall {
    Syscall { name, numbers }
}

const NARROW: &[(&str, u8)] = &[
    ("fcntl", 0b11),
    ("getsockopt", 0b111),
    ("ioctl", 0b11),
    ("kill", 0b11),
    ("personality", 0b1),
    ("prctl", 0b1),
    ("setsockopt", 0b111),
    ("socket", 0b111),
    ("socketpair", 0b111),
    ("tgkill", 0b111),
    ("tkill", 0b11),
];

#[rustfmt::skip]
const ELSEWHERE: &[&str] = &[
    "atomic_barrier", "atomic_cmpxchg_32", "cachectl", "execv", "getdomainname", "getpagesize", "kern_features",
    "llseek", "memory_ordering", "multiplexer", "perfctr", "riscv_flush_icache", "riscv_hwprobe", "rtas",
    "s390_guarded_storage", "s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr", "s390_sthyi",
    "sched_get_affinity", "sched_set_affinity", "spu_create", "spu_run", "subpage_prot", "swapcontext",
    "switch_endian", "sys_debug_setcontext", "syscall", "sysmips", "timerfd", "utrap_install",
];

#[rustfmt::skip]
pub(super) const SYSCALLS: &[Syscall] = &[
    row("_llseek", [N, N, 140, 140, N]), row("_newselect", [N, N, 142, 142, N]), row("_sysctl", [156, N, 149, 149, N]),
    row("accept", [43, 43, N, 285, 202]), row("accept4", [288, 288, 364, 366, 242]), row("access", [21, 21, 33, 33, N]),
    row("acct", [163, 163, 51, 51, 89]), row("add_key", [248, 248, 286, 309, 217]),
    row("adjtimex", [159, 159, 124, 124, 171]), row("afs_syscall", [183, 183, 137, N, N]),
    row("alarm", [37, 37, 27, N, N]), row("arch_prctl", [158, 158, 384, N, N]),
    row("arm_fadvise64_64", [N, N, N, 270, N]), row("arm_sync_file_range", [N, N, N, 341, N]),
    row("bdflush", [N, N, 134, 134, N]), row("bind", [49, 49, 361, 282, 200]), row("bpf", [321, 321, 357, 386, 280]),
    row("break", [N, N, 17, N, N]), row("breakpoint", [N, N, N, 0xf0001, N]), row("brk", [12, 12, 45, 45, 214]),
    row("cacheflush", [N, N, N, 0xf0002, N]), row("cachestat", [451, 451, 451, 451, 451]),
    row("capget", [125, 125, 184, 184, 90]), row("capset", [126, 126, 185, 185, 91]), row("chdir", [80, 80, 12, 12, 49]),
    row("chmod", [90, 90, 15, 15, N]), row("chown", [92, 92, 182, 182, N]), row("chown32", [N, N, 212, 212, N]),
    row("chroot", [161, 161, 61, 61, 51]), row("clock_adjtime", [305, 305, 343, 372, 266]),
    row("clock_adjtime64", [N, N, 405, 405, N]), row("clock_getres", [229, 229, 266, 264, 114]),
    row("clock_getres_time64", [N, N, 406, 406, N]), row("clock_gettime", [228, 228, 265, 263, 113]),
    row("clock_gettime64", [N, N, 403, 403, N]), row("clock_nanosleep", [230, 230, 267, 265, 115]),
    row("clock_nanosleep_time64", [N, N, 407, 407, N]), row("clock_settime", [227, 227, 264, 262, 112]),
    row("clock_settime64", [N, N, 404, 404, N]), row("clone", [56, 56, 120, 120, 220]),
    row("clone3", [435, 435, 435, 435, 435]), row("close", [3, 3, 6, 6, 57]),
    row("close_range", [436, 436, 436, 436, 436]), row("connect", [42, 42, 362, 283, 203]),
    row("copy_file_range", [326, 326, 377, 391, 285]), row("creat", [85, 85, 8, 8, N]),
    row("create_module", [174, N, 127, N, N]), row("delete_module", [176, 176, 129, 129, 106]),
    row("dup", [32, 32, 41, 41, 23]), row("dup2", [33, 33, 63, 63, N]), row("dup3", [292, 292, 330, 358, 24]),
    row("epoll_create", [213, 213, 254, 250, N]), row("epoll_create1", [291, 291, 329, 357, 20]),
    row("epoll_ctl", [233, 233, 255, 251, 21]), row("epoll_ctl_old", [214, N, N, N, N]),
    row("epoll_pwait", [281, 281, 319, 346, 22]), row("epoll_pwait2", [441, 441, 441, 441, 441]),
    row("epoll_wait", [232, 232, 256, 252, N]), row("epoll_wait_old", [215, N, N, N, N]),
    row("eventfd", [284, 284, 323, 351, N]), row("eventfd2", [290, 290, 328, 356, 19]),
    row("execve", [59, 520, 11, 11, 221]), row("execveat", [322, 545, 358, 387, 281]), row("exit", [60, 60, 1, 1, 93]),
    row("exit_group", [231, 231, 252, 248, 94]), row("faccessat", [269, 269, 307, 334, 48]),
    row("faccessat2", [439, 439, 439, 439, 439]), row("fadvise64", [221, 221, 250, N, 223]),
    row("fadvise64_64", [N, N, 272, N, N]), row("fallocate", [285, 285, 324, 352, 47]),
    row("fanotify_init", [300, 300, 338, 367, 262]), row("fanotify_mark", [301, 301, 339, 368, 263]),
    row("fchdir", [81, 81, 133, 133, 50]), row("fchmod", [91, 91, 94, 94, 52]), row("fchmodat", [268, 268, 306, 333, 53]),
    row("fchmodat2", [452, 452, 452, 452, 452]), row("fchown", [93, 93, 95, 95, 55]),
    row("fchown32", [N, N, 207, 207, N]), row("fchownat", [260, 260, 298, 325, 54]), row("fcntl", [72, 72, 55, 55, 25]),
    row("fcntl64", [N, N, 221, 221, N]), row("fdatasync", [75, 75, 148, 148, 83]),
    row("fgetxattr", [193, 193, 231, 231, 10]), row("file_getattr", [468, 468, 468, 468, 468]),
    row("file_setattr", [469, 469, 469, 469, 469]), row("finit_module", [313, 313, 350, 379, 273]),
    row("flistxattr", [196, 196, 234, 234, 13]), row("flock", [73, 73, 143, 143, 32]), row("fork", [57, 57, 2, 2, N]),
    row("fremovexattr", [199, 199, 237, 237, 16]), row("fsconfig", [431, 431, 431, 431, 431]),
    row("fsetxattr", [190, 190, 228, 228, 7]), row("fsmount", [432, 432, 432, 432, 432]),
    row("fsopen", [430, 430, 430, 430, 430]), row("fspick", [433, 433, 433, 433, 433]),
    row("fstat", [5, 5, 108, 108, 80]), row("fstat64", [N, N, 197, 197, N]), row("fstatat64", [N, N, 300, 327, N]),
    row("fstatfs", [138, 138, 100, 100, 44]), row("fstatfs64", [N, N, 269, 267, N]), row("fsync", [74, 74, 118, 118, 82]),
    row("ftime", [N, N, 35, N, N]), row("ftruncate", [77, 77, 93, 93, 46]), row("ftruncate64", [N, N, 194, 194, N]),
    row("futex", [202, 202, 240, 240, 98]), row("futex_requeue", [456, 456, 456, 456, 456]),
    row("futex_time64", [N, N, 422, 422, N]), row("futex_wait", [455, 455, 455, 455, 455]),
    row("futex_waitv", [449, 449, 449, 449, 449]), row("futex_wake", [454, 454, 454, 454, 454]),
    row("futimesat", [261, 261, 299, 326, N]), row("get_kernel_syms", [177, N, 130, N, N]),
    row("get_mempolicy", [239, 239, 275, 320, 236]), row("get_robust_list", [274, 531, 312, 339, 100]),
    row("get_thread_area", [211, N, 244, N, N]), row("get_tls", [N, N, N, 0xf0006, N]),
    row("getcpu", [309, 309, 318, 345, 168]), row("getcwd", [79, 79, 183, 183, 17]),
    row("getdents", [78, 78, 141, 141, N]), row("getdents64", [217, 217, 220, 217, 61]),
    row("getegid", [108, 108, 50, 50, 177]), row("getegid32", [N, N, 202, 202, N]),
    row("geteuid", [107, 107, 49, 49, 175]), row("geteuid32", [N, N, 201, 201, N]),
    row("getgid", [104, 104, 47, 47, 176]), row("getgid32", [N, N, 200, 200, N]),
    row("getgroups", [115, 115, 80, 80, 158]), row("getgroups32", [N, N, 205, 205, N]),
    row("getitimer", [36, 36, 105, 105, 102]), row("getpeername", [52, 52, 368, 287, 205]),
    row("getpgid", [121, 121, 132, 132, 155]), row("getpgrp", [111, 111, 65, 65, N]),
    row("getpid", [39, 39, 20, 20, 172]), row("getpmsg", [181, 181, 188, N, N]), row("getppid", [110, 110, 64, 64, 173]),
    row("getpriority", [140, 140, 96, 96, 141]), row("getrandom", [318, 318, 355, 384, 278]),
    row("getresgid", [120, 120, 171, 171, 150]), row("getresgid32", [N, N, 211, 211, N]),
    row("getresuid", [118, 118, 165, 165, 148]), row("getresuid32", [N, N, 209, 209, N]),
    row("getrlimit", [97, 97, 76, N, 163]), row("getrusage", [98, 98, 77, 77, 165]),
    row("getsid", [124, 124, 147, 147, 156]), row("getsockname", [51, 51, 367, 286, 204]),
    row("getsockopt", [55, 542, 365, 295, 209]), row("gettid", [186, 186, 224, 224, 178]),
    row("gettimeofday", [96, 96, 78, 78, 169]), row("getuid", [102, 102, 24, 24, 174]),
    row("getuid32", [N, N, 199, 199, N]), row("getxattr", [191, 191, 229, 229, 8]),
    row("getxattrat", [464, 464, 464, 464, 464]), row("gtty", [N, N, 32, N, N]), row("idle", [N, N, 112, N, N]),
    row("init_module", [175, 175, 128, 128, 105]), row("inotify_add_watch", [254, 254, 292, 317, 27]),
    row("inotify_init", [253, 253, 291, 316, N]), row("inotify_init1", [294, 294, 332, 360, 26]),
    row("inotify_rm_watch", [255, 255, 293, 318, 28]), row("io_cancel", [210, 210, 249, 247, 3]),
    row("io_destroy", [207, 207, 246, 244, 1]), row("io_getevents", [208, 208, 247, 245, 4]),
    row("io_pgetevents", [333, 333, 385, 399, 292]), row("io_pgetevents_time64", [N, N, 416, 416, N]),
    row("io_setup", [206, 543, 245, 243, 0]), row("io_submit", [209, 544, 248, 246, 2]),
    row("io_uring_enter", [426, 426, 426, 426, 426]), row("io_uring_register", [427, 427, 427, 427, 427]),
    row("io_uring_setup", [425, 425, 425, 425, 425]), row("ioctl", [16, 514, 54, 54, 29]),
    row("ioperm", [173, 173, 101, N, N]), row("iopl", [172, 172, 110, N, N]), row("ioprio_get", [252, 252, 290, 315, 31]),
    row("ioprio_set", [251, 251, 289, 314, 30]), row("ipc", [N, N, 117, N, N]), row("kcmp", [312, 312, 349, 378, 272]),
    row("kexec_file_load", [320, 320, N, 401, 294]), row("kexec_load", [246, 528, 283, 347, 104]),
    row("keyctl", [250, 250, 288, 311, 219]), row("kill", [62, 62, 37, 37, 129]),
    row("landlock_add_rule", [445, 445, 445, 445, 445]), row("landlock_create_ruleset", [444, 444, 444, 444, 444]),
    row("landlock_restrict_self", [446, 446, 446, 446, 446]), row("lchown", [94, 94, 16, 16, N]),
    row("lchown32", [N, N, 198, 198, N]), row("lgetxattr", [192, 192, 230, 230, 9]), row("link", [86, 86, 9, 9, N]),
    row("linkat", [265, 265, 303, 330, 37]), row("listen", [50, 50, 363, 284, 201]),
    row("listmount", [458, 458, 458, 458, 458]), row("listxattr", [194, 194, 232, 232, 11]),
    row("listxattrat", [465, 465, 465, 465, 465]), row("llistxattr", [195, 195, 233, 233, 12]),
    row("lock", [N, N, 53, N, N]), row("lookup_dcookie", [212, 212, 253, 249, 18]),
    row("lremovexattr", [198, 198, 236, 236, 15]), row("lseek", [8, 8, 19, 19, 62]),
    row("lsetxattr", [189, 189, 227, 227, 6]), row("lsm_get_self_attr", [459, 459, 459, 459, 459]),
    row("lsm_list_modules", [461, 461, 461, 461, 461]), row("lsm_set_self_attr", [460, 460, 460, 460, 460]),
    row("lstat", [6, 6, 107, 107, N]), row("lstat64", [N, N, 196, 196, N]), row("madvise", [28, 28, 219, 220, 233]),
    row("map_shadow_stack", [453, 453, 453, 453, 453]), row("mbind", [237, 237, 274, 319, 235]),
    row("membarrier", [324, 324, 375, 389, 283]), row("memfd_create", [319, 319, 356, 385, 279]),
    row("memfd_secret", [447, 447, 447, N, 447]), row("migrate_pages", [256, 256, 294, 400, 238]),
    row("mincore", [27, 27, 218, 219, 232]), row("mkdir", [83, 83, 39, 39, N]), row("mkdirat", [258, 258, 296, 323, 34]),
    row("mknod", [133, 133, 14, 14, N]), row("mknodat", [259, 259, 297, 324, 33]),
    row("mlock", [149, 149, 150, 150, 228]), row("mlock2", [325, 325, 376, 390, 284]),
    row("mlockall", [151, 151, 152, 152, 230]), row("mmap", [9, 9, 90, N, 222]), row("mmap2", [N, N, 192, 192, N]),
    row("modify_ldt", [154, 154, 123, N, N]), row("mount", [165, 165, 21, 21, 40]),
    row("mount_setattr", [442, 442, 442, 442, 442]), row("move_mount", [429, 429, 429, 429, 429]),
    row("move_pages", [279, 533, 317, 344, 239]), row("mprotect", [10, 10, 125, 125, 226]), row("mpx", [N, N, 56, N, N]),
    row("mq_getsetattr", [245, 245, 282, 279, 185]), row("mq_notify", [244, 527, 281, 278, 184]),
    row("mq_open", [240, 240, 277, 274, 180]), row("mq_timedreceive", [243, 243, 280, 277, 183]),
    row("mq_timedreceive_time64", [N, N, 419, 419, N]), row("mq_timedsend", [242, 242, 279, 276, 182]),
    row("mq_timedsend_time64", [N, N, 418, 418, N]), row("mq_unlink", [241, 241, 278, 275, 181]),
    row("mremap", [25, 25, 163, 163, 216]), row("mseal", [462, 462, 462, 462, 462]),
    row("msgctl", [71, 71, 402, 304, 187]), row("msgget", [68, 68, 399, 303, 186]),
    row("msgrcv", [70, 70, 401, 302, 188]), row("msgsnd", [69, 69, 400, 301, 189]), row("msync", [26, 26, 144, 144, 227]),
    row("munlock", [150, 150, 151, 151, 229]), row("munlockall", [152, 152, 153, 153, 231]),
    row("munmap", [11, 11, 91, 91, 215]), row("name_to_handle_at", [303, 303, 341, 370, 264]),
    row("nanosleep", [35, 35, 162, 162, 101]), row("newfstatat", [262, 262, N, N, 79]),
    row("nfsservctl", [180, N, 169, 169, 42]), row("nice", [N, N, 34, 34, N]), row("oldfstat", [N, N, 28, N, N]),
    row("oldlstat", [N, N, 84, N, N]), row("oldolduname", [N, N, 59, N, N]), row("oldstat", [N, N, 18, N, N]),
    row("olduname", [N, N, 109, N, N]), row("open", [2, 2, 5, 5, N]), row("open_by_handle_at", [304, 304, 342, 371, 265]),
    row("open_tree", [428, 428, 428, 428, 428]), row("open_tree_attr", [467, 467, 467, 467, 467]),
    row("openat", [257, 257, 295, 322, 56]), row("openat2", [437, 437, 437, 437, 437]), row("pause", [34, 34, 29, 29, N]),
    row("pciconfig_iobase", [N, N, N, 271, N]), row("pciconfig_read", [N, N, N, 272, N]),
    row("pciconfig_write", [N, N, N, 273, N]), row("perf_event_open", [298, 298, 336, 364, 241]),
    row("personality", [135, 135, 136, 136, 92]), row("pidfd_getfd", [438, 438, 438, 438, 438]),
    row("pidfd_open", [434, 434, 434, 434, 434]), row("pidfd_send_signal", [424, 424, 424, 424, 424]),
    row("pipe", [22, 22, 42, 42, N]), row("pipe2", [293, 293, 331, 359, 59]), row("pivot_root", [155, 155, 217, 218, 41]),
    row("pkey_alloc", [330, 330, 381, 395, 289]), row("pkey_free", [331, 331, 382, 396, 290]),
    row("pkey_mprotect", [329, 329, 380, 394, 288]), row("poll", [7, 7, 168, 168, N]),
    row("ppoll", [271, 271, 309, 336, 73]), row("ppoll_time64", [N, N, 414, 414, N]),
    row("prctl", [157, 157, 172, 172, 167]), row("pread64", [17, 17, 180, 180, 67]),
    row("preadv", [295, 534, 333, 361, 69]), row("preadv2", [327, 546, 378, 392, 286]),
    row("prlimit64", [302, 302, 340, 369, 261]), row("process_madvise", [440, 440, 440, 440, 440]),
    row("process_mrelease", [448, 448, 448, 448, 448]), row("process_vm_readv", [310, 539, 347, 376, 270]),
    row("process_vm_writev", [311, 540, 348, 377, 271]), row("prof", [N, N, 44, N, N]), row("profil", [N, N, 98, N, N]),
    row("pselect6", [270, 270, 308, 335, 72]), row("pselect6_time64", [N, N, 413, 413, N]),
    row("ptrace", [101, 521, 26, 26, 117]), row("putpmsg", [182, 182, 189, N, N]),
    row("pwrite64", [18, 18, 181, 181, 68]), row("pwritev", [296, 535, 334, 362, 70]),
    row("pwritev2", [328, 547, 379, 393, 287]), row("query_module", [178, N, 167, N, N]),
    row("quotactl", [179, 179, 131, 131, 60]), row("quotactl_fd", [443, 443, 443, 443, 443]),
    row("read", [0, 0, 3, 3, 63]), row("readahead", [187, 187, 225, 225, 213]), row("readdir", [N, N, 89, N, N]),
    row("readlink", [89, 89, 85, 85, N]), row("readlinkat", [267, 267, 305, 332, 78]),
    row("readv", [19, 515, 145, 145, 65]), row("reboot", [169, 169, 88, 88, 142]), row("recv", [N, N, N, 291, N]),
    row("recvfrom", [45, 517, 371, 292, 207]), row("recvmmsg", [299, 537, 337, 365, 243]),
    row("recvmmsg_time64", [N, N, 417, 417, N]), row("recvmsg", [47, 519, 372, 297, 212]),
    row("remap_file_pages", [216, 216, 257, 253, 234]), row("removexattr", [197, 197, 235, 235, 14]),
    row("removexattrat", [466, 466, 466, 466, 466]), row("rename", [82, 82, 38, 38, N]),
    row("renameat", [264, 264, 302, 329, 38]), row("renameat2", [316, 316, 353, 382, 276]),
    row("request_key", [249, 249, 287, 310, 218]), row("restart_syscall", [219, 219, 0, 0, 128]),
    row("rmdir", [84, 84, 40, 40, N]), row("rseq", [334, 334, 386, 398, 293]),
    row("rt_sigaction", [13, 512, 174, 174, 134]), row("rt_sigpending", [127, 522, 176, 176, 136]),
    row("rt_sigprocmask", [14, 14, 175, 175, 135]), row("rt_sigqueueinfo", [129, 524, 178, 178, 138]),
    row("rt_sigreturn", [15, 513, 173, 173, 139]), row("rt_sigsuspend", [130, 130, 179, 179, 133]),
    row("rt_sigtimedwait", [128, 523, 177, 177, 137]), row("rt_sigtimedwait_time64", [N, N, 421, 421, N]),
    row("rt_tgsigqueueinfo", [297, 536, 335, 363, 240]), row("sched_get_priority_max", [146, 146, 159, 159, 125]),
    row("sched_get_priority_min", [147, 147, 160, 160, 126]), row("sched_getaffinity", [204, 204, 242, 242, 123]),
    row("sched_getattr", [315, 315, 352, 381, 275]), row("sched_getparam", [143, 143, 155, 155, 121]),
    row("sched_getscheduler", [145, 145, 157, 157, 120]), row("sched_rr_get_interval", [148, 148, 161, 161, 127]),
    row("sched_rr_get_interval_time64", [N, N, 423, 423, N]), row("sched_setaffinity", [203, 203, 241, 241, 122]),
    row("sched_setattr", [314, 314, 351, 380, 274]), row("sched_setparam", [142, 142, 154, 154, 118]),
    row("sched_setscheduler", [144, 144, 156, 156, 119]), row("sched_yield", [24, 24, 158, 158, 124]),
    row("seccomp", [317, 317, 354, 383, 277]), row("security", [185, 185, N, N, N]), row("select", [23, 23, 82, N, N]),
    row("semctl", [66, 66, 394, 300, 191]), row("semget", [64, 64, 393, 299, 190]), row("semop", [65, 65, N, 298, 193]),
    row("semtimedop", [220, 220, N, 312, 192]), row("semtimedop_time64", [N, N, 420, 420, N]),
    row("send", [N, N, N, 289, N]), row("sendfile", [40, 40, 187, 187, 71]), row("sendfile64", [N, N, 239, 239, N]),
    row("sendmmsg", [307, 538, 345, 374, 269]), row("sendmsg", [46, 518, 370, 296, 211]),
    row("sendto", [44, 44, 369, 290, 206]), row("set_mempolicy", [238, 238, 276, 321, 237]),
    row("set_mempolicy_home_node", [450, 450, 450, 450, 450]), row("set_robust_list", [273, 530, 311, 338, 99]),
    row("set_thread_area", [205, N, 243, N, N]), row("set_tid_address", [218, 218, 258, 256, 96]),
    row("set_tls", [N, N, N, 0xf0005, N]), row("setdomainname", [171, 171, 121, 121, 162]),
    row("setfsgid", [123, 123, 139, 139, 152]), row("setfsgid32", [N, N, 216, 216, N]),
    row("setfsuid", [122, 122, 138, 138, 151]), row("setfsuid32", [N, N, 215, 215, N]),
    row("setgid", [106, 106, 46, 46, 144]), row("setgid32", [N, N, 214, 214, N]),
    row("setgroups", [116, 116, 81, 81, 159]), row("setgroups32", [N, N, 206, 206, N]),
    row("sethostname", [170, 170, 74, 74, 161]), row("setitimer", [38, 38, 104, 104, 103]),
    row("setns", [308, 308, 346, 375, 268]), row("setpgid", [109, 109, 57, 57, 154]),
    row("setpriority", [141, 141, 97, 97, 140]), row("setregid", [114, 114, 71, 71, 143]),
    row("setregid32", [N, N, 204, 204, N]), row("setresgid", [119, 119, 170, 170, 149]),
    row("setresgid32", [N, N, 210, 210, N]), row("setresuid", [117, 117, 164, 164, 147]),
    row("setresuid32", [N, N, 208, 208, N]), row("setreuid", [113, 113, 70, 70, 145]),
    row("setreuid32", [N, N, 203, 203, N]), row("setrlimit", [160, 160, 75, 75, 164]),
    row("setsid", [112, 112, 66, 66, 157]), row("setsockopt", [54, 541, 366, 294, 208]),
    row("settimeofday", [164, 164, 79, 79, 170]), row("setuid", [105, 105, 23, 23, 146]),
    row("setuid32", [N, N, 213, 213, N]), row("setxattr", [188, 188, 226, 226, 5]),
    row("setxattrat", [463, 463, 463, 463, 463]), row("sgetmask", [N, N, 68, N, N]),
    row("shmat", [30, 30, 397, 305, 196]), row("shmctl", [31, 31, 396, 308, 195]), row("shmdt", [67, 67, 398, 306, 197]),
    row("shmget", [29, 29, 395, 307, 194]), row("shutdown", [48, 48, 373, 293, 210]), row("sigaction", [N, N, 67, 67, N]),
    row("sigaltstack", [131, 525, 186, 186, 132]), row("signal", [N, N, 48, N, N]),
    row("signalfd", [282, 282, 321, 349, N]), row("signalfd4", [289, 289, 327, 355, 74]),
    row("sigpending", [N, N, 73, 73, N]), row("sigprocmask", [N, N, 126, 126, N]), row("sigreturn", [N, N, 119, 119, N]),
    row("sigsuspend", [N, N, 72, 72, N]), row("socket", [41, 41, 359, 281, 198]), row("socketcall", [N, N, 102, N, N]),
    row("socketpair", [53, 53, 360, 288, 199]), row("splice", [275, 275, 313, 340, 76]),
    row("ssetmask", [N, N, 69, N, N]), row("stat", [4, 4, 106, 106, N]), row("stat64", [N, N, 195, 195, N]),
    row("statfs", [137, 137, 99, 99, 43]), row("statfs64", [N, N, 268, 266, N]),
    row("statmount", [457, 457, 457, 457, 457]), row("statx", [332, 332, 383, 397, 291]), row("stime", [N, N, 25, N, N]),
    row("stty", [N, N, 31, N, N]), row("swapoff", [168, 168, 115, 115, 225]), row("swapon", [167, 167, 87, 87, 224]),
    row("symlink", [88, 88, 83, 83, N]), row("symlinkat", [266, 266, 304, 331, 36]), row("sync", [162, 162, 36, 36, 81]),
    row("sync_file_range", [277, 277, 314, N, 84]), row("sync_file_range2", [N, N, N, 341, N]),
    row("syncfs", [306, 306, 344, 373, 267]), row("sysfs", [139, 139, 135, 135, N]),
    row("sysinfo", [99, 99, 116, 116, 179]), row("syslog", [103, 103, 103, 103, 116]),
    row("tee", [276, 276, 315, 342, 77]), row("tgkill", [234, 234, 270, 268, 131]), row("time", [201, 201, 13, N, N]),
    row("timer_create", [222, 526, 259, 257, 107]), row("timer_delete", [226, 226, 263, 261, 111]),
    row("timer_getoverrun", [225, 225, 262, 260, 109]), row("timer_gettime", [224, 224, 261, 259, 108]),
    row("timer_gettime64", [N, N, 408, 408, N]), row("timer_settime", [223, 223, 260, 258, 110]),
    row("timer_settime64", [N, N, 409, 409, N]), row("timerfd_create", [283, 283, 322, 350, 85]),
    row("timerfd_gettime", [287, 287, 326, 354, 87]), row("timerfd_gettime64", [N, N, 410, 410, N]),
    row("timerfd_settime", [286, 286, 325, 353, 86]), row("timerfd_settime64", [N, N, 411, 411, N]),
    row("times", [100, 100, 43, 43, 153]), row("tkill", [200, 200, 238, 238, 130]), row("truncate", [76, 76, 92, 92, 45]),
    row("truncate64", [N, N, 193, 193, N]), row("tuxcall", [184, 184, N, N, N]), row("ugetrlimit", [N, N, 191, 191, N]),
    row("ulimit", [N, N, 58, N, N]), row("umask", [95, 95, 60, 60, 166]), row("umount", [N, N, 22, N, N]),
    row("umount2", [166, 166, 52, 52, 39]), row("uname", [63, 63, 122, 122, 160]), row("unlink", [87, 87, 10, 10, N]),
    row("unlinkat", [263, 263, 301, 328, 35]), row("unshare", [272, 272, 310, 337, 97]),
    row("uprobe", [336, 336, N, N, N]), row("uretprobe", [335, 335, N, N, N]), row("uselib", [134, N, 86, 86, N]),
    row("userfaultfd", [323, 323, 374, 388, 282]), row("usr26", [N, N, N, 0xf0003, N]),
    row("usr32", [N, N, N, 0xf0004, N]), row("ustat", [136, 136, 62, 62, N]), row("utime", [132, 132, 30, N, N]),
    row("utimensat", [280, 280, 320, 348, 88]), row("utimensat_time64", [N, N, 412, 412, N]),
    row("utimes", [235, 235, 271, 269, N]), row("vfork", [58, 58, 190, 190, N]), row("vhangup", [153, 153, 111, 111, 58]),
    row("vm86", [N, N, 166, N, N]), row("vm86old", [N, N, 113, N, N]), row("vmsplice", [278, 532, 316, 343, 75]),
    row("vserver", [236, N, 273, 313, N]), row("wait4", [61, 61, 114, 114, 260]), row("waitid", [247, 529, 284, 280, 95]),
    row("waitpid", [N, N, 7, N, N]), row("write", [1, 1, 4, 4, 64]), row("writev", [20, 516, 146, 146, 66]),
];
