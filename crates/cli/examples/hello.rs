//! The program in the README: run a command in a container, get its output and how it ended.
//!
//! A test keeps the two the same.
// An example may print.
#![allow(clippy::print_stdout)]

use libcontainerd::Supervisor;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    libcontainerd::monitor_hook(); // the same program is the monitor of its containers
    tokio::runtime::Runtime::new()?.block_on(async {
        let supervisor = Supervisor::builder().build()?;
        let output = supervisor.container().rootfs("/").command("/bin/echo").arg("hello").output().await?;
        println!("{:?}: {}", output.exit.status, String::from_utf8_lossy(&output.stdout));
        Ok(())
    })
}
