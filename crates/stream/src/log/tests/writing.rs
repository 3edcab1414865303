//! What a writer keeps, in what order, how much of it, and what it does without room.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

#[test]
fn bytes_are_kept_in_the_order_in_which_they_were_taken_with_whose_they_are() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(1 << 20));
    for (channel, bytes) in [(Channel::Stdout, "a"), (Channel::Stderr, "b"), (Channel::Stdout, "c")] {
        bench.keep(&mut writer, channel, bytes.as_bytes());
    }
    let (out, err) = (Channel::Stdout, Channel::Stderr);
    assert_eq!(bench.told().bytes, [(out, b'a'), (err, b'b'), (out, b'c')]);
    assert_eq!(writer.offset(), 3);
}

#[test]
fn an_empty_source_and_an_ended_one_are_told_apart() {
    let mut bench = Bench::new();
    let mut writer = bench.writer(all(1 << 20));
    let [(source, sink), _] = &bench.pipes;
    assert_eq!(writer.take(Channel::Stdout, source, 9).unwrap(), Taken::SourceEmpty);
    rustix::io::write(sink, b"last").unwrap();
    let (other, _) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let [(source, sink), _] = &mut bench.pipes;
    drop(std::mem::replace(sink, other));
    assert_eq!(writer.take(Channel::Stdout, source, 9).unwrap(), Taken::Moved(4));
    assert_eq!(writer.take(Channel::Stdout, source, 9).unwrap(), Taken::SourceEnded);
}

#[test]
fn no_segment_is_longer_than_its_limit_and_only_the_newest_are_kept() {
    let bench = Bench::new();
    let mut writer = bench.writer(newest(100, 3));
    let text: Vec<u8> = (0..=255).cycle().take(1050).collect();
    bench.keep(&mut writer, Channel::Stdout, &text);
    let told = bench.told();
    assert_eq!((told.from, told.segments), (800, 3));
    assert_eq!(told.of(Channel::Stdout), text[800..]);
    assert_eq!((writer.offset(), told.holes), (1050, vec![]));
}

#[test]
fn an_end_is_written_once_and_undone_by_bytes_that_come_later() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(1 << 20));
    writer.end(Channel::Stderr, Why::Closed).unwrap();
    writer.end(Channel::Stderr, Why::Broken).unwrap();
    assert_eq!(bench.told().ends, [(Channel::Stderr, Why::Closed)]);
    assert!(writer.ended(Channel::Stderr) && bench.successor(all(1 << 20)).ended(Channel::Stderr));
    bench.keep(&mut writer, Channel::Stderr, b"again");
    assert!(!writer.ended(Channel::Stderr) && !bench.successor(all(1 << 20)).ended(Channel::Stderr));
}

#[test]
fn the_next_run_goes_on_where_the_last_one_stopped() {
    let bench = Bench::new();
    let mut first = bench.writer(all(10));
    bench.keep(&mut first, Channel::Stdout, b"first run, ");
    BOTH.iter().for_each(|&channel| first.end(channel, Why::Drained).unwrap());
    drop(first);
    let mut second = bench.writer(all(10));
    assert!(BOTH.iter().all(|&channel| !second.ended(channel)));
    bench.keep(&mut second, Channel::Stdout, b"second run");
    assert_eq!(bench.told().of(Channel::Stdout), b"first run, second run");
}

#[test]
fn files_are_ours_alone() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(1));
    bench.keep(&mut writer, Channel::Stdout, b"xyz");
    let modes = fs::read_dir(bench.scratch.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().mode_bits());
    assert_eq!(modes.collect::<Vec<_>>(), [0o600; 6]);
}

trait ModeBits {
    fn mode_bits(&self) -> u32;
}

impl ModeBits for fs::Metadata {
    fn mode_bits(&self) -> u32 {
        self.permissions().mode() & 0o7777
    }
}

