//! The witness: it only waits, so that the death of a monitor costs nothing.
//!
//! Parent of the monitor, with whom it shares its descriptor table, and subreaper, so that a dead monitor's children
//! become its own. It reaps them and passes on how they ended through a pipe that outlives everybody: looked at, passed
//! on, and only then reaped, so that no status is lost should it be killed in between. When the monitor dies it makes
//! another; one that keeps dying is made ever more slowly. When the monitor ends well, so does the witness.
//!
//! Keeps: `a_killed_monitor_costs_nothing` and its sisters in the tests.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::monitor::{self, Beginning};
use crate::shared::Shared;
use crate::sys::{self, Ended, Forked, Which};

/// A time without a death after which earlier ones are forgotten.
const PEACE: Duration = Duration::from_secs(10);
/// How many deaths are taken for accidents. A monitor that cannot live dies so often within a blink.
const ACCIDENTS: u32 = 32;
/// The longest pause before a new monitor is made.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A descriptor number that is hardly ever passed: eighty processes with all their streams.
const WIDE: i32 = 1023;
/// How long to wait before trying what failed again.
const AGAIN: Duration = Duration::from_millis(100);

/// Makes the first monitor and watches it.
pub(crate) fn begin(shared: &Shared, beginning: Beginning) -> ! {
    widen_descriptor_table(shared);
    let witness = std::process::id();
    match sys::fork_sharing_descriptors() {
        Ok(Forked::Child) => monitor::begin(shared, beginning, witness),
        Ok(Forked::Parent(monitor)) => {
            // The monitor's: to close it here would close it there.
            std::mem::forget(beginning);
            watch(shared, monitor)
        }
        Err(errno) => {
            shared.diary.note(format_args!("no monitor can be made: {errno}"));
            monitor::begin(shared, beginning, 0)
        }
    }
}

/// Watches the monitor of that pid, a child of ours, and those that come after it.
pub(crate) fn watch(shared: &Shared, mut monitor: u32) -> ! {
    shared.diary.written_by("witness");
    let mut unrest = Unrest::default();
    loop {
        // Without a child there would be nothing to wait for; with the monitor there always is one.
        let _ = sys::peek(Which::Any, true);
        match sys::peek(Which::Pid(monitor), false) {
            Ok(None) => pass_on(shared, monitor),
            Ok(Some(ended)) if !ended.signal && ended.status == 0 => sys::exit_now(0),
            ended => {
                sys::reap(Which::Pid(monitor));
                unrest.pause(shared, ended.ok().flatten());
                monitor = succeed(shared);
            }
        }
    }
}

/// Passes on how another child has ended, if one has.
fn pass_on(shared: &Shared, monitor: u32) {
    let Ok(Some(ended)) = sys::peek(Which::Any, false) else { return };
    if ended.pid == monitor {
        return;
    }
    if shared.statuses.put(&ended) {
        sys::reap(Which::Pid(ended.pid));
    } else {
        // The monitor is stopped, or behind. The child keeps until there is room.
        wait_for_room(shared);
    }
}

/// Makes the descriptor table as wide as it will need to be: once two processes share it, the kernel waits for a grace
/// period of 10 ms and more whenever it grows, the first time at descriptor 64.
fn widen_descriptor_table(shared: &Shared) {
    // Less room than that is no fault: it only takes longer.
    let _ = rustix::io::fcntl_dupfd_cloexec(shared.statuses.writer(), WIDE);
}

fn wait_for_room(shared: &Shared) {
    let mut room = [PollFd::new(shared.statuses.writer(), PollFlags::OUT)];
    let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(AGAIN.subsec_nanos()) };
    let _ = poll(&mut room, Some(&limit));
}

/// Makes a monitor that takes over from a dead one.
fn succeed(shared: &Shared) -> u32 {
    let witness = std::process::id();
    loop {
        match sys::fork_sharing_descriptors() {
            Ok(Forked::Child) => monitor::begin(shared, Beginning::Succession, witness),
            Ok(Forked::Parent(monitor)) => return monitor,
            Err(errno) => {
                shared.diary.note(format_args!("no monitor can be made: {errno}"));
                std::thread::sleep(AGAIN);
            }
        }
    }
}

/// How often monitors died lately.
#[derive(Debug)]
struct Unrest {
    last: Instant,
    deaths: u32,
}

impl Default for Unrest {
    fn default() -> Self {
        Unrest { last: Instant::now(), deaths: 0 }
    }
}

impl Unrest {
    /// Writes a death down and waits as long as is due after it: not at all after a few, ever longer after many.
    fn pause(&mut self, shared: &Shared, ended: Option<Ended>) {
        if self.last.elapsed() > PEACE {
            self.deaths = 0;
        }
        self.deaths += 1;
        let pause = match self.deaths.checked_sub(ACCIDENTS) {
            Some(habit) => LONGEST_PAUSE.min(Duration::from_millis(1 << habit.min(16))),
            None => Duration::ZERO,
        };
        let how = match ended {
            Some(Ended { signal: true, status, .. }) => format!("was killed by signal {status}"),
            Some(Ended { status, .. }) => format!("ended with code {status}"),
            None => "is gone".to_owned(),
        };
        shared.diary.note(format_args!("the monitor {how}; another one follows in {pause:?}"));
        std::thread::sleep(pause);
        self.last = Instant::now();
    }
}
