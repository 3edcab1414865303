//! The daemonless runtime: one small monitor process per container, our own code in a process of its own.
#![allow(dead_code)]

mod layout;
mod record;
mod wire;