#[test]
fn a_torn_index_is_cut_off_and_said() {
    for torn in [&[0; 40][..], &[0; 32], b"half a record"] {
        let bench = Bench::new();
        let mut writer = bench.writer(all(1 << 20));
        bench.keep(&mut writer, Channel::Stdout, b"before ");
        drop(writer);
        let index = bench.scratch.path().join(directory::index(0));
        let whole = fs::read(&index).unwrap();
        fs::write(&index, [&whole, torn].concat()).unwrap();
        let mut writer = bench.successor(all(1 << 20));
        assert_eq!(writer.repaired().unwrap().cut, torn.len() as u64);
        bench.keep(&mut writer, Channel::Stderr, b"after");
        assert_eq!(bench.told().of(Channel::Stdout), b"before ");
        assert_eq!(bench.told().of(Channel::Stderr), b"after");
        assert_eq!(bench.successor(all(1 << 20)).repaired(), None);
    }
}

#[test]
fn an_index_without_a_head_is_left_and_the_log_goes_on_behind_it() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(1 << 20));
    bench.keep(&mut writer, Channel::Stdout, b"before");
    fs::write(bench.scratch.path().join(directory::index(0)), [0; 64]).unwrap();
    let mut writer = bench.successor(all(1 << 20));
    assert!(writer.repaired().unwrap().unreadable);
    assert_eq!(writer.offset(), 6);
    bench.keep(&mut writer, Channel::Stdout, b"after");
    assert_eq!(bench.successor(all(1 << 20)).offset(), 11);
}

#[test]
fn data_that_a_power_cut_took_are_not_believed_to_be_there() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(1 << 20));
    bench.keep(&mut writer, Channel::Stdout, b"written");
    bench.keep(&mut writer, Channel::Stderr, b"gone");
    fs::write(bench.scratch.path().join(directory::data(0)), b"writ").unwrap();
    let mut writer = bench.successor(all(1 << 20));
    bench.keep(&mut writer, Channel::Stdout, b" on");
    assert_eq!(bench.told().of(Channel::Stdout), b"writ on");
    assert_eq!(bench.told().of(Channel::Stderr), b"");
}

#[test]
fn foreign_files_are_let_be() {
    let bench = Bench::new();
    let names = ["notes.txt", "1.data", "0000000000000000000x.index", "00000000000000000001.data.old"];
    names.iter().for_each(|name| fs::write(bench.scratch.path().join(name), name).unwrap());
    let mut writer = bench.writer(newest(1, 1));
    bench.keep(&mut writer, Channel::Stdout, b"many segments");
    assert_eq!(bench.told().of(Channel::Stdout), b"s");
    names.iter().for_each(|name| assert_eq!(fs::read_to_string(bench.scratch.path().join(name)).unwrap(), *name));
}

#[test]
fn an_index_full_of_records_ends_its_segment() {
    let bench = Bench::new();
    let mut writer = bench.writer(newest(1000, 2));
    for _ in 0..3000 {
        bench.keep(&mut writer, Channel::Stdout, b"o");
        bench.keep(&mut writer, Channel::Stderr, b"e");
    }
    let of = |file: fs::DirEntry| file.metadata().unwrap().len();
    let longest = fs::read_dir(bench.scratch.path()).unwrap().map(|file| of(file.unwrap())).max();
    assert!(longest < Some(66 << 10), "{longest:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_is_taken_is_there_in_order_whatever_the_limits(
        turns in prop::collection::vec((any::<bool>(), 1..200usize, any::<bool>()), 1..40),
        segment in 10..300u64,
    ) {
        let bench = Bench::new();
        let mut writer = bench.writer(all(segment));
        let mut model = Vec::new();
        for (number, (is_stdout, length, dies)) in turns.into_iter().enumerate() {
            let channel = if is_stdout { Channel::Stdout } else { Channel::Stderr };
            let byte = u8::try_from(number).unwrap();
            bench.keep(&mut writer, channel, &vec![byte; length]);
            model.extend(std::iter::repeat_n((channel, byte), length));
            if dies {
                writer = bench.successor(all(segment));
            }
        }
        let told = bench.told();
        prop_assert_eq!(told.bytes, model);
        prop_assert_eq!(told.holes, vec![]);
    }
}
