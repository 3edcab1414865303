//! What rules mean, by lines and by an interpreter of the few instructions that we use.

use super::*;

/// Runs a program as the kernel would.
fn allows(program: &[BpfInstruction], kind: u32, access: u32, major: u32, minor: u32) -> bool {
    let context = [access << 16 | kind, major, minor];
    let mut registers = [0_u64; 11];
    let mut at = 0;
    loop {
        let instruction = program[at];
        let to = usize::from(instruction.registers & 15);
        let from = usize::from(instruction.registers >> 4);
        let value = instruction.immediate as u64;
        let jump = match instruction.code {
            0x61 => {
                registers[to] = u64::from(context[instruction.offset as usize / 4]);
                false
            }
            0x57 => {
                registers[to] &= value;
                false
            }
            0x77 => {
                registers[to] >>= value;
                false
            }
            0xb7 => {
                registers[to] = value;
                false
            }
            0xbf => {
                registers[to] = registers[from];
                false
            }
            0x55 => registers[to] != value,
            0x15 => registers[to] == value,
            0x45 => registers[to] & value != 0,
            0x95 => return registers[0] != 0,
            code => panic!("unknown instruction {code:#x}"),
        };
        at += 1;
        if jump {
            at += instruction.offset as usize;
        }
    }
}

fn parse(json: &str) -> Result<Vec<Rule>, Error> {
    rules(&serde_json::from_str::<Vec<LinuxDeviceCgroup>>(json).unwrap())
}

const BLOCK: u32 = 1;
const CHARACTER: u32 = 2;

#[test]
fn without_rules_only_the_default_devices_open() {
    let program = assemble(&parse("[]").unwrap());
    assert!(allows(&program, CHARACTER, READ | WRITE, 1, 3));
    assert!(allows(&program, CHARACTER, READ | WRITE, 136, 77));
    assert!(!allows(&program, CHARACTER, READ, 1, 1));
    assert!(!allows(&program, BLOCK, READ, 8, 0));
    assert!(allows(&program, BLOCK, MKNOD, 8, 0));
    assert!(!allows(&program, BLOCK, MKNOD | READ, 8, 0));
}

#[test]
fn a_later_rule_of_the_spec_wins() {
    let program = assemble(
        &parse(r#"[{"allow":true,"type":"b","major":8,"access":"rw"},{"allow":false,"type":"b","major":8,"minor":1,"access":"w"}]"#).unwrap(),
    );
    assert!(allows(&program, BLOCK, READ | WRITE, 8, 0));
    assert!(allows(&program, BLOCK, READ, 8, 1));
    assert!(!allows(&program, BLOCK, READ | WRITE, 8, 1));
    assert!(!allows(&program, BLOCK, WRITE, 8, 1));
}

#[test]
fn a_privileged_spec_opens_everything() {
    let program = assemble(&parse(r#"[{"allow":true,"access":"rwm"}]"#).unwrap());
    assert!(allows(&program, BLOCK, ALL, 8, 0));
    assert!(allows(&program, CHARACTER, ALL, 1, 1));
}

#[test]
fn rules_become_the_lines_of_version_one() {
    let rules =
        parse(r#"[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]"#)
            .unwrap();
    let lines: Vec<_> = rules.iter().flat_map(Rule::lines).collect();
    assert_eq!(lines[..3], ["a", "c 10:229 rw", "c *:* m"]);
    assert_eq!(lines.last().unwrap(), "c 136:* rwm");
}

#[test]
fn nonsense_is_refused() {
    for json in [
        r#"[{"allow":true,"type":"c","access":"x"}]"#,
        r#"[{"allow":true,"type":"p","access":"r"}]"#,
        r#"[{"allow":true,"type":"c","major":4294967296,"access":"r"}]"#,
        r#"[{"allow":true,"type":"c","minor":-2,"access":"r"}]"#,
    ] {
        assert!(matches!(parse(json), Err(Error::Invalid { .. })), "{json}");
    }
}

#[test]
fn a_rule_for_both_kinds_never_becomes_everything() {
    let rules = parse(r#"[{"allow":true,"type":"a","major":8,"access":"r"}]"#).unwrap();
    assert_eq!(rules[1].lines(), ["b 8:* r", "c 8:* r"]);
}

#[test]
fn a_denial_that_version_one_would_lose_is_seen() {
    let rules = parse(r#"[{"allow":true,"type":"b","major":8,"access":"rw"},{"allow":false,"type":"b","major":8,"minor":1,"access":"w"}]"#).unwrap();
    assert!(rules[2].is_lost_after(&rules[1]));
    let exact = parse(
        r#"[{"allow":true,"type":"b","major":8,"access":"rw"},{"allow":false,"type":"b","major":8,"access":"w"}]"#,
    )
    .unwrap();
    assert!(!exact[2].is_lost_after(&exact[1]));
}
