//! The schema that scripts rely on, as snapshots.
//!
//! A change here is a change that users see.

use std::time::{Duration, SystemTime};

use libcontainerd::core::How;
use libcontainerd::core::id::{Instance, Run};
use libcontainerd::core::status::{Counters, ResourceUsage};
use libcontainerd::{Past, ProcessId, Signal, Swept};

use super::*;

fn exit(status: ExitStatus) -> Exit {
    Exit::new(status, How::Waited, SystemTime::UNIX_EPOCH + Duration::from_secs(3))
}

fn stopped() -> ContainerStatus {
    let created = SystemTime::UNIX_EPOCH + Duration::from_nanos(1);
    let mut status =
        ContainerStatus::new("web".parse().unwrap(), Instance::from_bits(0xabc), "/run/x/bundles/web".into(), created);
    let mut init = ProcessStatus::new(ProcessId::init(), vec!["sh".into(), "\x1b[31m".into()]);
    init.state = ProcessState::Exited(exit(ExitStatus::Signal(Signal::TERM)));
    status.run = Run::FIRST;
    status.state = ContainerState::Stopped;
    status.started_at = Some(created);
    status.processes = vec![init];
    status
}

#[test]
fn a_container_is_written_with_stable_names() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&ContainerView::new(&stopped())).unwrap());
}

#[test]
fn an_event_is_written_with_stable_names() {
    let kind = EventKind::Exited { process: ProcessId::init(), exit: exit(ExitStatus::Code(7)) };
    let event = Event::new("web".parse().unwrap(), Instance::from_bits(1), Run::FIRST, 4, SystemTime::UNIX_EPOCH, kind);
    insta::assert_snapshot!(serde_json::to_string_pretty(&EventView::new(&event, &Cursor::new("17"))).unwrap());
}

/// An end with everything that can be known of one.
fn known_well() -> Exit {
    let mut end = exit(ExitStatus::Signal(Signal::KILL));
    end.oom = true;
    end.usage = Some(ResourceUsage::new(Duration::from_millis(1500), Duration::from_millis(250), 4096));
    let mut counters = Counters::default();
    counters.oom_kills = Some(1);
    counters.memory_peak = Some(64 << 20);
    counters.periods = Some(10);
    counters.throttled_periods = Some(3);
    counters.throttled = Some(Duration::from_millis(125));
    end.counters = Some(counters);
    end
}

#[test]
fn an_autopsy_is_written_with_stable_names() {
    let view = AutopsyView::of(&known_well(), Some(b"out of mem\xffory\n"), false);
    insta::assert_snapshot!(serde_json::to_string_pretty(&view).unwrap());
    let view = AutopsyView::of(&exit(ExitStatus::Unknown), Some(b"login:"), true);
    let view = serde_json::to_value(view).unwrap();
    assert_eq!(view["last_output"], "login:");
    assert!(["last_stderr", "usage", "cgroup"].iter().all(|name| view.get(name).is_none()), "{view:#}");
}

#[test]
fn a_past_container_is_written_with_stable_names() {
    let at = SystemTime::UNIX_EPOCH;
    let mut past = Past::new("web".parse().unwrap(), Instance::from_bits(1), at, at + Duration::from_secs(9));
    past.args = vec!["sh".into()];
    past.exits = vec![(ProcessId::init(), exit(ExitStatus::Code(7)))];
    insta::assert_snapshot!(serde_json::to_string_pretty(&PastView::new(&past)).unwrap());
}

#[test]
fn what_was_swept_says_what_became_of_it() {
    let mut swept = Swept::new("directory", "/run/x");
    let text = |swept: &Swept, found| serde_json::to_string(&SweptView::new(swept, found)).unwrap();
    insta::assert_snapshot!(text(&swept, true), @r#"{"kind":"directory","name":"/run/x","outcome":"found"}"#);
    insta::assert_snapshot!(text(&swept, false), @r#"{"kind":"directory","name":"/run/x","outcome":"removed"}"#);
    swept.failed = Some("busy".into());
    insta::assert_snapshot!(text(&swept, false),
        @r#"{"kind":"directory","name":"/run/x","outcome":"failed","error":"busy"}"#);
}

#[test]
fn the_oci_state_has_the_specifications_names() {
    insta::assert_snapshot!(serde_json::to_string(&OciState::new(&stopped())).unwrap(),
        @r#"{"ociVersion":"1.2.0","id":"web","status":"stopped","pid":0,"bundle":"/run/x/bundles/web"}"#);
}

#[test]
fn an_unknown_end_has_neither_code_nor_signal() {
    let view = serde_json::to_value(ExitView::new(&exit(ExitStatus::Unknown))).unwrap();
    assert_eq!(view["exit_code"], 255);
    assert!(view.get("code").is_none() && view.get("signal").is_none());
}

#[test]
fn c41_what_acts_on_a_terminal_is_escaped_and_reads_the_same() {
    let hostile = "\x1b]0;x\x07 \r \u{7f} \u{9b}31m \u{202e} \u{e0041} ä 日本語";
    let json = serde_json::to_string_pretty(&[hostile]).unwrap();
    let shown = harmless(&json);
    assert!(!shown.contains(|c: char| c != '\n' && (c.is_control() || escape::acts(c))), "{shown}");
    assert!(shown.contains("ä 日本語"), "{shown}");
    assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [hostile]);
}
