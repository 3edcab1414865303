//! Create: the order of its steps, and that each of them undoes the ones before when it fails.

use oci_spec::runtime::{LinuxIdMappingBuilder, Process};

use super::rig::{Rig, World, exit, exited, name, new_container, of_web, started};
use crate::client::{CreateOption, NewContainer, Stop};
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::id::ProcessId;
use crate::ports::runtime::{Capabilities, Lease, Removal};
use crate::stdio::{Keep, Place, Stdio};

#[tokio::test(start_paused = true)]
async fn streams_are_with_the_backend_before_the_container_is_made() {
    let rig = Rig::new();
    rig.client.create(&name("web"), new_container()).await.unwrap();
    let calls = rig.world.calls.lock().unwrap().clone();
    let steps: Vec<&str> = calls.iter().map(|call| call.split(' ').next().unwrap()).collect();
    assert_eq!(steps, ["claim", "state", "events", "bundle", "prepare", "open", "attach", "create"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_create_undoes_every_step_before_it_in_reverse() {
    let undone: [(&str, &[&str]); 6] = [
        ("events", &[]),
        ("bundle", &[]),
        ("prepare", &["unbundle web"]),
        ("open", &["remove web/init", "unbundle web"]),
        ("attach", &["remove web/init", "unbundle web"]),
        ("create", &["remove web/init", "unbundle web"]),
    ];
    for (step, expected) in undone {
        let rig = Rig::new();
        rig.world.fail(step, ErrorKind::ResourceExhausted);
        let error = rig.client.create(&name("web"), new_container()).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::ResourceExhausted, "create"), "{step}");
        let calls = rig.world.calls.lock().unwrap().clone();
        let failed = calls.iter().position(|call| call.starts_with(step)).unwrap();
        assert_eq!(&calls[failed + 1..], expected, "after a failed {step}");
        rig.world.heal(step);
        rig.client.create(&name("web"), new_container()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_error_is_told_also_when_undoing_fails() {
    let rig = Rig::new();
    for (step, kind) in
        [("create", ErrorKind::Unsupported), ("remove", ErrorKind::System), ("unbundle", ErrorKind::System)]
    {
        rig.world.fail(step, kind);
    }
    let error = rig.client.create(&name("web"), new_container()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(rig.world.calls("unbundle").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_refused_before_anything_is_made() {
    let rig = Rig::running().await;
    let before = rig.world.calls("bundle").len();
    let error = rig.client.create(&name("web"), new_container()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("already active"), "{error}");
    assert_eq!(rig.world.calls("bundle").len(), before);
    assert_eq!(rig.world.calls("unbundle"), [""; 0], "the container that has the name keeps its bundle");
}

#[derive(Debug)]
struct Arg(&'static str);

impl CreateOption for Arg {
    fn apply(&self, container: &mut NewContainer) -> Result<()> {
        let process = container.spec.process_mut().as_mut().unwrap();
        let mut args = process.args().clone().unwrap();
        args.push(self.0.into());
        process.set_args(Some(args));
        Ok(())
    }
}

#[derive(Debug)]
struct Refusal;

impl CreateOption for Refusal {
    fn apply(&self, container: &mut NewContainer) -> Result<()> {
        let args = container.spec.process().as_ref().unwrap().args().clone().unwrap();
        Err(Error::new(ErrorKind::Unsupported, format!("refused after {args:?}")))
    }
}

#[tokio::test(start_paused = true)]
async fn options_apply_in_order_and_their_error_is_the_answer() {
    let rig = Rig::new();
    let new = new_container().with(Arg("one")).with(Arg("two")).with(Refusal).with(Arg("three"));
    let error = rig.client.create(&name("web"), new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains(r#"refused after ["sh", "one", "two"]"#), "{error}");
    assert_eq!(rig.world.calls("bundle"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_nothing_could_run_is_refused_by_the_field() {
    let process = |change: fn(&mut Process) -> &mut Process| {
        let mut new = new_container();
        change(new.spec.process_mut().as_mut().unwrap());
        new
    };
    let mut without = new_container();
    without.spec.set_process(None);
    let wrong = [
        (without, "no process"),
        (process(|p| p.set_args(None)), "arguments are empty"),
        (process(|p| p.set_args(Some(vec!["".into()]))), "name is empty"),
        (process(|p| p.set_args(Some(vec!["a\0b".into()]))), "NUL"),
        (process(|p| p.set_env(Some(vec!["SECRET=x\0".into()]))), "variable 1"),
        (process(|p| p.set_cwd("tmp".into())), "working directory"),
    ];
    for (new, text) in wrong {
        let rig = Rig::new();
        let error = rig.client.create(&name("web"), new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(text) && !error.to_string().contains("SECRET"), "{error}");
        assert_eq!(rig.world.calls("bundle"), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_bundle_belongs_to_what_the_user_namespace_maps_root_to() {
    let mapping = |container: u32, host: u32| {
        let mapping = LinuxIdMappingBuilder::default().container_id(container).host_id(host).size(65536_u32);
        mapping.build().unwrap()
    };
    let create = async |uids, gids| {
        let rig = Rig::new();
        let mut new = new_container();
        let linux = new.spec.linux_mut().as_mut().unwrap();
        linux.set_uid_mappings(Some(uids)).set_gid_mappings(Some(gids));
        let made = rig.client.create(&name("web"), new).await.map_err(|e| e.kind());
        (made.map(drop), rig.world.calls("bundle"))
    };
    let mapped = create(vec![mapping(0, 1000)], vec![mapping(0, 2000)]).await;
    assert_eq!(mapped, (Ok(()), vec!["bundle web for 1000:2000".into()]));
    let plain = create(vec![], vec![]).await;
    assert_eq!(plain, (Ok(()), vec!["bundle web for 0:0".into()]));
    let rootless = create(vec![mapping(1, 1000)], vec![mapping(0, 1)]).await;
    assert_eq!(rootless, (Err(ErrorKind::InvalidArgument), vec![]));
}

#[tokio::test(start_paused = true)]
async fn an_exit_that_comes_before_the_answer_of_create_or_start_is_told_after_the_start() {
    let rig = Rig::new();
    let early = |world: &World| {
        world.emit("web", EventKind::Exited { process: ProcessId::init(), exit: exit(3) });
    };
    rig.world.at("start", early);
    rig.run("web").await;
    assert_eq!(rig.world.changes(2).await, [started(), exited(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_future_is_dropped_finishes_in_the_background() {
    let rig = Rig::new();
    let gate = rig.world.hang("create");
    let (client, world) = (rig.client.clone(), rig.world.clone());
    let create = tokio::spawn(async move { client.create(&name("web"), new_container()).await });
    world.called("create web").await;
    create.abort();
    gate.add_permits(1);
    // The start waits for its turn, so for the create's end.
    rig.client.start(&name("web")).await.unwrap();
    assert_eq!(rig.world.changes(1).await, [started()]);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_is_lost_is_looked_up() {
    let rig = Rig::new();
    let ask = std::sync::Arc::clone(&rig.world);
    // The runtime has made it, and its answer does not come.
    rig.world.fail("create", ErrorKind::Unavailable);
    let error = rig.client.create(&name("web"), new_container()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(ask.calls("delete"), ["delete web"], "whatever it made is deleted again");
    assert_eq!(ask.calls("unbundle"), ["unbundle web"]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_was_never_started_can_be_stopped_and_deleted() {
    let rig = Rig::new();
    rig.client.create(&name("web"), new_container()).await.unwrap();
    rig.world.at("signal", |world| world.exit("web", "init", 143));
    let exit = rig.client.stop(&name("web"), Stop::default()).await.unwrap();
    assert_eq!(exit.status.shell_code(), 143);
    assert_eq!(rig.client.wait(&of_web("init")).await.unwrap(), exit);
    rig.client.delete(&name("web"), Default::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_runtime_cannot_do_is_refused_before_anything_is_made() {
    let changes: [fn(&mut NewContainer); 4] = [
        |new| new.stdio.stdout = Place::Kept,
        |new| new.stdio.stdout = Place::Descriptor(7),
        |new| new.lease = Some(Lease::on(1)),
        |new| new.removal = Removal::Ended,
    ];
    let rig = Rig::new();
    for change in changes {
        let mut new = new_container();
        change(&mut new);
        let error = rig.client.create(&name("web"), new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    assert_eq!(rig.world.calls("bundle"), [""; 0]);
    *rig.world.able.lock().unwrap() =
        Capabilities { keeps_output: true, passes_descriptors: true, leases: true, ..Capabilities::default() };
    for (at, change) in changes.into_iter().enumerate() {
        let mut new = new_container();
        change(&mut new);
        rig.client.create(&name(&format!("web{at}")), new).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_create_keeps_no_output() {
    let rig = Rig::new();
    rig.world.able.lock().unwrap().keeps_output = true;
    rig.world.fail("create", ErrorKind::StartFailed);
    let mut new = new_container();
    new.stdio = Stdio::kept(Keep::default());
    assert!(rig.client.create(&name("web"), new).await.is_err());
    assert_eq!(rig.world.calls("forget").len(), 1);
}
