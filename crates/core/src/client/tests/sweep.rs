//! Sweep: bundles that belong to no container go, and nothing else does.

use super::rig::{Rig, name};
use crate::error::ErrorKind;
use crate::ports::runtime::Sweep;
use crate::status::ProcessState;

#[tokio::test(start_paused = true)]
async fn a_bundle_without_a_container_is_named_and_removed_if_it_is_to_be() {
    let rig = Rig::new();
    let found = rig.client.sweep(Sweep::Find).await.unwrap();
    assert_eq!((found.len(), found[0].kind.as_str(), found[0].name.as_str()), (1, "directory", "/bundles/rest"));
    assert_eq!(rig.world.calls("unbundle"), [""; 0]);
    assert_eq!(rig.client.sweep(Sweep::Remove).await.unwrap(), found);
    assert_eq!(rig.world.calls("unbundle"), ["unbundle rest"]);
}

#[tokio::test(start_paused = true)]
async fn a_bundle_of_a_container_or_under_a_claim_is_left_alone() {
    let rig = Rig::new();
    rig.world.fail("claim", ErrorKind::WrongState);
    assert_eq!(rig.client.sweep(Sweep::Remove).await.unwrap(), []);
    rig.world.heal("claim");
    // Its container is made while the claim is waited for.
    rig.world.at("claim", |world| world.foreign("rest", ProcessState::Created));
    assert_eq!(rig.client.sweep(Sweep::Remove).await.unwrap(), []);
    assert_eq!(rig.client.sweep(Sweep::Remove).await.unwrap(), []);
    assert_eq!(rig.world.calls("unbundle"), [""; 0]);
    assert_eq!(rig.world.calls("claim"), ["claim rest", "claim rest"], "one that is there is not even claimed");
    assert!(rig.client.state(&name("rest")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_removed_says_why_and_a_runtime_that_does_not_answer_stops_the_sweep() {
    let rig = Rig::new();
    rig.world.fail("unbundle", ErrorKind::PermissionDenied);
    let swept = rig.client.sweep(Sweep::Remove).await.unwrap();
    assert!(swept[0].failed.as_ref().is_some_and(|why| why.contains("unbundle")), "{swept:?}");
    rig.world.fail("state", ErrorKind::Unavailable);
    assert_eq!(rig.client.sweep(Sweep::Remove).await.unwrap_err().kind(), ErrorKind::Unavailable);
}
