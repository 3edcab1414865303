//! Promises of `lock`, kept on a real file system.
//! Threads stand for processes: these locks hold between open files, whoever opened them.

use std::sync::mpsc;

use super::*;
use crate::scratch::Scratch;

#[test]
fn a_lock_has_one_holder_until_it_is_dropped() {
    let scratch = Scratch::new();
    let held = Lock::try_exclusive(&scratch.dir, "lock").unwrap().unwrap();
    assert!(Lock::try_exclusive(&scratch.dir, "lock").unwrap().is_none());
    drop(held);
    assert!(Lock::try_exclusive(&scratch.dir, "lock").unwrap().is_some());
}

#[test]
fn to_ask_takes_nothing_and_makes_no_file() {
    let scratch = Scratch::new();
    assert!(!Lock::is_held(&scratch.dir, "lock").unwrap());
    assert_eq!(scratch.dir.names().unwrap().len(), 0);
    let held = Lock::try_exclusive(&scratch.dir, "lock").unwrap().unwrap();
    assert!(Lock::is_held(&scratch.dir, "lock").unwrap());
    drop(held);
    assert!(!Lock::is_held(&scratch.dir, "lock").unwrap());
}

#[test]
fn a_lock_lives_as_long_as_its_last_descriptor() {
    let scratch = Scratch::new();
    let held = Lock::exclusive(&scratch.dir, "lock").unwrap();
    let copy = held.as_fd().try_clone_to_owned().unwrap();
    drop(held);
    assert!(Lock::is_held(&scratch.dir, "lock").unwrap());
    drop(copy);
    assert!(!Lock::is_held(&scratch.dir, "lock").unwrap());
}

#[test]
fn a_holder_can_name_itself() {
    let scratch = Scratch::new();
    assert_eq!(Lock::holder(&scratch.dir, "lock").unwrap(), None);
    let held = Lock::exclusive(&scratch.dir, "lock").unwrap();
    assert_eq!(Lock::holder(&scratch.dir, "lock").unwrap(), None);
    held.name_holder("a longer name").unwrap();
    held.name_holder("short").unwrap();
    assert_eq!(Lock::holder(&scratch.dir, "lock").unwrap().as_deref(), Some("short"));
}

#[test]
fn who_waits_gets_the_lock_when_it_is_let_go() {
    let scratch = Scratch::new();
    let held = Lock::exclusive(&scratch.dir, "lock").unwrap();
    let (got, answer) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _lock = Lock::exclusive(&scratch.dir, "lock").unwrap();
            got.send(()).unwrap();
        });
        assert!(answer.try_recv().is_err());
        drop(held);
        answer.recv().unwrap();
    });
}

#[test]
fn a_lock_on_a_file_that_was_replaced_is_taken_again_on_the_new_one() {
    let scratch = Scratch::new();
    // Each round removes the file and lets go: were a lock on a nameless file believed, two would be in.
    let inside = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let lock = Lock::exclusive(&scratch.dir, "lock").unwrap();
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    // Time for another to come in, if it could.
                    scratch.dir.names().unwrap();
                    std::thread::yield_now();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    scratch.dir.remove_file("lock").unwrap();
                    drop(lock);
                }
            });
        }
    });
}

#[test]
fn a_lock_in_a_directory_that_is_gone_is_an_error() {
    let scratch = Scratch::new();
    let dir = scratch.dir.make("gone", 0o700, None).unwrap();
    scratch.dir.remove_dir("gone").unwrap();
    assert!(Lock::exclusive(&dir, "lock").unwrap_err().is_not_found());
}

#[test]
fn a_file_of_somebody_else_is_no_lock() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("lock"), "").unwrap();
    std::os::unix::fs::chown(scratch.path("lock"), Some(65534), None).unwrap();
    assert!(matches!(Lock::try_exclusive(&scratch.dir, "lock"), Err(Error::Foreign { .. })));
    assert!(matches!(Lock::is_held(&scratch.dir, "lock"), Err(Error::Foreign { .. })));
}

#[test]
fn a_file_that_is_open_already_can_be_locked() {
    let scratch = Scratch::new();
    let open = || std::fs::File::create(scratch.path("file")).unwrap().into();
    let held = Lock::try_exclusive_on(open(), &scratch.path("file")).unwrap();
    assert!(held.is_some());
    assert!(Lock::try_exclusive_on(open(), &scratch.path("file")).unwrap().is_none());
}
