//! One call of the runtime: noted, then served or broken as a test has ordered.

use std::future::pending;
use std::sync::Arc;

use super::machine::{Machine, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::id::ContainerId;
use crate::testing::fault::{Break, Call};

/// Notes the call and serves it by `act`, under the machine's lock.
///
/// # Errors
/// Those of `act`, and those that were ordered.
pub(super) async fn serve<T>(
    shared: &Arc<Shared>,
    call: Call,
    container: Option<&ContainerId>,
    act: impl FnOnce(&Arc<Shared>, &mut Machine) -> Result<T> + Send,
) -> Result<T> {
    // Others run between a call and its effect, as over any wire.
    tokio::task::yield_now().await;
    match ordered(shared, call, container) {
        None => act(shared, &mut shared.machine()),
        Some(Break::Before(kind)) => Err(broken(kind)),
        Some(Break::Hang) => pending().await,
        Some(Break::Late(delay)) => {
            tokio::time::sleep(delay).await;
            act(shared, &mut shared.machine())
        }
        Some(Break::After(kind)) => act(shared, &mut shared.machine()).and(Err(broken(kind))),
        Some(Break::AnswerLost) => {
            let answer = act(shared, &mut shared.machine()).map(drop);
            answer?;
            pending().await
        }
    }
}

fn ordered(shared: &Shared, call: Call, container: Option<&ContainerId>) -> Option<Break> {
    let mut machine = shared.machine();
    machine.calls.push((call, container.cloned()));
    machine.faults.take(call, container)
}

fn broken(kind: ErrorKind) -> Error {
    Error::new(kind, "the test ordered this fault")
}
