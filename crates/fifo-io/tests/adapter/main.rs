//! The adapter alone: real FIFOs and descriptors, with the test as the runtime.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod closing;
mod copying;
mod descriptors;
mod discarding;
mod ending;
mod keeping;
mod making;
mod opening;
mod peers;
mod room;
