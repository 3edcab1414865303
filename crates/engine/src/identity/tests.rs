//! Identities from specs, requests and hostile accounts; each lesson of security has a test of its name.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use oci_spec::runtime::{
    Capability, LinuxCapabilities, LinuxCapabilitiesBuilder, PosixRlimit, PosixRlimitBuilder, PosixRlimitType, Process,
    ProcessBuilder, User, UserBuilder,
};
use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode};

use super::{CapabilitySets, Error, Identity, UserRequest};

mod groups;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    alice:x:1000:1001:Alice:/home/alice:/bin/sh\n\
    nohome:x:1002:1002::relative:/bin/sh\n";
const GROUP: &str = "root:x:0:\nstaff:x:50:alice,bob\naudio:x:63:alice\n";

/// A root file system that has nothing but accounts.
struct Tree(tempfile::TempDir);

impl Tree {
    fn empty() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        fs::create_dir(tree.path("etc")).unwrap();
        tree
    }

    fn with(passwd: &str, group: &str) -> Self {
        let tree = Self::empty();
        fs::write(tree.path("etc/passwd"), passwd).unwrap();
        fs::write(tree.path("etc/group"), group).unwrap();
        tree
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn plan(&self, process: &Process, request: Option<&str>) -> Result<(Identity, Option<PathBuf>), Error> {
        let request: Option<UserRequest> = request.map(str::parse).transpose()?;
        Identity::plan(process, request.as_ref(), File::open(self.0.path()).unwrap().as_fd())
    }

    fn user(&self, request: &str) -> Result<(u32, u32), Error> {
        self.plan(&process(User::default()), Some(request)).map(|(identity, _)| (identity.uid, identity.gid))
    }

    fn home(&self, request: &str) -> Option<PathBuf> {
        self.plan(&process(User::default()), Some(request)).unwrap().1
    }
}

fn process(user: User) -> Process {
    ProcessBuilder::default().user(user).env(vec!["PATH=/bin".to_owned()]).build().unwrap()
}

fn plan(process: &Process) -> Result<Identity, Error> {
    Tree::with(PASSWD, GROUP).plan(process, None).map(|(identity, _)| identity)
}

#[test]
fn a_user_is_found_by_name_and_by_number_with_its_group_and_home() {
    let tree = Tree::with(PASSWD, GROUP);
    for request in ["alice", "1000"] {
        assert_eq!(tree.user(request).unwrap(), (1000, 1001), "{request}");
        assert_eq!(tree.home(request), Some(PathBuf::from("/home/alice")), "{request}");
    }
    assert_eq!(tree.home("nohome"), None, "a relative path is no home");
}

#[test]
fn a_group_that_is_given_counts() {
    let tree = Tree::with(PASSWD, GROUP);
    let cases = [("alice:staff", (1000, 50)), ("alice:7", (1000, 7)), ("1000:staff", (1000, 50)), ("5:6", (5, 6))];
    for (request, expected) in cases {
        assert_eq!(tree.user(request).unwrap(), expected, "{request}");
    }
}

#[test]
fn numbers_need_no_accounts() {
    assert_eq!(Tree::empty().user("1234").unwrap(), (1234, 0));
    assert_eq!(Tree::empty().user("1234:5").unwrap(), (1234, 5));
    let tree = Tree(tempfile::tempdir().unwrap());
    assert_eq!(tree.user("0").unwrap(), (0, 0), "nor a directory for them");
}

#[test]
fn names_that_nobody_has_are_errors() {
    for tree in [Tree::with(PASSWD, GROUP), Tree::empty()] {
        let unknown = tree.user("mallory").unwrap_err();
        assert!(matches!(&unknown, Error::UnknownUser { name } if name == "mallory"), "{unknown:?}");
        let unknown = tree.user("0:wheel").unwrap_err();
        assert!(matches!(&unknown, Error::UnknownGroup { name } if name == "wheel"), "{unknown:?}");
    }
}

#[test]
fn the_first_line_of_a_name_decides_even_if_it_is_bad() {
    let tree = Tree::with("eve:x:nobody:0\neve:x:0:0::/root:\n:::\n\neve\n", "staff\nstaff:x:50:\n");
    assert!(matches!(tree.user("eve"), Err(Error::BadEntry { file: "etc/passwd", .. })));
    assert!(matches!(tree.user("0:staff"), Err(Error::BadEntry { file: "etc/group", .. })));
    let tree = Tree::with("eve:x:7:7\neve:x:0:0::/root:\n", "");
    assert_eq!(tree.user("eve").unwrap(), (7, 7));
    let tree = Tree::with("eve:x:7:wheel\n", "");
    assert!(matches!(tree.user("7"), Err(Error::BadEntry { .. })), "a group that is no number is not 0");
}

