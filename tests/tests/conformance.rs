//! The conformance suite, run on every runtime: one named test for each behaviour and runtime.
//!
//! In memory the cases run in virtual time; on the embedded engine in real time and one after the other, so that the
//! guard around each can compare this process with before. At the very end the whole host is looked at once.
//!
//! Keeps: every promise of the core, by `core::testing::conformance`.

// Test code: what cannot be prepared ends the test.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::process::ExitCode;
use std::sync::Arc;

use libcontainerd::core::testing::MemoryHost;
use libcontainerd::core::testing::conformance::{Case, Stage, cases};
use libcontainerd_tests::runtimes::EmbeddedStage;
use libcontainerd_tests::scratch::left_on_host;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    // This very program is the image of its containers' monitors.
    libcontainerd_embedded::monitor_hook();
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let memory = cases().into_iter().map(|case| trial("memory", case, in_memory));
    let embedded = cases().into_iter().map(|case| trial("embedded", case, on_embedded));
    let conclusion = libtest_mimic::run(&arguments, memory.chain(embedded).collect());
    let left = left_on_host();
    if !left.is_empty() {
        eprintln!("left on the host: {left:#?}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

fn trial(runtime: &str, case: Case, run: fn(Case)) -> Trial {
    Trial::test(format!("{runtime}::{}", case.name), move || {
        // A panic is how a case fails; the harness catches and shows it.
        run(case);
        Ok::<(), Failed>(())
    })
}

fn in_memory(case: Case) {
    let tokio = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio.block_on((case.run)(Arc::new(MemoryHost::new())));
}

fn on_embedded(case: Case) {
    // First of all, since what tokio keeps for the whole process is none of the case's.
    let tokio = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let stage: Arc<dyn Stage> = Arc::new(EmbeddedStage::new());
    if !case.needs.met_by(&stage.capabilities()) {
        return;
    }
    tokio.block_on((case.run)(stage.clone()));
    drop(tokio);
    // The guard looks here, when nothing of the case runs any more.
    drop(stage);
}
