//! The caller's whole cgroup is killed, as service managers do when a service is restarted: containers live on.
//!
//! Monitor and witness leave it before the client is told of a container; so it can be removed at once afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libcontainerd_tests::{fault, lctr};

use crate::dice::{Dice, end_of_sweep};
use crate::life::{FITS, LARGE, Life};
use crate::pair::Pair;
use crate::process::Lctr;
use crate::scene::{Scene, trials};
use crate::successor::{Known, carry_on};
use crate::sweeps::span_of_a_life;

trials!(
    containers_live_on_in_every_hierarchy,
    what_only_made_a_container_leaves_nothing_in_its_cgroup,
    killed_at_any_moment_it_harms_no_container,
);

const HIERARCHIES: [&str; 3] = ["unified", "systemd", "pids"];

/// A cgroup of a service, in one hierarchy.
struct Service {
    directory: PathBuf,
}

impl Service {
    /// An empty one; `None` where this host has no such hierarchy.
    fn new(hierarchy: &str) -> Option<Service> {
        let all = Path::new("/sys/fs/cgroup");
        let is_unified = hierarchy == "unified" && all.join("cgroup.controllers").exists();
        let root = if is_unified { all.to_owned() } else { all.join(hierarchy) };
        let directory = root.join(format!("lctr-crash-{}", std::process::id()));
        root.join("cgroup.procs").exists().then(|| {
            std::fs::create_dir(&directory).expect("a cgroup can be made");
            Service { directory }
        })
    }

    /// `lctr` in it.
    fn run(&self, scene: &Scene, name: &str, args: Vec<String>) -> Lctr {
        let lctr = lctr::command(scene.scratch(), args);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"echo $$ >"$0/cgroup.procs" && exec "$@""#]).arg(&self.directory);
        command.arg(lctr.get_program()).args(lctr.get_args());
        Lctr::spawn(scene.scratch(), name, command)
    }

    /// Kills everything in it, as often as that takes.
    fn kill(&self) {
        loop {
            // Where that exists, it leaves no gap; where not, whoever was forked meanwhile is met in the next round.
            let _ = std::fs::write(self.directory.join("cgroup.kill"), "1");
            let members = self.members();
            if members.is_empty() {
                return;
            }
            members.into_iter().for_each(fault::kill);
        }
    }

    fn members(&self) -> Vec<u32> {
        let text = std::fs::read_to_string(self.directory.join("cgroup.procs")).unwrap();
        text.lines().filter_map(|pid| pid.parse().ok()).filter(|pid| libcontainerd_tests::host::lives(*pid)).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let removed = std::fs::remove_dir(&self.directory);
        assert!(removed.is_ok() || std::thread::panicking(), "{:?}: {removed:?}", self.directory);
    }
}

async fn containers_live_on_in_every_hierarchy(scene: Arc<Scene>) {
    for hierarchy in HIERARCHIES {
        let Some(service) = Service::new(hierarchy) else { continue };
        let mut life = scene.life(hierarchy, 31, LARGE).halting();
        let lctr = service.run(&scene, hierarchy, scene.describe(&["run"], &life));
        life.says("half").await;
        let mut inside = scene.life(&format!("{hierarchy}-exec"), 32, FITS).halting();
        let mut args: Vec<String> = ["exec", "-d", hierarchy].map(str::to_owned).into();
        args.extend(inside.command());
        service.run(&scene, inside.name(), args).end().await.succeeded();
        inside.says("half").await;
        let pair = Pair::of(&scene, hierarchy).await;
        service.kill();
        let before = lctr.kill().await;
        drop(service);
        assert_eq!(Pair::of(&scene, hierarchy).await, pair, "neither of the two was killed");
        inside.go_on().await;
        inside.says("whole").await;
        inside.go_on().await;
        assert!(carry_on(&scene, &mut life, before, Known::Waited).await);
    }
}

async fn what_only_made_a_container_leaves_nothing_in_its_cgroup(scene: Arc<Scene>) {
    for hierarchy in HIERARCHIES {
        let Some(service) = Service::new(hierarchy) else { continue };
        let mut life = scene.life(hierarchy, 33, FITS);
        service.run(&scene, hierarchy, scene.create(&life)).end().await.succeeded();
        assert_eq!(service.members(), Vec::<u32>::new(), "{hierarchy}");
        drop(service);
        assert!(carry_on(&scene, &mut life, Vec::new(), Known::Waited).await);
    }
}

async fn killed_at_any_moment_it_harms_no_container(scene: Arc<Scene>) {
    let (span, mut dice) = (span_of_a_life(&scene).await, Dice::new("the caller's cgroup"));
    let there: Vec<&str> = HIERARCHIES.into_iter().filter(|hierarchy| Service::new(hierarchy).is_some()).collect();
    let (mut rounds, mut lived, end) = (0_u32, 0_u32, end_of_sweep());
    while Instant::now() < end {
        let service = Service::new(dice.one_of(&there)).unwrap();
        let mut life: Life = scene.life(&format!("c{rounds}"), dice.below(256) as u8, dice.one_of(&[0, FITS, LARGE]));
        let lctr = service.run(&scene, life.name(), scene.describe(&["run"], &life));
        tokio::time::sleep(dice.within(span + Duration::from_millis(20))).await;
        service.kill();
        let before = lctr.kill().await;
        drop(service);
        lived += u32::from(carry_on(&scene, &mut life, before, Known::Waited).await);
        rounds += 1;
    }
    eprintln!("the caller's cgroup: killed {rounds} times, {lived} with a container");
    assert!(lived > 0, "of {rounds} rounds none had a container");
}
