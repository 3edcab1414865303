//! Sections written as a program: first which architecture, then a binary search over the runs of its numbers.
//!
//! Jumps go forward only, so the program is written from its end: what a jump leads to is there already and its
//! distance is known. A comparison can skip at most 255 instructions; where its goal is further away a bridge is laid
//! next to it. The kernel finds the calls that are always allowed by running such a program itself, and then skips it
//! for them.
//!
//! Keeps: `jumps_over_more_than_255_instructions_arrive`.

use oci_spec::runtime::LinuxSeccompOperator as Operator;

use super::rules::{Condition, Rule, Rules};
use super::runs::{Outcome, Run, Section};
use super::{Instruction, Verdict};

/// Load a word of the call's description.
pub(super) const LOAD: u16 = 0x20;
/// Keep the bits that the operand has.
pub(super) const AND: u16 = 0x54;
/// Skip as many instructions as the operand says.
pub(super) const JUMP: u16 = 0x05;
/// Compare with the operand: equal.
pub(super) const EQUAL: u16 = 0x15;
/// Compare with the operand: greater.
pub(super) const GREATER: u16 = 0x25;
/// Compare with the operand: greater or equal.
pub(super) const AT_LEAST: u16 = 0x35;
/// End with the operand.
pub(super) const RETURN: u16 = 0x06;

/// Where the number of the call stands in its description.
pub(super) const NUMBER: u32 = 0;
/// Where its architecture stands.
pub(super) const ARCHITECTURE: u32 = 4;
/// Where its arguments begin, eight bytes each, the lower half first.
pub(super) const ARGUMENTS: u32 = 16;

/// Writes the whole program.
pub(super) fn assemble(sections: &[Section], rules: &Rules) -> Box<[Instruction]> {
    let mut writer = Writer { backwards: Vec::new(), ends: Vec::new() };
    let mut otherwise = writer.end(Verdict::KillProcess);
    for section in sections.iter().rev() {
        let search = writer.section(section, rules);
        otherwise = writer.compare(EQUAL, section.audit, search, otherwise);
    }
    writer.put(LOAD, ARCHITECTURE);
    writer.backwards.reverse();
    writer.backwards.into_boxed_slice()
}

/// A place in the program, counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(usize);

/// A program that grows from its end to its beginning.
struct Writer {
    backwards: Vec<Instruction>,
    /// Where each verdict's return stands.
    ends: Vec<(Verdict, Place)>,
}

impl Writer {
    fn section(&mut self, section: &Section, rules: &Rules) -> Place {
        let mut written: Vec<(&Outcome, Place)> = Vec::new();
        let mut goals = Vec::with_capacity(section.runs.len());
        for Run { first, outcome } in &section.runs {
            let known = written.iter().find(|(earlier, _)| *earlier == outcome).map(|(_, place)| *place);
            let place = match known {
                Some(place) => place,
                None => {
                    let place = self.outcome(outcome, rules);
                    written.push((outcome, place));
                    place
                }
            };
            goals.push((*first, place));
        }
        let root = self.search(&goals);
        self.lead_to(root);
        self.put(LOAD, NUMBER)
    }

    /// Writes a search among runs, of which there is at least one.
    fn search(&mut self, goals: &[(u32, Place)]) -> Place {
        if let [(_, place)] = goals {
            return *place;
        }
        let (lower, upper) = goals.split_at(goals.len() / 2);
        let above = self.search(upper);
        let below = self.search(lower);
        self.compare(AT_LEAST, upper[0].0, above, below)
    }

    fn outcome(&mut self, outcome: &Outcome, rules: &Rules) -> Place {
        match outcome {
            Outcome::Always(verdict) => self.end(*verdict),
            Outcome::Depends { rules: places, narrow } => {
                let otherwise = self.end(rules.default);
                places
                    .iter()
                    .rev()
                    .fold(otherwise, |otherwise, place| self.rule(&rules.rules[*place], *narrow, otherwise))
            }
        }
    }

