//! Creations that fail: a clear reason, nothing left over, the name free.

use std::future::Future;
use std::sync::Arc;

use super::scene::{Scene, code, id};
use super::{MISSING, NOT_EXECUTABLE, suite};
use crate::client::{CreateOption, Delete, NewContainer};
use crate::error::{Error, ErrorKind, Result};
use crate::stdio::Stdio;
use crate::testing::RecordingBackend;

suite!(Nothing:
    a_container_of_a_missing_program_is_127_and_leaves_nothing,
    a_container_of_a_file_that_is_no_program_is_126_and_leaves_nothing,
    a_backend_that_refuses_the_streams_fails_the_creation,
    an_option_that_fails_is_returned_and_leaves_nothing,
    options_are_applied_in_their_order,
    a_program_without_a_name_is_refused_before_anything_is_made,
    a_working_directory_that_is_not_absolute_is_refused,
    a_creation_that_is_given_up_finishes_or_undoes_itself,
);

/// Creates and starts; what failed says why, and what exists after it is deleted.
async fn refused(scene: &Scene, program: &str) -> Error {
    let new = scene.stage.container(vec![program.to_owned()], Stdio::piped());
    match scene.client.create(&id("c"), new).await {
        Err(error) => error,
        Ok(_) => {
            let error = scene.client.start(&id("c")).await.expect_err("it cannot start");
            scene.client.delete(&id("c"), Delete::default()).await.expect("what did not start is stopped");
            error
        }
    }
}

async fn name_is_free(scene: &Scene) {
    scene.is_empty().await;
    let second = scene.running("c", &["exit", "2"], Stdio::piped()).await;
    assert_eq!(second.status().await, code(2));
}

async fn refused_with(scene: Scene, program: &str, wanted: u8) {
    let error = refused(&scene, program).await;
    assert_eq!(error.kind(), ErrorKind::StartFailed, "{error}");
    let failure = error.start_failure().expect("it says why");
    assert_eq!((failure.exit_code(), failure.subject.as_str()), (Some(wanted), program));
    name_is_free(&scene).await;
}

async fn a_container_of_a_missing_program_is_127_and_leaves_nothing(scene: Scene) {
    refused_with(scene, MISSING, 127).await;
}

async fn a_container_of_a_file_that_is_no_program_is_126_and_leaves_nothing(scene: Scene) {
    refused_with(scene, NOT_EXECUTABLE, 126).await;
}

async fn a_backend_that_refuses_the_streams_fails_the_creation(scene: Scene) {
    let client = scene.stage.client(RecordingBackend::refusing());
    let new = scene.stage.container(scene.stage.probe(&["exit", "0"]), Stdio::piped());
    let error = client.create(&id("c"), new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    name_is_free(&scene).await;
}

#[derive(Debug)]
struct Refusing;

impl CreateOption for Refusing {
    fn apply(&self, _container: &mut NewContainer) -> Result<()> {
        Err(Error::new(ErrorKind::InvalidArgument, "this option is never honoured"))
    }
}

async fn an_option_that_fails_is_returned_and_leaves_nothing(scene: Scene) {
    let new = scene.stage.container(scene.stage.probe(&["exit", "0"]), Stdio::piped()).with(Refusing);
    let error = scene.client.create(&id("c"), new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    name_is_free(&scene).await;
}

/// Replaces the program.
#[derive(Debug)]
struct Running(Vec<String>);

impl CreateOption for Running {
    fn apply(&self, container: &mut NewContainer) -> Result<()> {
        let mut process = container.spec.process().clone().unwrap_or_default();
        process.set_args(Some(self.0.clone()));
        container.spec.set_process(Some(process));
        Ok(())
    }
}

async fn options_are_applied_in_their_order(scene: Scene) {
    let probe = |code: &str| Running(scene.stage.probe(&["exit", code]));
    let new = scene.stage.container(scene.stage.probe(&["exit", "1"]), Stdio::null());
    scene.client.create(&id("c"), new.with(probe("2")).with(probe("3"))).await.unwrap();
    scene.client.start(&id("c")).await.unwrap();
    let exit = scene.client.wait(&crate::id::ProcessRef::init(id("c"))).await.unwrap();
    assert_eq!(exit.status, code(3));
}

async fn a_program_without_a_name_is_refused_before_anything_is_made(scene: Scene) {
    let new = scene.stage.container(Vec::new(), Stdio::piped());
    let error = scene.client.create(&id("c"), new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    name_is_free(&scene).await;
}

#[derive(Debug)]
struct Below(&'static str);

impl CreateOption for Below {
    fn apply(&self, container: &mut NewContainer) -> Result<()> {
        let mut process = container.spec.process().clone().unwrap_or_default();
        process.set_cwd(self.0.into());
        container.spec.set_process(Some(process));
        Ok(())
    }
}

async fn a_working_directory_that_is_not_absolute_is_refused(scene: Scene) {
    let backend = RecordingBackend::new();
    let client = scene.stage.client(Arc::clone(&backend) as _);
    let new = scene.stage.container(scene.stage.probe(&["cwd"]), Stdio::output()).with(Below("relative"));
    let error = client.create(&id("c"), new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    name_is_free(&scene).await;
}

async fn a_creation_that_is_given_up_finishes_or_undoes_itself(scene: Scene) {
    for polls in 1..20 {
        let new = scene.stage.container(scene.stage.probe(&["exit", "0"]), Stdio::piped());
        let id = id("c");
        let mut creation = Box::pin(scene.client.create(&id, new));
        for _ in 0..polls {
            let once = std::future::poll_fn(|cx| std::task::Poll::Ready(creation.as_mut().poll(cx).is_ready()));
            // A future that is ready must not be polled again.
            if once.await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(creation);
        if let Err(error) = scene.client.delete(&id, Delete::killing()).await {
            assert_eq!(error.kind(), ErrorKind::NotFound, "given up after {polls} polls: {error}");
        }
        // Given to nobody, the streams would keep the directory in use.
        drop(scene.backend.take_streams(&crate::id::ProcessRef::init(id)));
        scene.is_empty().await;
    }
}
