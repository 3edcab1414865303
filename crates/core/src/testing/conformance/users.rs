//! Users by name: looked up in the container's own files.

use super::reading::line;
use super::scene::{Scene, id};
use super::{TESTER, suite};
use crate::error::ErrorKind;
use crate::id::ProcessRef;
use crate::process::{NewProcess, User};
use crate::stdio::Stdio;

suite!(Users:
    a_user_is_found_by_name_with_its_groups,
    a_group_by_name_replaces_the_users_own,
    numbers_need_no_entry,
    a_user_of_an_exec_is_found_by_name,
    an_unknown_user_is_a_clear_error_and_leaves_nothing,
);

async fn who(scene: &Scene, user: &str) -> String {
    let mut new = scene.stage.container(scene.stage.probe(&["whoami"]), Stdio::output());
    new.user = Some(User::Named(user.into()));
    scene.client.create(&id("c"), new).await.unwrap();
    let process = ProcessRef::init(id("c"));
    let mut streams = scene.backend.take_streams(&process).unwrap();
    scene.client.start(&id("c")).await.unwrap();
    line(streams.stdout.as_deref_mut().unwrap()).await
}

async fn a_user_is_found_by_name_with_its_groups(scene: Scene) {
    let (name, uid, gid, staff) = TESTER;
    assert_eq!(who(&scene, name).await, format!("{uid} {gid} {staff}"));
}

async fn a_group_by_name_replaces_the_users_own(scene: Scene) {
    let (name, uid, _, staff) = TESTER;
    let said = who(&scene, &format!("{name}:staff")).await;
    assert!(said.starts_with(&format!("{uid} {staff} ")), "{said}");
}

async fn numbers_need_no_entry(scene: Scene) {
    assert_eq!(who(&scene, "4321:876").await.trim_end(), "4321 876");
}

async fn a_user_of_an_exec_is_found_by_name(scene: Scene) {
    let (name, uid, gid, staff) = TESTER;
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut new = NewProcess::new(scene.stage.probe(&["whoami"]), Stdio::output());
    new.user = Some(User::Named(name.into()));
    let mut exec = scene.try_exec_of(&container, "e", new).await.unwrap();
    assert_eq!(line(exec.stdout()).await, format!("{uid} {gid} {staff}"));
}

async fn an_unknown_user_is_a_clear_error_and_leaves_nothing(scene: Scene) {
    let mut new = scene.stage.container(scene.stage.probe(&["whoami"]), Stdio::output());
    new.user = Some(User::Named("stranger".into()));
    let error = scene.client.create(&id("c"), new).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::StartFailed | ErrorKind::InvalidArgument), "{error}");
    assert!(error.start_failure().is_none_or(|failure| failure.exit_code().is_none()), "{error}");
    scene.is_empty().await;
}
