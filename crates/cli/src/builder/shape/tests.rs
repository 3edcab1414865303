//! What each wish does to the spec, and what it leaves alone.
//!
//! Looked at as JSON, as a runtime will see it.

use libcontainerd_core::stdio::TerminalSize;

use super::*;

fn shape(program: &str) -> Shape {
    Shape { args: vec![program.to_owned()], ..Shape::default() }
}

fn made(shape: Shape, stdio: Stdio) -> Result<(Spec, Rootfs)> {
    shape.spec(&"web".parse().unwrap(), &Rootfs::Overlay("/".into()), &stdio)
}

fn spec(shape: Shape) -> Spec {
    made(shape, Stdio::null()).unwrap().0
}

fn env(spec: &Spec) -> &Vec<String> {
    spec.process().as_ref().unwrap().env().as_ref().unwrap()
}

fn json(spec: &Spec) -> serde_json::Value {
    serde_json::to_value(spec).unwrap()
}

#[test]
fn a_program_is_needed() {
    assert!(!Shape::default().has_program());
    let mut empty = default_spec();
    empty.process_mut().as_mut().unwrap().set_args(None);
    let error = made(Shape { base: Some(empty), ..Shape::default() }, Stdio::null()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_variable_replaces_the_one_of_its_name_only() {
    let mut shape = shape("x");
    shape.env = Environment(vec!["PATH=/only".into(), "PATHS=1".into(), "A=b=c".into(), "A=d".into()]);
    let spec = spec(shape);
    let of = |key: &str| env(&spec).iter().filter(|v| v.starts_with(key)).cloned().collect::<Vec<_>>();
    assert_eq!(of("PATH="), ["PATH=/only"]);
    assert_eq!(of("PATHS="), ["PATHS=1"]);
    assert_eq!(of("A="), ["A=d"]);
}

#[test]
fn a_terminal_brings_its_size_and_a_term() {
    let (spec, _) = made(shape("x"), Stdio::terminal(TerminalSize { columns: 132, rows: 43 })).unwrap();
    let process = &json(&spec)["process"];
    assert_eq!(process["terminal"], true);
    assert_eq!(process["consoleSize"], serde_json::json!({"width": 132, "height": 43}));
    assert!(env(&spec).contains(&"TERM=xterm".to_owned()));
    let rules = json(&spec)["linux"]["resources"]["devices"].as_array().unwrap().clone();
    assert!(rules.iter().any(|rule| rule["major"] == 5 && rule["minor"] == 1));
}

#[test]
fn without_a_terminal_there_is_no_term_and_no_size() {
    let spec = spec(shape("x"));
    assert!(!env(&spec).iter().any(|v| v.starts_with("TERM=")));
    assert!(spec.process().as_ref().unwrap().console_size().is_none());
}

#[test]
fn limits_are_written_where_the_kernel_looks() {
    let spec = spec(Shape { memory: Some(64 << 20), quota: Some(quota(1.5).unwrap()), pids: Some(20), ..shape("x") });
    let resources = &json(&spec)["linux"]["resources"];
    assert_eq!(resources["memory"]["limit"], 64 << 20);
    assert_eq!(resources["cpu"]["quota"], 150_000);
    assert_eq!(resources["cpu"]["period"], 100_000);
    assert_eq!(resources["pids"]["limit"], 20);
}

#[test]
fn limits_leave_the_device_rules_of_the_default() {
    let with = json(&spec(Shape { memory: Some(1 << 20), ..shape("x") }));
    let without = json(&spec(shape("x")));
    assert_eq!(with["linux"]["resources"]["devices"], without["linux"]["resources"]["devices"]);
}

#[test]
fn the_hosts_network_takes_namespace_and_settings_away() {
    let spec = json(&spec(Shape { network: Some(Network::Host), ..shape("x") }));
    let namespaces = spec["linux"]["namespaces"].as_array().unwrap();
    assert!(namespaces.iter().all(|namespace| namespace["type"] != "network"));
    assert!(namespaces.iter().any(|namespace| namespace["type"] == "pid"));
    let sysctl = spec["linux"]["sysctl"].as_object();
    assert!(sysctl.is_none_or(|settings| settings.keys().all(|key| !key.starts_with("net."))));
}

#[test]
fn volumes_come_last_and_must_exist_and_have_a_place() {
    let with = |volume| made(Shape { volumes: vec![volume], ..shape("x") }, Stdio::null());
    let (spec, _) = with(Volume::new("/proc", "/x").read_only()).unwrap();
    let last = json(&spec)["mounts"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["destination"], "/x");
    assert!(last["options"].as_array().unwrap().contains(&"ro".into()));
    for wrong in [Volume::new("/no/such", "/x"), Volume::new("/proc", "x"), Volume::new("/proc", "/")] {
        assert_eq!(with(wrong).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn read_only_makes_every_root_read_only() {
    let (spec, rootfs) = made(Shape { read_only: true, ..shape("x") }, Stdio::null()).unwrap();
    assert_eq!(rootfs, Rootfs::ReadOnly("/".into()));
    assert_eq!(json(&spec)["root"]["readonly"], true);
}

#[test]
fn the_hostname_is_the_name_cut_to_what_the_kernel_takes() {
    assert_eq!(spec(shape("x")).hostname().as_deref(), Some("web"));
    let long: ContainerId = "n".repeat(100).parse().unwrap();
    let (spec, _) = shape("x").spec(&long, &Rootfs::Overlay("/".into()), &Stdio::null()).unwrap();
    assert_eq!(spec.hostname().as_ref().unwrap().len(), 64);
}

#[test]
fn a_bundles_spec_keeps_what_nobody_overrides() {
    let mut base = default_spec();
    base.set_hostname(Some("theirs".into()));
    base.process_mut().as_mut().unwrap().set_args(Some(vec!["theirs".into()]));
    let spec = spec(Shape { base: Some(base), ..Shape::default() });
    assert_eq!(spec.hostname().as_deref(), Some("theirs"));
    assert_eq!(json(&spec)["process"]["args"], serde_json::json!(["theirs"]));
}

#[test]
fn edits_have_the_last_word() {
    let mut shape = shape("x");
    shape.edits.push(Box::new(|spec| {
        spec.set_hostname(Some("first".into()));
    }));
    shape.edits.push(Box::new(|spec| {
        spec.set_hostname(Some("last".into()));
    }));
    assert_eq!(spec(shape).hostname().as_deref(), Some("last"));
}

#[test]
fn processors_below_what_the_kernel_takes_are_refused() {
    for wrong in [0.0, -1.0, 0.009, f64::NAN, f64::INFINITY, 1e300] {
        assert_eq!(quota(wrong).unwrap_err().kind(), ErrorKind::InvalidArgument, "{wrong}");
    }
    assert_eq!(quota(0.01).unwrap(), 1_000);
}

#[test]
fn c44_debug_text_shows_no_environment() {
    let mut shape = shape("x");
    shape.env = Environment(vec!["TOKEN=canary".into()]);
    assert!(!format!("{shape:?}").contains("canary"));
}
