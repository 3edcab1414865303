//! Where one test plays: roots of its own, a directory for what containers record, clients, and the account of it all.
//!
//! A test is an asynchronous function of its scene. Once it has returned, and everything of tokio's is gone, the
//! scene settles its account and its roots look for what is left over.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use libcontainerd::core::cursor::Since;
use libcontainerd::{ContainerId, ContainerState, ContainerStatus, ErrorKind, MonitorImage, ProcessRef, Supervisor};
use libcontainerd_tests::scratch::Scratch;
use libtest_mimic::{Failed, Trial};
use tokio::runtime::Builder;

use crate::account::Account;
use crate::life::{self, Life};
use crate::process::{Ended, Lctr};

/// A test that takes so long hangs; sweeps have a time of their own.
const HANGS: Duration = Duration::from_secs(600);

const GLANCE: Duration = Duration::from_millis(1);

/// Everything of one test.
#[derive(Debug)]
pub(crate) struct Scene {
    scratch: Scratch,
    out: PathBuf,
    account: Account,
}

/// The trial of a test that plays in a scene.
pub(crate) fn trial<F>(name: &'static str, test: impl FnOnce(Arc<Scene>) -> F + Send + 'static) -> Trial
where
    F: Future<Output = ()>,
{
    Trial::test(name.trim_start_matches("crash::"), move || {
        let tokio = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        tokio.block_on(async {
            let scene = Arc::new(Scene::open().await);
            let played = tokio::time::timeout(HANGS, test(scene.clone())).await;
            assert!(played.is_ok(), "it hangs");
            scene.close().await;
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
    async fn open() -> Self {
        let scratch = Scratch::new();
        let out = scratch.place("out");
        std::fs::create_dir(&out).unwrap();
        let follower = client(&scratch);
        let account = Account::follow(follower.client().events(Since::Oldest).await.unwrap());
        Scene { scratch, out, account }
    }

    /// The last act: what was told must agree with what happened, and nothing may be left.
    async fn close(&self) {
        let end = self.life("the-end", 0, 0);
        self.lctr("the-end", self.create(&end)).end().await.succeeded();
        self.remove("the-end").await;
        self.account.until_deleted("the-end").await;
        self.account.settle();
        assert_eq!(self.left_over(), Vec::<String>::new());
    }

    /// A program that records itself here.
    pub(crate) fn life(&self, name: &str, code: u8, bytes: u64) -> Life {
        Life::new(&self.out, name, code, bytes)
    }

    /// A further client, as a new program would be one.
    pub(crate) fn client(&self) -> Supervisor {
        client(&self.scratch)
    }

    /// A client in a process of its own, whose output is named after `name`.
    pub(crate) fn lctr(&self, name: &str, args: Vec<String>) -> Lctr {
        Lctr::start(&self.scratch, name, args)
    }

    /// `lctr run` of this life, in the foreground.
    pub(crate) fn run(&self, life: &Life) -> Lctr {
        self.lctr(life.name(), self.describe(&["run"], life))
    }

    /// `lctr run -d` of this life, until it runs.
    pub(crate) async fn run_detached(&self, life: &Life) {
        self.lctr(life.name(), self.describe(&["run", "-d"], life)).end().await.succeeded();
    }

    /// `lctr exec` of this life in `container`, in the foreground.
    pub(crate) fn exec(&self, container: &str, life: &Life) -> Lctr {
        let mut args: Vec<String> = ["exec", "--exec-id", life.name(), container].map(str::to_owned).into();
        args.extend(life.command());
        self.lctr(life.name(), args)
    }

    /// The arguments that create this life's container.
    pub(crate) fn create(&self, life: &Life) -> Vec<String> {
        self.describe(&["create"], life)
    }

    /// The arguments of a verb that makes this life's container. Its output is live, and waits for its reader.
    pub(crate) fn describe(&self, verb: &[&str], life: &Life) -> Vec<String> {
        self.describe_with(verb, &["--log-driver", "none", "--log-opt", "mode=block"], life)
    }

    /// The same with its output kept.
    pub(crate) fn describe_kept(&self, verb: &[&str], life: &Life) -> Vec<String> {
        self.describe_with(verb, &["--log-driver", "kept"], life)
    }

    fn describe_with(&self, verb: &[&str], output: &[&str], life: &Life) -> Vec<String> {
        let mut args: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
        let volume = format!("{}:/out", self.out.display());
        args.extend(output.iter().map(|word| (*word).to_owned()));
        args.extend(["--name", life.name(), "--rootfs", &life::root(), "-v", &volume, "--"].map(str::to_owned));
        args.extend(life.command());
        args
    }

    /// Removes a container, whatever its state, as users do.
    pub(crate) async fn remove(&self, name: &str) {
        let args = ["rm", "-f", name].map(str::to_owned).into();
        let ended = self.lctr(&format!("{name}.rm"), args).end().await;
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        let state = self.client().client().state(&id(name)).await;
        assert!(state.is_err(), "{state:?}");
    }

    /// What is true of a container, once it is made, for a client that knows nothing yet; `None` when there is none.
    pub(crate) async fn looked_up(&self, client: &Supervisor, name: &str) -> Option<ContainerStatus> {
        loop {
            match client.client().state(&id(name)).await {
                // A monitor whose client was killed goes on making it; nobody can be told of what may still fail.
                Ok(status) if status.state == ContainerState::Creating => tokio::time::sleep(GLANCE).await,
                Ok(status) => return Some(status),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                    return None;
                }
            }
        }
    }

    /// What is told of containers.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// The roots.
    pub(crate) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// What is on the host of containers that are gone.
    pub(crate) fn left_over(&self) -> Vec<String> {
        self.scratch.left_over()
    }
}

impl Ended {
    /// It did what it was told.
    #[track_caller]
    pub(crate) fn succeeded(self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }
}

/// A container's name.
pub(crate) fn id(name: &str) -> ContainerId {
    name.parse().unwrap()
}

/// The first process of a container.
pub(crate) fn init(name: &str) -> ProcessRef {
    ProcessRef::init(id(name))
}

fn client(scratch: &Scratch) -> Supervisor {
    let builder = Supervisor::builder().root(scratch.state()).data(scratch.data());
    builder.monitor(MonitorImage::OwnProgram).build().expect("the tests run as root, on a host with cgroups")
}
