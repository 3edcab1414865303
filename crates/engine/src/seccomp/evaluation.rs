//! What a program answers, found without the kernel: an interpreter for the few instructions that programs consist of.
//!
//! It is how tests compare a program with its profile over all calls, which loaded programs do not survive being asked.

use super::assembly::{AND, ARCHITECTURE, ARGUMENTS, AT_LEAST, EQUAL, GREATER, JUMP, LOAD, NUMBER, RETURN};
use super::{Instruction, Program, Verdict};

/// Runs a program on one call: its architecture (`AUDIT_ARCH_*`), number and arguments.
pub fn evaluate(program: &Program, architecture: u32, number: u32, arguments: [u64; 6]) -> Verdict {
    let mut accumulator = 0;
    let mut next = 0;
    // What cannot be read is what the kernel refuses to load.
    while let Some(Instruction { code, jt, jf, k }) = program.get(next).copied() {
        let skip = |holds: bool| usize::from(if holds { jt } else { jf });
        next += 1;
        match code {
            LOAD => accumulator = word(architecture, number, arguments, k),
            AND => accumulator &= k,
            JUMP => next += k as usize,
            EQUAL => next += skip(accumulator == k),
            GREATER => next += skip(accumulator > k),
            AT_LEAST => next += skip(accumulator >= k),
            RETURN => return Verdict::from_raw(k),
            _ => break,
        }
    }
    Verdict::KillProcess
}

fn word(architecture: u32, number: u32, arguments: [u64; 6], offset: u32) -> u32 {
    match offset {
        NUMBER => number,
        ARCHITECTURE => architecture,
        _ => {
            let half = offset.saturating_sub(ARGUMENTS) as usize / 4;
            arguments.get(half / 2).map_or(0, |argument| (argument >> (32 * (half % 2))) as u32)
        }
    }
}
