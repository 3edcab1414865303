//! Writers that die before any of their system calls, and disks that fail at any of them.

use rustix::io::Errno;

use super::super::disk::faults;
use super::*;

/// What a process does: it writes to a channel, or closes it.
const SCRIPT: [(Channel, &[u8]); 9] = [
    (Channel::Stdout, b"one "),
    (Channel::Stderr, b"two "),
    (Channel::Stderr, b"three "),
    (Channel::Stdout, b"a text that goes over more than one segment "),
    (Channel::Stderr, b"four "),
    (Channel::Stderr, b""),
    (Channel::Stdout, b"five "),
    (Channel::Stdout, b"six"),
    (Channel::Stdout, b""),
];

fn model() -> Vec<(Channel, u8)> {
    SCRIPT.iter().flat_map(|&(channel, bytes)| bytes.iter().map(move |&byte| (channel, byte))).collect()
}

/// Takes everything that is in a channel's pipe, and ends it; the errors are those of the dead.
fn act(bench: &Bench, writer: &mut Writer, channel: Channel, closes: bool) {
    let source = &bench.pipes[channel as usize].0;
    while matches!(writer.take(channel, source, 1 << 20), Ok(Taken::Moved(_))) {}
    let _ = writer.commit();
    if closes {
        let _ = writer.end(channel, Why::Closed);
    }
}

/// Plays the script with a writer that dies before its call number `death`; tells whether it came to that.
fn play(bench: &Bench, limits: Limits, death: u64) -> bool {
    faults::kill(death);
    let mut writer = bench.writer(limits);
    let mut died = false;
    for (channel, bytes) in SCRIPT {
        bench.say(channel, bytes);
        act(bench, &mut writer, channel, bytes.is_empty());
        if !died && faults::passed() > death {
            died = true;
            faults::heal();
            writer = bench.successor(limits);
            act(bench, &mut writer, channel, bytes.is_empty());
        }
    }
    faults::heal();
    died
}

#[test]
fn a_writer_killed_at_any_step_loses_and_doubles_nothing() {
    for limits in [all(16), all(1 << 20), newest(16, 100)] {
        let mut death = 0;
        loop {
            let bench = Bench::new();
            let died = play(&bench, limits, death);
            let told = bench.told();
            assert_eq!(told.bytes, model(), "killed before call {death}");
            assert_eq!(told.holes, [], "killed before call {death}");
            assert_eq!(told.ends, [(Channel::Stderr, Why::Closed), (Channel::Stdout, Why::Closed)]);
            if !died {
                break;
            }
            death += 1;
        }
        assert!(death > 20, "the script has {death} calls");
    }
}

#[test]
fn a_disk_that_fails_at_any_call_costs_no_byte_where_none_may_be_lost() {
    for failing in 0.. {
        let bench = Bench::new();
        faults::fail(failing, failing + 1, Errno::NOSPC);
        let mut writer = bench.writer(all(16));
        for (channel, bytes) in SCRIPT {
            bench.say(channel, bytes);
            while bench.take(&mut writer, channel).contains(&Taken::NoRoom) {
                writer.try_now();
            }
            let _ = writer.commit();
        }
        let told = bench.told();
        assert_eq!((told.bytes, told.holes), (model(), vec![]), "call {failing} fails");
        if faults::heal() < failing {
            break;
        }
    }
}

#[test]
fn a_disk_that_fails_at_any_call_holds_nobody_up_where_bytes_may_be_lost() {
    for failing in 0.. {
        let bench = Bench::new();
        faults::fail(failing, failing + 4, Errno::ROFS);
        let mut writer = bench.writer(newest(16, 100));
        for (channel, bytes) in SCRIPT {
            bench.say(channel, bytes);
            for _ in 0..3 {
                assert!(!bench.take(&mut writer, channel).contains(&Taken::NoRoom), "call {failing} fails");
                writer.try_now();
            }
            let _ = writer.commit();
        }
        let calls = faults::heal();
        bench.keep(&mut writer, Channel::Stdout, b"!");
        let told = bench.told();
        let missing: u64 = told.holes.iter().map(|(from, to)| to - from).sum();
        assert_eq!(told.from + told.bytes.len() as u64 + missing, writer.offset(), "call {failing} fails");
        assert_eq!(writer.offset(), model().len() as u64 + 1, "call {failing} fails");
        assert_eq!(told.bytes.last(), Some(&(Channel::Stdout, b'!')), "call {failing} fails");
        if calls < failing {
            break;
        }
    }
}
