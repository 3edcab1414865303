//! Directories of kept output: who may enter them, and when they go.

use std::fs::File;
use std::time::SystemTime;

use super::*;
use crate::FifoProcessIo;
use libcontainerd_core::ErrorKind;
use libcontainerd_core::id::ProcessRef;
use libcontainerd_core::ports::process_io::ProcessIo;
use libcontainerd_core::stdio::{Keep, Stdio};

const LIVING: Instance = Instance::from_bits(7);
const GONE: Instance = Instance::from_bits(8);

fn scene() -> (tempfile::TempDir, Kept) {
    let scratch = tempfile::tempdir().unwrap();
    let kept = Kept::new(scratch.path().join("deep/output"));
    (scratch, kept)
}

fn request(instance: Instance) -> IoRequest {
    let process = ProcessRef::init("web".parse().unwrap());
    let mut request = IoRequest::new(process, "/bundle".into(), Stdio::kept(Keep::default()));
    request.instance = Some(instance);
    request
}

/// Makes it look as if nothing had happened there for an hour.
fn age(path: &Path) {
    File::open(path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

fn names(swept: &[Swept]) -> Vec<&str> {
    swept.iter().map(|swept| swept.name.rsplit('/').next().unwrap()).collect()
}

#[test]
fn all_levels_are_ours_alone() {
    let (_scratch, kept) = scene();
    fs::create_dir_all(&kept.directory).unwrap();
    fs::set_permissions(&kept.directory, Permissions::from_mode(0o777)).unwrap();
    let log = kept.prepare(&request(LIVING)).unwrap();
    assert!(log.directory.starts_with(&kept.directory));
    for level in log.directory.ancestors().take(3) {
        assert_eq!(fs::metadata(level).unwrap().mode() & 0o7777, 0o700, "{level:?}");
    }
}

#[test]
fn a_link_in_the_place_of_the_directory_is_refused() {
    let (scratch, kept) = scene();
    let (elsewhere, parent) = (scratch.path().join("elsewhere"), scratch.path().join("deep"));
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(&parent).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &kept.directory).unwrap();
    let error = libcontainerd_core::Error::from(kept.prepare(&request(LIVING)).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}

#[test]
fn a_preparation_that_is_taken_back_leaves_what_others_have_kept() {
    let (_scratch, kept) = scene();
    let (ours, mut other) = (request(LIVING), request(LIVING));
    other.process.process = "exec1".parse().unwrap();
    let (ours, other) = (kept.prepare(&ours).unwrap(), kept.prepare(&other).unwrap());
    fs::write(ours.directory.join("kept"), "").unwrap();
    kept.undo(&other);
    kept.undo(&ours);
    assert!(!other.directory.exists() && ours.directory.join("kept").exists());
}

#[test]
fn output_that_belongs_to_no_container_is_found_and_removed() {
    let (_scratch, kept) = scene();
    for instance in [LIVING, GONE] {
        kept.prepare(&request(instance)).unwrap();
    }
    fs::create_dir(kept.directory.join("foreign")).unwrap();
    for entry in fs::read_dir(&kept.directory).unwrap() {
        age(&entry.unwrap().path());
    }
    kept.prepare(&request(Instance::from_bits(9))).unwrap();
    let gone = GONE.to_string();
    assert_eq!(names(&kept.sweep(&[LIVING], Sweep::Find).unwrap()), [&gone]);
    assert_eq!(names(&kept.sweep(&[LIVING], Sweep::Remove).unwrap()), [&gone]);
    assert_eq!(kept.sweep(&[LIVING], Sweep::Find).unwrap(), []);
    assert_eq!(fs::read_dir(&kept.directory).unwrap().count(), 3);
}

#[test]
fn forgetting_and_sweeping_are_fine_where_nothing_was_kept() {
    let (_scratch, kept) = scene();
    kept.forget(GONE).unwrap();
    assert_eq!(kept.sweep(&[], Sweep::Remove).unwrap(), []);
}

#[tokio::test]
async fn a_create_that_was_killed_leaves_no_kept_output_once_its_streams_are_removed() {
    let scratch = tempfile::tempdir().unwrap();
    let (bundle, output) = (scratch.path().join("bundle"), scratch.path().join("output"));
    std::fs::create_dir(&bundle).unwrap();
    let io = FifoProcessIo::new("test").keeping(&output);
    let init = ProcessRef::init("c".parse().unwrap());
    let mut request = IoRequest::new(init.clone(), bundle.clone(), Stdio::kept(Keep::default()));
    request.instance = Some(Instance::from_bits(7));
    io.prepare(&request).await.unwrap();
    assert_eq!(std::fs::read_dir(&output).unwrap().count(), 1);
    // Another program knows the bundle's directory and nothing else.
    let rest = IoRequest::new(init, bundle, Stdio::null());
    FifoProcessIo::new("other").keeping(&output).remove(&rest).await.unwrap();
    assert_eq!(std::fs::read_dir(&output).unwrap().count(), 0);
}
