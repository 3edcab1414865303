//! Where one test plays: a supervisor on roots of its own, and containers that are described in a line.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use libcontainerd::core::client::Delete;
use libcontainerd::core::rootfs::Rootfs;
use libcontainerd::core::stdio::Stdio;
use libcontainerd::{Container, ContainerBuilder, ContainerId, Exit, MonitorImage, Supervisor, Volume};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::scratch::Scratch;
use libtest_mimic::{Failed, Trial};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

/// Longer than anything takes that does not wait for something else.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(10);
/// A test that takes so long hangs.
const HANGS: Duration = Duration::from_secs(1200);
/// How many do the same at once.
pub(crate) const SIDE_BY_SIDE: usize = 16;

/// Everything of one test.
#[derive(Debug)]
pub(crate) struct Scene {
    scratch: Scratch,
    supervisor: Supervisor,
}

/// The trial of a test that plays in a scene.
pub(crate) fn trial<F>(name: &'static str, test: impl FnOnce(Arc<Scene>) -> F + Send + 'static) -> Trial
where
    F: Future<Output = ()>,
{
    Trial::test(name.trim_start_matches("load::"), move || {
        let tokio = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        tokio.block_on(async {
            let scene = Arc::new(Scene::open());
            let played = tokio::time::timeout(HANGS, test(Arc::clone(&scene))).await;
            assert!(played.is_ok(), "it hangs");
            assert_eq!(scene.scratch.left_over(), Vec::<String>::new());
        });
        Ok::<(), Failed>(())
    })
}

/// The trials of a module: one for each of its tests.
macro_rules! trials {
    ($($name:ident),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            vec![$($crate::scene::trial(concat!(module_path!(), "::", stringify!($name)), $name)),*]
        }
    };
}
pub(crate) use trials;

impl Scene {
    fn open() -> Self {
        let scratch = Scratch::new();
        let builder = Supervisor::builder().root(scratch.state()).data(scratch.data());
        let supervisor = builder.monitor(MonitorImage::OwnProgram).build().expect("the tests run as root");
        Scene { scratch, supervisor }
    }

    /// The client of this program.
    pub(crate) fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// STATE.
    pub(crate) fn state(&self) -> PathBuf {
        self.scratch.state()
    }

    /// A place for the test's own files.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.scratch.place(name)
    }

    /// A container of busybox that runs this script, with its streams placed so.
    pub(crate) fn script(&self, name: &str, script: &str, stdio: Stdio) -> ContainerBuilder {
        let root = Rootfs::ReadOnly(rootfs::busybox().to_owned());
        let container = self.supervisor.container().name(name).root(root);
        container.command("/bin/sh").args(["-c", script]).stdio(stdio)
    }

    /// The same with a directory of the host's at `/data`.
    pub(crate) fn script_on(&self, name: &str, script: &str, stdio: Stdio, data: PathBuf) -> ContainerBuilder {
        self.script(name, script, stdio).volume(Volume::new(data, "/data"))
    }
}

/// The exit of a container that must come at once.
pub(crate) async fn exit_at_once(container: &Container) -> Exit {
    let exit = tokio::time::timeout(AT_ONCE, container.wait()).await;
    exit.unwrap_or_else(|_| panic!("{} does not end", container.id())).unwrap()
}

/// Removes a container.
pub(crate) async fn remove(scene: &Scene, id: &ContainerId) {
    scene.supervisor.client().delete(id, Delete::killing()).await.unwrap();
}

/// So many times as was asked for by `LCTR_LOAD_FACTOR`.
pub(crate) fn times(count: usize) -> usize {
    let factor = std::env::var("LCTR_LOAD_FACTOR").ok().map(|text| text.parse::<usize>().expect("a number"));
    count * factor.unwrap_or(1)
}

/// Does something `count` times, so many at once.
pub(crate) async fn side_by_side<F>(count: usize, at_once: usize, what: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut under_way = JoinSet::new();
    for turn in 0..count {
        if under_way.len() == at_once {
            under_way.join_next().await.unwrap().unwrap();
        }
        under_way.spawn(what(turn));
    }
    while let Some(done) = under_way.join_next().await {
        done.unwrap();
    }
}
