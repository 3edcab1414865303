//! C-15 and C-18: capabilities and users are exactly those that were asked for, in init and in execs.

use std::fs;

use libcontainerd_tests::lctr::lctr;
use libcontainerd_tests::rootfs;
use libcontainerd_tests::scratch::Scratch;
use serde_json::{Value, json};

use crate::cell::{Cell, run};

/// Capabilities that the specs choose from, with the kernel's numbers.
const CHOICE: [(&str, u32); 8] = [
    ("CAP_CHOWN", 0),
    ("CAP_DAC_OVERRIDE", 1),
    ("CAP_FOWNER", 3),
    ("CAP_KILL", 5),
    ("CAP_SETUID", 7),
    ("CAP_NET_BIND_SERVICE", 10),
    ("CAP_SYS_ADMIN", 21),
    ("CAP_MKNOD", 27),
];

/// Five sets of capabilities, as bits of [`CHOICE`], and whose they are.
#[derive(Debug, Clone, Copy)]
struct Asked {
    uid: u32,
    no_new_privileges: bool,
    bounding: u8,
    permitted: u8,
    effective: u8,
    inheritable: u8,
    ambient: u8,
}

impl Asked {
    /// One of many, every kind of overlap among them; what no kernel would set is not asked for.
    fn number(number: u32) -> Self {
        let mut bits = number.wrapping_mul(0x9E37_79B9) ^ 0x5bd1_e995;
        let mut some = || {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (bits >> 16) as u8
        };
        let bounding = some() | some();
        let permitted = bounding & (some() | some());
        let (effective, inheritable) = (permitted & some(), bounding & some());
        let inheritable = if number.is_multiple_of(4) { 0 } else { inheritable };
        let ambient = permitted & inheritable & some();
        let uid = if number.is_multiple_of(2) { 0 } else { 1000 };
        Asked {
            uid,
            no_new_privileges: !number.is_multiple_of(3),
            bounding,
            permitted,
            effective,
            inheritable,
            ambient,
        }
    }

    /// The spec of a program that has been asked to run with them.
    fn spec(self, mut spec: Value) -> Value {
        let named = |bits: u8| {
            let chosen = CHOICE.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
            chosen.map(|(_, (name, _))| *name).collect::<Vec<_>>()
        };
        spec["root"] = json!({"path": rootfs::busybox(), "readonly": true});
        spec["process"]["user"] = json!({"uid": self.uid, "gid": self.uid});
        spec["process"]["noNewPrivileges"] = json!(self.no_new_privileges);
        spec["process"]["capabilities"] = json!({
            "bounding": named(self.bounding), "permitted": named(self.permitted), "effective": named(self.effective),
            "inheritable": named(self.inheritable), "ambient": named(self.ambient)});
        spec
    }

    /// What the kernel then makes of them as the program is executed, by capabilities(7).
    fn expected(self) -> [(&'static str, u64); 5] {
        let root = if self.no_new_privileges {
            (self.inheritable | self.bounding) & self.permitted
        } else {
            self.inheritable | self.bounding
        };
        let has = if self.uid == 0 { root } else { self.ambient };
        let sets = [self.inheritable, has, has, self.bounding, self.ambient].map(mask);
        let names = ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"];
        std::array::from_fn(|at| (names[at], sets[at]))
    }
}

fn mask(bits: u8) -> u64 {
    CHOICE.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, (_, number))| 1 << number).sum()
}

/// A set in the text of /proc/PID/status.
fn set(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells all five");
    u64::from_str_radix(line.trim(), 16).unwrap()
}

#[test]
fn c15_init_and_exec_have_exactly_the_capabilities_of_twenty_specs() {
    let scratch = Scratch::new();
    let spec = lctr(&scratch, ["spec", "--", "sleep", "1000"]).code(0).json();
    for number in 0..20 {
        let asked = Asked::number(number);
        let bundle = scratch.place(&format!("bundle-{number}"));
        fs::create_dir(&bundle).unwrap();
        fs::write(bundle.join("config.json"), asked.spec(spec.clone()).to_string()).unwrap();
        let name = format!("spec-{number}");
        lctr(&scratch, ["run", "-d", "--name", &name, "--bundle", bundle.to_str().unwrap()]).quietly().code(0);
        let pid = lctr(&scratch, ["inspect", &name]).json()[0]["pid"].as_u64().unwrap();
        let init = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let exec = lctr(&scratch, ["exec", &name, "cat", "/proc/self/status"]).quietly().code(0);
        for (set_name, wanted) in asked.expected() {
            assert_eq!(set(&init, set_name), wanted, "{set_name} of init, {asked:?}");
            assert_eq!(set(exec.text(), set_name), wanted, "{set_name} of exec, {asked:?}");
        }
        lctr(&scratch, ["rm", "-f", &name]).quietly().code(0);
    }
}

#[test]
fn c15_a_user_who_is_not_root_inherits_nothing_in_run_and_exec() {
    let cell = Cell::asleep();
    let program = ["cat", "/proc/self/status"];
    let ran = [run(&cell.scratch, &["--rm", "-u", "1000"], &program), cell.exec(&["-u", "1000"], &program)];
    for status in ran {
        for name in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(set(status.text(), name), 0, "{name} {status:?}");
        }
    }
}

#[test]
fn c18_a_number_is_the_same_user_in_run_and_exec() {
    let cell = Cell::asleep();
    for number in ["0", "1", "9", "10", "65535"] {
        let wanted = format!("{number}\n");
        run(&cell.scratch, &["--rm", "-u", number], &["id", "-u"]).quietly().stdout(&wanted).code(0);
        cell.exec(&["-u", number], &["id", "-u"]).quietly().stdout(&wanted).code(0);
        let both = format!("{number}:{number}");
        let wanted = format!("{number} {number}\n");
        let program = ["sh", "-c", "echo $(id -u) $(id -g)"];
        run(&cell.scratch, &["--rm", "-u", &both], &program).quietly().stdout(&wanted).code(0);
        cell.exec(&["-u", &both], &program).quietly().stdout(&wanted).code(0);
    }
}

#[test]
fn c16_a_number_that_does_not_fit_is_refused_in_run_and_exec() {
    let cell = Cell::asleep();
    for user in ["4294967296", "-1", "2147483648000:0", "0:4294967296", "4294967295"] {
        let flag = format!("--user={user}");
        let ran = [run(&cell.scratch, &["--rm", &flag], &["id", "-u"]), cell.exec(&[&flag], &["id", "-u"])];
        for ran in ran {
            assert_ne!(ran.exit_code(), Some(0), "{user}: {ran:?}");
            assert_eq!(ran.text(), "", "{user}");
        }
    }
}
