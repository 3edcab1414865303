//! What readers find: the same as the oracle, from wherever they begin, whatever is removed meanwhile.

use std::fs;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::super::{From, Next, Piece, Read, Reader, clear, tail, watch};
use super::*;
use crate::drain::is_readable;

impl Bench {
    fn reader(&self, from: From, follow: bool) -> Reader {
        Reader::open(self.directory(), Read { from, only: None, follow }).unwrap()
    }

    /// All bytes of one channel that a reader finds from there.
    fn found(&self, from: From, only: Option<Channel>) -> String {
        let reader = Reader::open(self.directory(), Read { from, only, follow: false }).unwrap();
        texts(&rest(reader))
    }
}

/// All that a reader finds until there is nothing now, and whether it is over.
fn look(reader: &mut Reader) -> (Vec<Piece>, bool) {
    let mut pieces = Vec::new();
    loop {
        match reader.advance().unwrap() {
            Next::Piece(piece) => pieces.push(piece),
            Next::NotYet => return (pieces, false),
            Next::Over => return (pieces, true),
        }
    }
}

fn rest(mut reader: Reader) -> Vec<Piece> {
    let (pieces, over) = look(&mut reader);
    assert!(over);
    pieces
}

fn texts(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Bytes { bytes, .. } => String::from_utf8(bytes.clone()).unwrap(),
        _ => String::new(),
    };
    pieces.iter().map(text).collect()
}

fn bytes(pieces: &[Piece]) -> Vec<(Channel, u8)> {
    let all = pieces.iter().filter_map(|piece| match piece {
        Piece::Bytes { channel, bytes, .. } => Some(bytes.iter().map(|&byte| (*channel, byte))),
        _ => None,
    });
    all.flatten().collect()
}

fn losses(pieces: &[Piece]) -> Vec<(u64, u64)> {
    let loss = |piece: &Piece| match *piece {
        Piece::Lost { from, to } => Some((from, to)),
        _ => None,
    };
    pieces.iter().filter_map(loss).collect()
}

#[test]
fn a_follower_has_everything_in_order_and_ends_with_the_last_channel() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(7));
    let mut reader = bench.reader(From::Start, true);
    assert_eq!(look(&mut reader), (vec![], false));
    bench.keep(&mut writer, Channel::Stdout, b"some words");
    assert_eq!(texts(&look(&mut reader).0), "some words");
    bench.keep(&mut writer, Channel::Stderr, b"and more");
    writer.end(Channel::Stdout, Why::Closed).unwrap();
    let (pieces, over) = look(&mut reader);
    assert!(!over && texts(&pieces) == "and more");
    assert!(matches!(pieces.last(), Some(Piece::End { channel: Channel::Stdout, why: Why::Closed, .. })));
    writer.end(Channel::Stderr, Why::Drained).unwrap();
    let (pieces, over) = look(&mut reader);
    assert!(over && matches!(pieces[..], [Piece::End { channel: Channel::Stderr, why: Why::Drained, .. }]));
}

#[test]
fn a_process_that_has_one_output_ends_with_it() {
    let bench = Bench::new();
    let mut writer = Writer::open(bench.directory(), all(100), &[Channel::Stdout]).unwrap();
    let mut reader = bench.reader(From::Start, true);
    bench.keep(&mut writer, Channel::Stdout, b"x");
    writer.end(Channel::Stdout, Why::Closed).unwrap();
    assert!(look(&mut reader).1);
}

#[test]
fn the_end_of_one_run_is_no_end_once_the_next_has_begun() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(8));
    bench.keep(&mut writer, Channel::Stdout, b"first run ");
    BOTH.iter().for_each(|&channel| writer.end(channel, Why::Closed).unwrap());
    let mut early = bench.reader(From::Start, true);
    assert!(look(&mut early).1);
    let mut writer = bench.writer(all(8));
    let mut late = bench.reader(From::Start, true);
    assert!(!look(&mut late).1);
    bench.keep(&mut writer, Channel::Stdout, b"second");
    assert_eq!(texts(&look(&mut late).0), "second");
    BOTH.iter().for_each(|&channel| writer.end(channel, Why::Closed).unwrap());
    assert!(look(&mut late).1);
}

#[test]
fn who_does_not_follow_reads_what_was_there_and_no_more() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(5));
    bench.keep(&mut writer, Channel::Stdout, b"before");
    let reader = bench.reader(From::Start, false);
    bench.keep(&mut writer, Channel::Stdout, b"after");
    assert_eq!(texts(&rest(reader)), "before");
}

