//! The daemonless runtime: one small monitor process per container, our own code in a process of its own.
#![allow(dead_code)]

mod birth;
mod diary;
mod fault;
mod hook;
mod identity;
mod journal;
mod layout;
mod monitor;
mod record;
mod recover;
mod shared;
mod sys;
mod wire;
mod witness;

pub use hook::monitor_hook;
