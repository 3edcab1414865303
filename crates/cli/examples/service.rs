//! A service that owns one container and may be restarted at any time: the container lives on, and loses nothing.
//!
//! `service NAME PROGRAM [ARGUMENT]...` finds the container of that name, or starts it over the host's own root; passes
//! its output on; and when it has ended says how, removes it and ends. Whoever stops the service stops only that.
//!
//! Keeps: `tests/hosts/service` restarts it under systemd.
// An example may print.
#![allow(clippy::print_stdout)]

use std::io::Write;

use libcontainerd::{Container, ContainerId, Delete, ErrorKind, ProcessRef, Result, Stdio, Supervisor};
use tokio::io::AsyncReadExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    libcontainerd::monitor_hook();
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(program)) = (arguments.next(), arguments.next()) else {
        return Err("usage: service NAME PROGRAM [ARGUMENT]...".into());
    };
    let supervisor = Supervisor::new()?;
    let mut container = match find(&supervisor, name.parse()?).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let new = supervisor.container().name(&name).rootfs("/").command(program).args(arguments);
            new.stdio(Stdio::output()).spawn().await?
        }
        found => found?,
    };
    println!("{name} is there, as process {}", pid_of(&container).await?);
    if let Some(stdout) = &mut container.init.stdout {
        let mut chunk = [0; 4096];
        while let count @ 1.. = stdout.read(&mut chunk).await? {
            std::io::stdout().write_all(&chunk[..count])?;
        }
    }
    let exit = container.wait().await?;
    println!("{name} has ended: {:?}, {:?}", exit.status, exit.how);
    container.delete(Delete::default()).await?;
    Ok(())
}

/// A container that an earlier instance of the service has started, with its output.
async fn find(supervisor: &Supervisor, id: ContainerId) -> Result<Container> {
    let mut container = supervisor.open(&id).await?;
    container.init = supervisor.attach(&ProcessRef::init(id)).await?;
    Ok(container)
}

/// The pid of its first process, 0 once that has ended.
async fn pid_of(container: &Container) -> Result<u32> {
    let status = container.status().await?;
    Ok(status.init().and_then(|init| init.pid).unwrap_or_default())
}
