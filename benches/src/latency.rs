//! How soon an exit is known: from the death of a container's program until the library's `wait` answers.
//!
//! The program is killed past us, by its pid; in between are the kernel, the monitor's journal (on the disk before
//! anybody is told), the event log and the client.

use std::time::{Duration, Instant};

use libcontainerd::core::client::Delete;
use libcontainerd::{MonitorImage, ProcessRef, Supervisor};
use rustix::process::{Pid, Signal, kill_process};

use crate::bundle::{Place, Programs};
use crate::error::Error;
use crate::measure::median;

/// Measures `runs` deaths, each of a container of its own.
pub(crate) fn of_an_exit(place: &Place, programs: &Programs, runs: usize) -> Result<String, Error> {
    let state = place.state("latency");
    let builder = Supervisor::builder().root(state.join("state")).data(state.join("data"));
    let image = programs.lctr_beside_monitor.with_file_name("lctr-monitor");
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tokio = tokio.map_err(|e| Error::File("tokio".into(), e))?;
    let mut figures = tokio.block_on(async {
        let supervisor = builder.monitor(MonitorImage::Path(image)).build()?;
        let mut figures = Vec::new();
        for turn in 0..=runs {
            let took = one(&supervisor, place, &format!("death{turn}")).await?;
            figures.push(took.as_secs_f64() * 1000.0);
        }
        Ok::<_, Error>(figures)
    })?;
    // The first is not counted.
    figures.remove(0);
    figures.sort_by(f64::total_cmp);
    let late = figures[figures.len() * 99 / 100];
    Ok(format!(
        "exit latency, a program's death to `wait`'s answer, n = {runs}: median {:.2} ms, 99 of 100 within {late:.2} ms; mark: under 2 ms at the median",
        median(figures)
    ))
}

async fn one(supervisor: &Supervisor, place: &Place, name: &str) -> Result<Duration, Error> {
    let container = supervisor.container().name(name).rootfs(place.rootfs()).command("/bin/sleep").arg("100000");
    let container = container.stdio(libcontainerd::core::stdio::Stdio::null()).spawn().await?;
    let client = supervisor.client().clone();
    let process: ProcessRef = container.init.process().clone();
    let pid = client.state(&process.container).await?.init().and_then(|init| init.pid).unwrap_or(0);
    let waiting = tokio::spawn({
        let (client, process) = (client.clone(), process.clone());
        async move { client.wait(&process).await.map(|_| Instant::now()) }
    });
    // The waiter is to be there first.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let begun = Instant::now();
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::KILL).map_err(|e| Error::File(format!("process {name}"), e.into()))?;
    }
    let known = waiting.await.map_err(|e| Error::Failed(name.into(), e.to_string()))??;
    client.delete(&process.container, Delete::killing()).await?;
    Ok(known - begun)
}