#[test]
fn reading_begins_where_it_is_told_to() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(4));
    bench.keep(&mut writer, Channel::Stdout, b"abcdef");
    bench.keep(&mut writer, Channel::Stderr, b"ghij");
    for offset in 0..=12 {
        let expected: String = ('a'..='j').skip(offset).collect();
        assert_eq!(bench.found(From::Offset(offset as u64), None), expected);
    }
    assert_eq!(bench.found(From::Now, None), "");
    assert_eq!(bench.found(From::Start, Some(Channel::Stderr)), "ghij");
    assert_eq!(bench.found(From::Offset(8), Some(Channel::Stderr)), "ij");
    let mut now = bench.reader(From::Now, true);
    let mut later = bench.reader(From::Offset(12), true);
    bench.keep(&mut writer, Channel::Stdout, b"klmn");
    assert_eq!((texts(&look(&mut now).0), texts(&look(&mut later).0)), ("klmn".into(), "mn".into()));
}

#[test]
fn reading_begins_with_the_first_bytes_of_a_time() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(4));
    let mut times = Vec::new();
    for text in ["one", "two", "three", "four"] {
        // A run of bytes has one time for a millisecond.
        std::thread::sleep(Duration::from_millis(3));
        times.push(SystemTime::now());
        bench.keep(&mut writer, Channel::Stdout, text.as_bytes());
    }
    for (at, expected) in times.iter().zip(["onetwothreefour", "twothreefour", "threefour", "four"]) {
        assert_eq!(bench.found(From::Time(*at), None), expected);
    }
    let future = SystemTime::now() + Duration::from_secs(1000);
    assert_eq!(bench.found(From::Time(future), None), "");
    assert_eq!(bench.found(From::Time(SystemTime::UNIX_EPOCH), None), "onetwothreefour");
}

#[test]
fn the_last_lines_are_those_of_each_output_whole() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(6));
    for (channel, text) in [
        (Channel::Stdout, "o1\no2\n"),
        (Channel::Stderr, "e1 begins, "),
        (Channel::Stdout, "o3\no4\n"),
        (Channel::Stderr, "e1 ends\n"),
        (Channel::Stdout, "o5 begins"),
    ] {
        bench.keep(&mut writer, channel, text.as_bytes());
    }
    let last = |count| bench.found(From::Lines(count), None);
    assert_eq!(last(0), "");
    assert_eq!(last(1), "o5 begins");
    assert_eq!(last(2), "e1 begins, e1 ends\no5 begins");
    assert_eq!(last(3), "e1 begins, o4\ne1 ends\no5 begins");
    assert_eq!(last(5), "o2\ne1 begins, o3\no4\ne1 ends\no5 begins");
    assert_eq!(last(100), "o1\no2\ne1 begins, o3\no4\ne1 ends\no5 begins");
    assert_eq!(bench.found(From::Lines(1), Some(Channel::Stderr)), "e1 begins, e1 ends\n");
    assert_eq!(bench.found(From::Lines(2), Some(Channel::Stdout)), "o4\no5 begins");
    let mut follower = bench.reader(From::Lines(1), true);
    bench.keep(&mut writer, Channel::Stderr, b"e2");
    assert_eq!(texts(&look(&mut follower).0), "o5 beginse2");
}

#[test]
fn the_last_bytes_of_one_output_are_found_over_segments() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(3));
    for text in ["one ", "two ", "three"] {
        bench.keep(&mut writer, Channel::Stderr, text.as_bytes());
        bench.keep(&mut writer, Channel::Stdout, b"-----");
    }
    assert_eq!(tail(bench.directory(), Channel::Stderr, 7).unwrap(), b"o three");
    assert_eq!(tail(bench.directory(), Channel::Stderr, 100).unwrap(), b"one two three");
    assert_eq!(tail(bench.directory(), Channel::Stderr, 0).unwrap(), b"");
}

