//! The measures: each contender in turn, again and again, and the medians of that.

use std::fmt;
use std::io::Read;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::contender::{Contender, finish};
use crate::error::Error;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    /// Medians, in the order of the contenders; the last is the one to compare with.
    medians: [f64; 3],
    mark: &'static str,
}

/// /bin/true in a new container, from spawn of the command to its exit.
pub(crate) fn run_to_exit(contenders: &[Contender; 3], runs: usize) -> Result<Row, Error> {
    let medians = alternate(contenders, runs, |contender, turn| {
        let begun = Instant::now();
        finish(contender.run("true", &format!("run{turn}")))?;
        Ok(milliseconds(begun.elapsed()))
    })?;
    Ok(Row { what: format!("run to exit of /bin/true, n = {runs}"), unit: "ms", medians, mark: "at most 0.2" })
}

/// /bin/true in a running container.
pub(crate) fn exec_to_exit(contenders: &[Contender; 3], runs: usize) -> Result<Row, Error> {
    for contender in contenders {
        let mut command = contender.run_detached("idle", "idle");
        // runc hands its descriptors on to the container, and would keep a pipe open.
        command.stderr(Stdio::null());
        let status = command.status().map_err(|e| Error::Spawn(contender.name.into(), e))?;
        if !status.success() {
            return Err(Error::Failed(format!("{}: run -d", contender.name), status.to_string()));
        }
    }
    let medians = alternate(contenders, runs, |contender, _| {
        let begun = Instant::now();
        finish(contender.exec_true("idle"))?;
        Ok(milliseconds(begun.elapsed()))
    });
    for contender in contenders {
        finish(contender.remove("idle"))?;
    }
    Ok(Row {
        what: format!("exec to exit of /bin/true, n = {runs}"),
        unit: "ms",
        medians: medians?,
        mark: "at most 0.15",
    })
}

/// Many containers, sixteen at a time.
pub(crate) fn sixteen_at_a_time(contenders: &[Contender; 3], runs: usize) -> Result<Row, Error> {
    const EACH: usize = 4;
    let rounds = runs.div_ceil(3);
    let medians = alternate(contenders, rounds, |contender, turn| {
        let begun = Instant::now();
        let done: Result<(), Error> = thread::scope(|scope| {
            let workers: Vec<_> = (0..16)
                .map(|worker| {
                    scope.spawn(move || {
                        (0..EACH).try_for_each(|n| finish(contender.run("true", &format!("m{turn}-{worker}-{n}"))))
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker.join().unwrap_or_else(|_| Err(Error::Failed("a worker".into(), "panicked".into())))
            })
        });
        done?;
        Ok((16 * EACH) as f64 / begun.elapsed().as_secs_f64())
    })?;
    let what = format!("16 at a time, {} each round, n = {rounds}", 16 * EACH);
    Ok(Row { what, unit: "containers/s", medians, mark: "" })
}

/// 2 GiB of zeros through stdout into a pipe.
pub(crate) fn stdout_throughput(contenders: &[Contender; 3], runs: usize) -> Result<Row, Error> {
    let medians = alternate(contenders, runs, |contender, turn| {
        let begun = Instant::now();
        let mut command = contender.run("zeros", &format!("z{turn}"));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| Error::Spawn(contender.name.into(), e))?;
        let mut buffer = vec![0; 1 << 20];
        let mut total = 0_u64;
        if let Some(mut stdout) = child.stdout.take() {
            loop {
                match stdout.read(&mut buffer).map_err(|e| Error::File("the pipe".into(), e))? {
                    0 => break,
                    n => total += n as u64,
                }
            }
        }
        let status = child.wait().map_err(|e| Error::Spawn(contender.name.into(), e))?;
        if !status.success() || total != 2 << 30 {
            return Err(Error::Failed(contender.name.into(), format!("{status}, {total} bytes")));
        }
        Ok(2048.0 / begun.elapsed().as_secs_f64())
    })?;
    Ok(Row {
        what: format!("2 GiB through stdout into a pipe, n = {runs}"),
        unit: "MiB/s",
        medians,
        mark: "at least 1.5",
    })
}

/// Measures each contender in turn, `runs` times after one turn that does not count.
fn alternate(
    contenders: &[Contender; 3],
    runs: usize,
    mut measure: impl FnMut(&Contender, usize) -> Result<f64, Error>,
) -> Result<[f64; 3], Error> {
    let mut figures = [const { Vec::new() }; 3];
    for turn in 0..=runs {
        for (contender, figures) in contenders.iter().zip(&mut figures) {
            let figure = measure(contender, turn)?;
            if turn > 0 {
                figures.push(figure);
            }
        }
    }
    Ok(figures.map(median))
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lctr, small, runc] = self.medians;
        let (what, unit, mark) = (&self.what, self.unit, self.mark);
        let digits = if lctr < 100.0 { 1 } else { 0 };
        write!(
            f,
            "| {what} | {lctr:.digits$} {unit} | {small:.digits$} {unit} | {runc:.digits$} {unit} | {:.2} | {:.2} | {mark} |",
            lctr / runc,
            small / runc
        )
    }
}