    fn rule(&mut self, rule: &Rule, narrow: u8, otherwise: Place) -> Place {
        let holds = self.end(rule.verdict);
        rule.alternatives.iter().rev().fold(otherwise, |otherwise, conditions| {
            conditions.iter().rev().fold(holds, |holds, condition| {
                if narrow & (1 << condition.argument) == 0 {
                    self.wide(condition, holds, otherwise)
                } else {
                    self.narrow(condition, holds, otherwise)
                }
            })
        })
    }

    /// Compares the lower half of an argument.
    fn narrow(&mut self, condition: &Condition, holds: Place, fails: Place) -> Place {
        let (operator, holds, fails) = positive(condition.operator, holds, fails);
        self.half(condition, 0, operator, holds, fails)
    }

    /// Compares both halves of an argument, the upper one first.
    fn wide(&mut self, condition: &Condition, holds: Place, fails: Place) -> Place {
        let (operator, holds, fails) = positive(condition.operator, holds, fails);
        let lower = self.half(condition, 0, operator, holds, fails);
        if operator == EQUAL {
            return self.half(condition, 1, EQUAL, lower, fails);
        }
        let upper = (condition.value >> 32) as u32;
        let level = self.compare(EQUAL, upper, lower, fails);
        self.half(condition, 1, GREATER, holds, level)
    }

    /// Loads half 0 (lower) or 1 (upper) of an argument and compares it.
    fn half(&mut self, condition: &Condition, half: u32, operator: u16, holds: Place, fails: Place) -> Place {
        let part = |number: u64| (number >> (32 * half)) as u32;
        let place = self.compare(operator, part(condition.value), holds, fails);
        self.lead_to(place);
        if condition.operator == Operator::ScmpCmpMaskedEq {
            self.put(AND, part(condition.mask));
        }
        self.put(LOAD, ARGUMENTS + 8 * u32::from(condition.argument) + 4 * half)
    }

    /// Gives the place of a return with this verdict.
    fn end(&mut self, verdict: Verdict) -> Place {
        if let Some((_, place)) = self.ends.iter().find(|(known, _)| *known == verdict) {
            return *place;
        }
        let place = self.put(RETURN, verdict.to_raw());
        self.ends.push((verdict, place));
        place
    }

    fn compare(&mut self, code: u16, k: u32, holds: Place, fails: Place) -> Place {
        // The bridge for `holds` may push the other goal away by one.
        let fails = self.near(fails, 1);
        let holds = self.near(holds, 0);
        let (jt, jf) = (self.distance(holds) as u8, self.distance(fails) as u8);
        self.push(Instruction { code, jt, jf, k })
    }

    /// Gives a place that a comparison written next, or after `more` instructions, can reach and that leads to the
    /// goal.
    fn near(&mut self, goal: Place, more: usize) -> Place {
        let distance = self.distance(goal);
        if distance + more <= usize::from(u8::MAX) {
            return goal;
        }
        let there = self.backwards[goal.0];
        if there.code == RETURN { self.push(there) } else { self.put(JUMP, distance as u32) }
    }

    /// Makes what is written next run on into a place.
    fn lead_to(&mut self, goal: Place) {
        let distance = self.distance(goal);
        if distance > 0 {
            self.put(JUMP, distance as u32);
        }
    }

    /// How many instructions the one that is written next must skip to get to a place.
    fn distance(&self, goal: Place) -> usize {
        self.backwards.len() - goal.0 - 1
    }

    fn put(&mut self, code: u16, k: u32) -> Place {
        self.push(Instruction { code, jt: 0, jf: 0, k })
    }

    fn push(&mut self, instruction: Instruction) -> Place {
        self.backwards.push(instruction);
        Place(self.backwards.len() - 1)
    }
}

/// Turns an operator that has no instruction into the opposite of one that has.
fn positive(operator: Operator, holds: Place, fails: Place) -> (u16, Place, Place) {
    match operator {
        Operator::ScmpCmpEq | Operator::ScmpCmpMaskedEq => (EQUAL, holds, fails),
        Operator::ScmpCmpGt => (GREATER, holds, fails),
        Operator::ScmpCmpGe => (AT_LEAST, holds, fails),
        Operator::ScmpCmpNe => (EQUAL, fails, holds),
        Operator::ScmpCmpLe => (GREATER, fails, holds),
        Operator::ScmpCmpLt => (AT_LEAST, fails, holds),
    }
}