#[test]
fn what_was_removed_before_a_reader_came_there_is_said_to_be_lost() {
    let bench = Bench::new();
    let mut writer = bench.writer(newest(10, 2));
    bench.keep(&mut writer, Channel::Stdout, &[b'0'; 10]);
    let mut slow = bench.reader(From::Start, true);
    assert!(matches!(slow.advance().unwrap(), Next::Piece(_)));
    bench.keep(&mut writer, Channel::Stdout, &[b'1'; 45]);
    let (pieces, _) = look(&mut slow);
    assert_eq!(losses(&pieces), [(10, 40)]);
    assert_eq!(texts(&pieces).len(), 15);
    let old = rest(bench.reader(From::Offset(5), false));
    assert_eq!((losses(&old), texts(&old).len()), (vec![(5, 40)], 15));
    assert_eq!(losses(&rest(bench.reader(From::Start, false))), []);
}

#[test]
fn a_segment_that_is_being_read_is_read_to_its_end_although_it_is_removed() {
    let bench = Bench::new();
    let mut writer = bench.writer(newest(600 << 10, 1));
    let megabyte = vec![b'x'; 50 << 10];
    for _ in 0..12 {
        bench.keep(&mut writer, Channel::Stdout, &megabyte);
    }
    let mut reader = bench.reader(From::Start, true);
    assert!(matches!(reader.advance().unwrap(), Next::Piece(_)));
    bench.keep(&mut writer, Channel::Stdout, b"next");
    assert_eq!(bench.told().segments, 1);
    let (pieces, _) = look(&mut reader);
    assert_eq!(losses(&pieces), []);
    assert!(texts(&pieces).ends_with("xnext"));
}

#[test]
fn a_log_that_is_removed_is_over_for_who_follows_it() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(100));
    bench.keep(&mut writer, Channel::Stdout, b"x");
    let (mut reader, mut early) = (bench.reader(From::Start, true), bench.reader(From::Now, true));
    assert!(!look(&mut reader).1 && !look(&mut early).1);
    drop(writer);
    fs::remove_dir_all(bench.scratch.path()).unwrap();
    assert!(look(&mut reader).1 && look(&mut early).1);
}

#[test]
fn a_watch_wakes_for_each_turn_and_each_end_and_only_for_them() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(10));
    let watch = watch(bench.directory()).unwrap();
    for turn in 0..4 {
        assert!(!is_readable(&watch).unwrap(), "turn {turn}");
        match turn {
            3 => writer.end(Channel::Stdout, Why::Closed).unwrap(),
            _ => bench.keep(&mut writer, Channel::Stdout, b"turn"),
        }
        assert!(is_readable(&watch).unwrap(), "turn {turn}");
        clear(&watch).unwrap();
    }
}

#[test]
fn torn_and_wrong_records_are_no_bytes_and_hold_no_reader() {
    let bench = Bench::new();
    let mut writer = bench.writer(all(1 << 20));
    bench.keep(&mut writer, Channel::Stdout, b"good");
    let index = bench.scratch.path().join(directory::index(0));
    let whole = fs::read(&index).unwrap();
    for length in 0..whole.len() {
        fs::write(&index, &whole[..length]).unwrap();
        let pieces = rest(bench.reader(From::Start, false));
        assert!(bytes(&pieces).is_empty() && losses(&pieces) == [(0, 4)], "{length} bytes of index");
    }
    fs::write(&index, [&whole[..], &[7; 77]].concat()).unwrap();
    assert_eq!(texts(&rest(bench.reader(From::Start, false))), "good");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_is_taken_is_read_as_the_model_says(
        turns in prop::collection::vec((any::<bool>(), 1..200usize, any::<bool>(), any::<bool>()), 1..40),
        segment in 10..300u64,
    ) {
        let bench = Bench::new();
        let mut writer = bench.writer(all(segment));
        let (mut model, mut seen, mut follower) = (Vec::new(), Vec::new(), bench.reader(From::Start, true));
        for (number, (is_stdout, length, dies, looks)) in turns.into_iter().enumerate() {
            let channel = if is_stdout { Channel::Stdout } else { Channel::Stderr };
            let byte = u8::try_from(number).unwrap();
            bench.keep(&mut writer, channel, &vec![byte; length]);
            model.extend(std::iter::repeat_n((channel, byte), length));
            if dies {
                writer = bench.successor(all(segment));
            }
            if looks {
                seen.extend(look(&mut follower).0);
            }
        }
        seen.extend(look(&mut follower).0);
        prop_assert_eq!(bytes(&seen), &model[..]);
        prop_assert_eq!(losses(&seen), vec![]);
        let middle = model.len() as u64 / 2;
        let late = rest(bench.reader(From::Offset(middle), false));
        prop_assert_eq!(&bytes(&late)[..], &model[usize::try_from(middle).unwrap()..]);
    }
}