#[test]
fn lines_without_an_end_and_with_carriage_returns_are_read() {
    assert_eq!(Tree::with("a:x:1:2::/a:/bin/sh\r\nb:x:3:4", "").user("b").unwrap(), (3, 4));
    assert_eq!(Tree::with("a:x:1:2\r\nb:x:3:4", "").user("a").unwrap(), (1, 2));
}

#[test]
fn c16_ids_that_do_not_fit_are_errors_and_never_0() {
    let tree = Tree::with(PASSWD, GROUP);
    for number in ["4294967296", "4294967295", "18446744073709551616", "99999999999999999999999"] {
        assert!(matches!(tree.user(number), Err(Error::OutOfRange { .. })), "{number}");
        assert!(matches!(tree.user(&format!("0:{number}")), Err(Error::OutOfRange { .. })), "0:{number}");
    }
    for request in ["-1", "+1", "0:-1", "alice:+0"] {
        assert!(matches!(tree.user(request), Err(Error::Malformed { .. })), "{request}");
    }
    assert_eq!(tree.user("2147483648:0").unwrap(), (2_147_483_648, 0));
    assert_eq!(tree.user("4294967294:4294967294").unwrap(), (u32::MAX - 1, u32::MAX - 1));
}

#[test]
fn c16_the_specs_ids_are_checked_too() {
    let refused = |user: UserBuilder, expected: &str| match plan(&process(user.build().unwrap())) {
        Err(Error::ReservedId { field }) => assert_eq!(field, expected),
        other => panic!("{other:?}"),
    };
    refused(UserBuilder::default().uid(u32::MAX), "process.user.uid");
    refused(UserBuilder::default().gid(u32::MAX), "process.user.gid");
    refused(UserBuilder::default().additional_gids([1, u32::MAX]), "process.user.additionalGids");
}

#[test]
fn c17_digits_are_never_a_name() {
    let passwd = "4294967296:x:0:0::/:/bin/sh\n-1:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\n";
    let tree = Tree::with(passwd, "4294967296:x:0:\n77:x:0:\n");
    assert!(matches!(tree.user("4294967296"), Err(Error::OutOfRange { .. })));
    assert!(matches!(tree.user("1:4294967296"), Err(Error::OutOfRange { .. })));
    assert!(matches!(tree.user("-1"), Err(Error::Malformed { .. })));
    assert_eq!(tree.user("1000:77").unwrap(), (1000, 77));
    let tree = Tree::with("eve:x:4294967296:0\nzero:x:4294967295:0\n", "");
    assert!(matches!(tree.user("eve"), Err(Error::BadEntry { .. })));
    assert!(matches!(tree.user("zero"), Err(Error::BadEntry { .. })));
}

#[test]
fn c18_every_number_is_read_as_itself() {
    let tree = Tree::empty();
    for number in [0, 1, 9, 10, 65_535] {
        assert_eq!(tree.user(&number.to_string()).unwrap(), (number, 0));
        assert_eq!(tree.user(&format!("{number}:{number}")).unwrap(), (number, number));
    }
}

