//! What a container is given and what is kept from it.

use crate::fixture::{Scratch, spec};

#[test]
fn the_exit_code_is_the_programs_own() {
    let scratch = Scratch::new();
    let outcome = scratch.run(spec(&["sh", "-c", "echo out; echo err >&2; exit 7"]));
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (7, "out\n", "err\n"));
}
