# The recipes of everyday work; `just` without a word lists them.

default:
    @just --list

# Everything that must pass.
test:
    tests/run

# The core alone: no root, seconds.
core:
    cargo test -p libcontainerd-core --all-features

# The conformance suite on every runtime.
conformance *args:
    cargo test -p libcontainerd-tests --test conformance -- {{args}}

# The small static monitor, beside lctr.
monitor:
    cargo rustc --release -p libcontainerd-embedded --bin lctr-monitor --target x86_64-unknown-linux-gnu -- -C target-feature=+crt-static -C relocation-model=static
    install -m 755 target/x86_64-unknown-linux-gnu/release/lctr-monitor target/release/lctr-monitor

# Side by side with runc.
bench *args:
    cargo run --release -p libcontainerd-benches -- {{args}}

# Licences, advisories and sources of dependencies; needs cargo-deny.
deny:
    cargo deny check
