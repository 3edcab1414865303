//! Every order of close, start and exit.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::error::Error;
use crate::id::ProcessRef;
use crate::mock::MockRuntime;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Close,
    Start,
    Exit,
}
use Act::{Close, Exit, Start};

fn init() -> ProcessRef {
    ProcessRef::init("web".parse().unwrap())
}

/// A runtime that counts, and the count.
fn counting(answers: Vec<Result<()>>) -> (Arc<MockRuntime>, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let (count, answers) = (Arc::clone(&sent), Mutex::new(answers));
    let mut runtime = MockRuntime::new();
    runtime.expect_close_stdin().returning(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let mut answers = answers.lock().unwrap();
        if answers.is_empty() { Ok(()) } else { answers.remove(0) }
    });
    (Arc::new(runtime), sent)
}

/// All orders of any number of up to four acts in which a process starts at most once and ends after that.
fn orders() -> Vec<Vec<Act>> {
    let mut all = vec![vec![]];
    for _ in 0..5 {
        let longer = all.iter().flat_map(|acts: &Vec<Act>| {
            [Close, Start, Exit].map(|act| acts.iter().copied().chain([act]).collect::<Vec<_>>())
        });
        let longer: Vec<_> = longer.collect();
        all.extend(longer);
        all.sort_by_key(|acts| format!("{acts:?}"));
        all.dedup();
    }
    let once = |acts: &Vec<Act>, act| acts.iter().filter(|a| **a == act).count() <= 1;
    let last = |acts: &Vec<Act>| {
        let exit = acts.iter().position(|a| *a == Exit);
        let start = acts.iter().position(|a| *a == Start);
        exit.is_none() || start.is_none() || start < exit
    };
    all.retain(|acts| once(acts, Start) && once(acts, Exit) && last(acts));
    all
}

/// Whether the runtime must have been told: once the process runs and the close is wanted, before it has ended.
fn must_send(acts: &[Act]) -> bool {
    let alive = acts.split(|act| *act == Exit).next().unwrap();
    alive.contains(&Start) && alive.contains(&Close)
}

#[tokio::test(start_paused = true)]
async fn the_close_is_sent_exactly_once_and_never_before_the_start_in_every_order() {
    let orders = orders();
    assert!(orders.len() > 40, "{}", orders.len());
    for acts in orders {
        let (runtime, sent) = counting(vec![]);
        let closer = Closer::new(init(), runtime);
        for (at, act) in acts.iter().enumerate() {
            match act {
                Close => closer.close(),
                Start => closer.started(),
                Exit => closer.ended(),
            }
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            assert_eq!(sent.load(Ordering::SeqCst), usize::from(must_send(&acts[..=at])), "{:?}", &acts[..=at]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_was_not_answered_is_sent_again_and_one_for_the_dead_is_done() {
    let unavailable = || Err(Error::new(ErrorKind::Unavailable, "no answer"));
    let (runtime, sent) = counting(vec![unavailable(), unavailable()]);
    let closer = Closer::new(init(), runtime);
    closer.started();
    closer.closed().await.unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), 3);

    let (runtime, _) = counting(vec![Err(Error::new(ErrorKind::NotFound, "gone"))]);
    let closer = Closer::new(init(), runtime);
    closer.started();
    closer.closed().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_close_that_was_refused_may_be_tried_again() {
    let (runtime, sent) = counting(vec![Err(Error::new(ErrorKind::PermissionDenied, "no"))]);
    let closer = Closer::new(init(), runtime);
    closer.started();
    assert_eq!(closer.closed().await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    closer.closed().await.unwrap();
    closer.closed().await.unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_never_answered_is_given_up_when_the_process_ends() {
    let mut runtime = MockRuntime::new();
    runtime.expect_close_stdin().returning(|_| Err(Error::new(ErrorKind::Unavailable, "no answer")));
    let closer = Closer::new(init(), Arc::new(runtime));
    closer.started();
    let ended = async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        closer.ended();
    };
    let (closed, ()) = tokio::join!(tokio::time::timeout(std::time::Duration::from_secs(70), closer.closed()), ended);
    closed.unwrap().unwrap();
}
