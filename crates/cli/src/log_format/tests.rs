//! The formats as their readers know them, byte for byte, and with lines cut anywhere.

use proptest::prelude::*;

use super::*;

const OUT: OutputKind = OutputKind::Stdout;
const ERR: OutputKind = OutputKind::Stderr;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_475_713_029 + seconds, 669_794_202)
}

/// What lines and parts of them become: output, bytes, whether complete.
fn formatted(format: LogFormat, parts: &[(OutputKind, &[u8], bool)]) -> String {
    let (mut formatter, mut out) = (LogFormatter::new(format), Vec::new());
    for (kind, bytes, complete) in parts {
        formatter.line(*kind, at(0), bytes, *complete, &mut out);
    }
    for kind in [OUT, ERR] {
        formatter.end(kind, at(1), &mut out);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn a_json_record_is_as_docker_writes_it() {
    let text = formatted(LogFormat::JsonFile, &[(OUT, b"hello", true), (ERR, b"", true)]);
    insta::assert_snapshot!(text, @r#"
    {"log":"hello\n","stream":"stdout","attrs":{},"time":"2016-10-06T00:17:09.669794202Z"}
    {"log":"\n","stream":"stderr","attrs":{},"time":"2016-10-06T00:17:09.669794202Z"}
    "#);
}

#[test]
fn json_escapes_what_it_must_and_what_acts_on_terminals() {
    let hostile = "a\"b\\c\td\r\x1b[31m\u{9b}1m\u{7f}\u{2028}é日".as_bytes();
    let text = formatted(LogFormat::JsonFile, &[(OUT, hostile, true)]);
    assert!(text.starts_with(r#"{"log":"a\"b\\c\td\r\u001b[31m\u009b1m\u007f\u2028é日\n""#), "{text}");
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["log"].as_str().unwrap().as_bytes(), [hostile, b"\n"].concat());
}

#[test]
fn bytes_that_are_no_text_become_the_replacement_character() {
    let text = formatted(LogFormat::JsonFile, &[(OUT, b"a\xff\xfeb\xe6\x97", true)]);
    assert!(text.starts_with(r#"{"log":"a\ufffd\ufffdb\ufffd\n""#), "{text}");
}

#[test]
fn a_part_in_json_has_no_newline_and_cuts_no_character() {
    let line = "日本".as_bytes();
    let text = formatted(LogFormat::JsonFile, &[(OUT, &line[..4], false), (OUT, &line[4..], true)]);
    let logs: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|record| record["log"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(logs, ["日", "本\n"]);
    // One that is never completed is told at the end.
    let text = formatted(LogFormat::JsonFile, &[(OUT, &line[..4], false)]);
    assert_eq!(text.lines().count(), 2);
    assert!(text.lines().last().unwrap().starts_with(r#"{"log":"\ufffd","stream":"stdout""#), "{text}");
}

#[test]
fn a_cri_record_is_as_kubelets_read_it() {
    let text = formatted(LogFormat::Cri, &[(OUT, b"hello", true), (ERR, b"no", true), (OUT, b"", true)]);
    assert_eq!(
        text,
        "2016-10-06T00:17:09.669794202Z stdout F hello\n\
         2016-10-06T00:17:09.669794202Z stderr F no\n\
         2016-10-06T00:17:09.669794202Z stdout F \n"
    );
}

#[test]
fn parts_in_cri_are_closed_by_the_last_and_a_line_without_a_newline_by_an_empty_one() {
    let text = formatted(LogFormat::Cri, &[(OUT, b"one ", false), (ERR, b"between", true), (OUT, b"line", true)]);
    assert_eq!(
        text,
        "2016-10-06T00:17:09.669794202Z stdout P one \n\
         2016-10-06T00:17:09.669794202Z stderr F between\n\
         2016-10-06T00:17:09.669794202Z stdout F line\n"
    );
    let text = formatted(LogFormat::Cri, &[(OUT, b"no newline", false)]);
    assert_eq!(text, "2016-10-06T00:17:09.669794202Z stdout P no newline\n2016-10-06T00:17:10.669794202Z stdout F \n");
}

#[test]
fn a_stamp_stands_before_a_line_and_not_before_its_parts() {
    let text = formatted(LogFormat::Stamped, &[(OUT, b"one ", false), (OUT, b"line", true), (OUT, b"rest", false)]);
    assert_eq!(text, "2016-10-06T00:17:09.669794202Z one line\n2016-10-06T00:17:09.669794202Z rest");
}

#[test]
fn times_are_right_over_leap_years_centuries_and_before_1970() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (951_782_400, "2000-02-29T00:00:00.000000000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
        (1_767_225_599, "2025-12-31T23:59:59.000000000Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000000000Z"),
        (253_402_300_800, "9999-12-31T23:59:59.999999999Z"),
    ] {
        assert_eq!(Rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string(), text);
    }
    let before = SystemTime::UNIX_EPOCH - Duration::new(1, 1);
    assert_eq!(Rfc3339(before).to_string(), "1969-12-31T23:59:58.999999999Z");
    let long_before = SystemTime::UNIX_EPOCH - Duration::from_secs(100_000_000_000);
    assert_eq!(Rfc3339(long_before).to_string(), "0000-01-01T00:00:00.000000000Z");
}

/// The text of all records of stdout, put together as their readers do.
fn read_back(format: LogFormat, text: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for line in text.split_inclusive('\n') {
        match format {
            LogFormat::JsonFile => {
                let record: serde_json::Value = serde_json::from_str(line).unwrap();
                all.extend_from_slice(record["log"].as_str().unwrap().as_bytes());
            }
            _ => {
                let mut fields = line.trim_end_matches('\n').splitn(4, ' ').skip(2);
                let (tag, text) = (fields.next().unwrap(), fields.next().unwrap());
                all.extend_from_slice(text.as_bytes());
                all.extend_from_slice(if tag == "F" { b"\n" } else { b"" });
            }
        }
    }
    all
}

proptest! {
    #[test]
    fn parts_of_a_line_say_the_same_as_the_line(line in "[a-zé日🦀 ]{0,40}", cuts in prop::collection::vec(0..80usize, 0..5)) {
        let bytes = line.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < bytes.len()).collect();
        cuts.sort_unstable();
        let (mut parts, mut from) = (Vec::new(), 0);
        for cut in cuts {
            parts.push((OUT, &bytes[from..cut], false));
            from = cut;
        }
        parts.push((OUT, &bytes[from..], true));
        let wanted = [bytes, b"\n"].concat();
        prop_assert_eq!(read_back(LogFormat::JsonFile, &formatted(LogFormat::JsonFile, &parts)), wanted.clone());
        // CRI keeps bytes as they are, also where a part cuts a character: compared with what text can hold.
        let (mut formatter, mut out) = (LogFormatter::new(LogFormat::Cri), Vec::new());
        for (kind, bytes, complete) in &parts {
            formatter.line(*kind, at(0), bytes, *complete, &mut out);
        }
        let head = "2016-10-06T00:17:09.669794202Z stdout P ".len();
        let mut all = Vec::new();
        let mut rest = &out[..];
        for (_, bytes, complete) in &parts {
            prop_assert_eq!(&rest[head..head + bytes.len()], *bytes);
            all.extend_from_slice(bytes);
            all.extend_from_slice(if *complete { b"\n" } else { b"" });
            rest = &rest[head + bytes.len() + 1..];
        }
        prop_assert_eq!(all, wanted);
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn no_bytes_make_json_that_cannot_be_read(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..200usize) {
        let cut = cut.min(bytes.len());
        let text = formatted(LogFormat::JsonFile, &[(OUT, &bytes[..cut], false), (OUT, &bytes[cut..], true)]);
        let lossy = String::from_utf8_lossy(&bytes).into_owned() + "\n";
        prop_assert_eq!(read_back(LogFormat::JsonFile, &text), lossy.into_bytes());
    }
}