#[test]
fn requests_that_are_none_are_refused() {
    for request in ["", ":", "alice:", ":staff", "a:b:c", "a\nb", "alice:\0", "\u{9b}x"] {
        assert!(matches!(request.parse::<UserRequest>(), Err(Error::Malformed { .. })), "{request:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_written_as_it_is_read(text in "[a-z0-9_.@$-]{1,8}(:[a-z0-9_]{1,8})?") {
        if let Ok(request) = text.parse::<UserRequest>() {
            prop_assert_eq!(request.to_string().parse::<UserRequest>().unwrap(), request);
        }
    }

    #[test]
    fn no_accounts_make_the_search_fail_otherwise_than_by_name(passwd in prop::collection::vec(any::<u8>(), 0..512)) {
        let tree = Tree::empty();
        fs::write(tree.path("etc/passwd"), passwd).unwrap();
        let refused = tree.user("mallory:0");
        prop_assert!(matches!(refused, Err(Error::UnknownUser { .. })), "{refused:?}");
    }
}

/// Asks a tree whose file of groups is wrong, quickly or not at all.
fn refused(make: impl FnOnce(&Path)) -> Error {
    let tree = Tree::with(PASSWD, "");
    fs::remove_file(tree.path("etc/group")).unwrap();
    make(&tree.path("etc/group"));
    let begun = Instant::now();
    let error = tree.user("alice:staff").unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    error
}

#[test]
fn c20_files_that_are_not_regular_are_refused_unopened() {
    let node = |path: &Path, kind, device| rustix::fs::mknodat(CWD, path, kind, Mode::RUSR, device).unwrap();
    let zero = rustix::fs::makedev(1, 5);
    let refusals = [
        refused(|path| node(path, FileType::Fifo, 0)),
        refused(|path| node(path, FileType::CharacterDevice, zero)),
        refused(|path| symlink("/dev/zero", path).unwrap()),
        refused(|path| symlink("passwd", path).unwrap()),
        refused(|path| fs::create_dir(path).unwrap()),
    ];
    for error in refusals {
        assert!(matches!(error, Error::NotRegular { file: "etc/group" }), "{error:?}");
    }
}

#[test]
fn c20_large_files_are_refused_unread() {
    let sparse = refused(|path| File::create(path).unwrap().set_len(4 << 30).unwrap());
    assert!(matches!(sparse, Error::TooLarge { file: "etc/group" }), "{sparse:?}");
    let members = refused(|path| {
        let mut file = File::create(path).unwrap();
        file.write_all(b"staff:x:50:").unwrap();
        file.write_all("u,".repeat(1_000_000).as_bytes()).unwrap();
    });
    assert!(matches!(members, Error::TooLarge { .. }), "{members:?}");
}

#[test]
fn c20_directories_lead_nowhere_outside_the_root() {
    let outside = Tree::with("mallory:x:0:0::/:\n", "");
    let tree = Tree(tempfile::tempdir().unwrap());
    symlink(outside.path("etc"), tree.path("etc")).unwrap();
    assert!(matches!(tree.user("mallory"), Err(Error::UnknownUser { .. })));
    let tree = Tree(tempfile::tempdir().unwrap());
    symlink("/proc/self/cwd", tree.path("etc")).unwrap();
    assert!(matches!(tree.user("mallory"), Err(Error::UnknownUser { .. })));
}

#[test]
fn c20_bad_accounts_stop_no_process_that_does_not_need_them() {
    let tree = Tree::empty();
    fs::create_dir(tree.path("etc/passwd")).unwrap();
    let (identity, home) = tree.plan(&process(User::default()), None).unwrap();
    assert_eq!((identity.uid, home), (0, None));
    assert_eq!(tree.user("7:7").unwrap(), (7, 7));
    assert!(matches!(tree.user("7"), Err(Error::NotRegular { .. })), "the group of 7 is in there");
}

#[test]
fn a_home_is_looked_for_only_where_the_environment_has_none() {
    let tree = Tree::with(PASSWD, GROUP);
    let mut process = process(UserBuilder::default().uid(1000_u32).build().unwrap());
    assert_eq!(tree.plan(&process, None).unwrap().1, Some(PathBuf::from("/home/alice")));
    process.set_env(Some(vec!["HOME=/elsewhere".to_owned()]));
    for request in [None, Some("alice")] {
        assert_eq!(tree.plan(&process, request).unwrap().1, None);
    }
}

fn granting(sets: LinuxCapabilitiesBuilder) -> Result<CapabilitySets, Error> {
    let sets: LinuxCapabilities = sets.build().unwrap();
    let mut process = process(User::default());
    process.set_capabilities(Some(sets));
    plan(&process).map(|identity| identity.capabilities)
}

fn set<const N: usize>(capabilities: [Capability; N]) -> HashSet<Capability> {
    HashSet::from(capabilities)
}

/// A builder whose five sets are empty, which the crate's own default is not.
fn nothing() -> LinuxCapabilitiesBuilder {
    let sets = LinuxCapabilitiesBuilder::default().bounding(set([])).effective(set([]));
    sets.permitted(set([])).inheritable(set([])).ambient(set([]))
}

#[test]
fn c15_nothing_is_inheritable_unless_the_spec_says_so() {
    let given = set([Capability::Chown, Capability::SysAdmin]);
    let sets = || nothing().bounding(given.clone()).effective(given.clone()).permitted(given.clone());
    let planned = granting(sets()).unwrap();
    let bits = 1 | 1 << 21;
    assert_eq!((planned.bounding, planned.effective, planned.permitted), (bits, bits, bits));
    assert_eq!((planned.inheritable, planned.ambient), (0, 0));
    assert_eq!(granting(sets().inheritable(set([Capability::Chown]))).unwrap().inheritable, 1);
}

#[test]
fn a_process_without_capabilities_has_none() {
    let mut process = process(User::default());
    process.set_capabilities(None);
    assert_eq!(plan(&process).unwrap().capabilities, CapabilitySets::default());
}

#[test]
fn capabilities_that_cannot_be_had_are_refused_or_left_out() {
    let two = [Capability::Chown, Capability::Kill];
    let beyond = granting(nothing().effective(set(two)).permitted(set([Capability::Kill])));
    assert!(matches!(&beyond, Err(Error::NotPermitted { names }) if names == "CAP_CHOWN"), "{beyond:?}");
    let ambient = nothing().permitted(set(two)).inheritable(set([Capability::Kill])).ambient(set(two));
    assert_eq!(granting(ambient).unwrap().ambient, CapabilitySets::bit(Capability::Kill));
}

#[test]
fn a_capability_that_nobody_knows_is_refused_when_the_spec_is_read() {
    let read = |name: &str| serde_json::from_str::<LinuxCapabilities>(&format!(r#"{{"bounding": ["{name}"]}}"#));
    assert!(read("CAP_KILL").is_ok());
    let refused = read("CAP_FLY").unwrap_err();
    assert!(refused.is_data() && refused.to_string().contains("FLY"), "{refused}");
}

#[test]
fn capabilities_have_the_kernels_numbers() {
    let numbers = [
        (Capability::Chown, 0),
        (Capability::Setpcap, 8),
        (Capability::SysAdmin, 21),
        (Capability::AuditWrite, 29),
        (Capability::Setfcap, 31),
        (Capability::CheckpointRestore, 40),
    ];
    for (capability, number) in numbers {
        assert_eq!(CapabilitySets::bit(capability), 1 << number, "{capability}");
    }
}

fn limits(limits: Vec<PosixRlimit>) -> Result<Vec<(u32, u64, u64)>, Error> {
    let mut process = process(User::default());
    process.set_rlimits(Some(limits));
    plan(&process).map(|identity| identity.rlimits)
}

fn limit(resource: PosixRlimitType, soft: u64, hard: u64) -> PosixRlimit {
    PosixRlimitBuilder::default().typ(resource).soft(soft).hard(hard).build().unwrap()
}

#[test]
fn limits_have_the_kernels_numbers() {
    use nix::libc;
    let planned = limits(vec![
        limit(PosixRlimitType::RlimitNofile, 1024, 4096),
        limit(PosixRlimitType::RlimitMemlock, 0, u64::MAX),
        limit(PosixRlimitType::RlimitRttime, 1, 1),
    ]);
    let numbers = [libc::RLIMIT_NOFILE, libc::RLIMIT_MEMLOCK, libc::RLIMIT_RTTIME];
    assert_eq!(planned.unwrap(), [(numbers[0], 1024, 4096), (numbers[1], 0, u64::MAX), (numbers[2], 1, 1)]);
}

#[test]
fn limits_that_contradict_are_refused() {
    let twice = limits(vec![limit(PosixRlimitType::RlimitCore, 0, 0), limit(PosixRlimitType::RlimitCore, 0, 1)]);
    assert!(matches!(&twice, Err(Error::RepeatedLimit { name }) if name == "RLIMIT_CORE"), "{twice:?}");
    let over = limits(vec![limit(PosixRlimitType::RlimitCore, 2, 1)]);
    assert!(matches!(over, Err(Error::SoftOverHard { .. })), "{over:?}");
}

#[test]
fn umask_and_no_new_privileges_are_the_specs_or_the_usual() {
    let mut usual = process(User::default());
    usual.set_no_new_privileges(None);
    let identity = plan(&usual).unwrap();
    assert_eq!((identity.umask, identity.no_new_privileges), (0o022, false));
    let mut process = process(UserBuilder::default().umask(0o077_u32).build().unwrap());
    process.set_no_new_privileges(Some(true));
    let identity = plan(&process).unwrap();
    assert_eq!((identity.umask, identity.no_new_privileges), (0o077, true));
    process.user_mut().set_umask(Some(0o1000));
    assert!(matches!(plan(&process), Err(Error::Umask { umask: 0o1000 })));
}
