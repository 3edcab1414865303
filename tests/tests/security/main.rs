//! The lessons of the field as tests on real containers, each named after its row in SECURITY.md.
//!
//! What a row's requirement needs of one crate alone is tested there, under the same names. Here an attacker has the
//! whole house before it: the binary, its monitors, its state on the disk, and the host around them.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![forbid(unsafe_code)]

mod bombs;
mod cell;
mod fifos;
mod identity;
mod liar;
mod names;
mod output;
mod peers;
mod pids;
mod programs;
mod roots;
mod secrets;
mod sockets;
mod state;
mod table;
mod terminals;
