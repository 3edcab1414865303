//! Output that is kept on disk: how fast, by us and by others, alternating in one run.
//!
//! Zeros are what a program writes that does not care; lines of 80 bytes are what most of them write. From the spawn of
//! the command that runs the container in the background until its end is known, start-up included. A slow peer writes
//! less, so that a turn takes seconds and not minutes: figures are bytes by time.

use crate::bundle::Place;
use crate::contender::Contender;
use crate::error::Error;
use crate::measure::median;
use crate::peers::Keeper;

/// A bundle whose program writes, and how many MiB.
type Written = (&'static str, f64);

/// What is written, by the quick and by the slow, and the mark.
const PROGRAMS: [(&str, Written, Written, &str); 2] = [
    ("zeros", ("zeros-1024", 1024.0), ("zeros-128", 128.0), "1024 MiB/s, and ten times conmon's"),
    ("lines of 80 bytes", ("lines-512", 512.0), ("lines-64", 64.0), "ten times conmon's"),
];

/// Prints the table.
pub(crate) fn of_everybody(place: &Place, ours: [&Contender; 2], runs: usize) -> Result<(), Error> {
    let mut keepers: Vec<Keeper<'_>> = ours.into_iter().map(Keeper::Ours).collect();
    keepers.extend(Keeper::peers(place));
    println!("\n| kept output, n = {runs} | MiB/s | to conmon | mark |\n| --- | --- | --- | --- |");
    for (what, quick, slow, mark) in PROGRAMS {
        let mut figures = vec![Vec::new(); keepers.len()];
        for turn in 0..=runs {
            for (keeper, figures) in keepers.iter().zip(&mut figures) {
                let (bundle, size) = if matches!(keeper, Keeper::Ours(_)) { quick } else { slow };
                let took = keeper.run(place, bundle, &format!("kept{turn}"))?;
                if turn > 0 {
                    figures.push(size / took.as_secs_f64());
                }
            }
        }
        let figures: Vec<f64> = figures.into_iter().map(median).collect();
        let conmon = keepers.iter().position(|keeper| matches!(keeper, Keeper::Conmon(_)));
        for (keeper, figure) in keepers.iter().zip(&figures) {
            let ratio = conmon.map_or_else(|| "-".into(), |at| format!("{:.1}", figure / figures[at]));
            let mark = if matches!(keeper, Keeper::Ours(_)) { mark } else { "" };
            println!("| {what}: {} | {figure:.0} | {ratio} | {mark} |", keeper.name());
        }
    }
    Ok(())
}
