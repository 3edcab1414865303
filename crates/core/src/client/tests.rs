//! The client against ports that do as they are told, under paused time.
//!
//! `rig` is the fixture; each other file holds one promise. Nothing here needs root, a file or a process.

mod create;
mod delete;
mod exec;
mod feed;
mod gone;
mod kill;
mod locks;
mod many;
mod observe;
mod order;
mod rig;
mod sweep;
mod wait;
