//! The signals that `lctr` gets and passes on to the process it stands for.
//!
//! Listening begins before anything is made, so that none is lost: what comes early is kept until there is somebody
//! to pass it to. Not listened for: what cannot be caught, faults of our own, news about our children and our window,
//! and job control, so that ctrl-z stops `lctr` as it stops every program.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

use libcontainerd::Signal;
use tokio::signal::unix::{self, SignalKind};

use crate::failure::Failure;

const PASSED_ON: [u8; 17] = [
    1,  // HUP
    2,  // INT
    3,  // QUIT
    6,  // ABRT
    10, // USR1
    12, // USR2
    14, // ALRM
    15, // TERM
    16, // STKFLT
    18, // CONT
    24, // XCPU
    25, // XFSZ
    26, // VTALRM
    27, // PROF
    29, // IO
    30, // PWR
    34, // RTMIN
];

const REAL_TIME: std::ops::RangeInclusive<u8> = 35..=64;

/// How many interrupts it takes.
const ENOUGH: usize = 3;

/// The signals that were sent to us.
#[derive(Debug)]
pub(crate) struct Signals {
    sources: Vec<(Signal, unix::Signal)>,
    early: VecDeque<Signal>,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the kernel refuses a handler.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let numbers = PASSED_ON.into_iter().chain(REAL_TIME);
        let sources = numbers.filter_map(|number| Some((Signal::try_from(number).ok()?, number)));
        let listened = sources.map(|(signal, number)| {
            let source = unix::signal(SignalKind::from_raw(i32::from(number))).map_err(Failure::Signals)?;
            Ok((signal, source))
        });
        Ok(Signals { sources: listened.collect::<Result<_, Failure>>()?, early: VecDeque::new() })
    }

    /// Listens to none: they do what they do to every program.
    pub(crate) fn none() -> Self {
        Signals { sources: Vec::new(), early: VecDeque::new() }
    }

    /// The next one: first those that came early.
    pub(crate) async fn next(&mut self) -> Signal {
        match self.early.pop_front() {
            Some(signal) => signal,
            None => self.arrival().await,
        }
    }

    /// Returns at the third interrupt; keeps everything that comes before it.
    pub(crate) async fn enough(&mut self) {
        loop {
            let signal = self.arrival().await;
            self.early.push_back(signal);
            if self.early.iter().filter(|early| **early == Signal::INT).count() >= ENOUGH {
                return;
            }
        }
    }

    async fn arrival(&mut self) -> Signal {
        poll_fn(|cx| {
            for (signal, source) in &mut self.sources {
                if let Poll::Ready(Some(())) = source.poll_recv(cx) {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// What to do with a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Pass it on.
    PassOn(Signal),
    /// Pass it on, and tell the user what else there is.
    PassOnAndTell(Signal),
    /// Kill: the user has asked often enough.
    Kill,
}

/// Counts interrupts: the second is answered, the third is obeyed.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    interrupts: usize,
}

impl Patience {
    /// What to do with the next signal.
    pub(crate) fn order(&mut self, signal: Signal) -> Order {
        if signal != Signal::INT {
            return Order::PassOn(signal);
        }
        self.interrupts += 1;
        match self.interrupts {
            1 => Order::PassOn(signal),
            2 => Order::PassOnAndTell(signal),
            _ => Order::Kill,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_interrupt_tells_and_the_third_kills() {
        let mut patience = Patience::default();
        assert_eq!(patience.order(Signal::INT), Order::PassOn(Signal::INT));
        assert_eq!(patience.order(Signal::TERM), Order::PassOn(Signal::TERM));
        assert_eq!(patience.order(Signal::INT), Order::PassOnAndTell(Signal::INT));
        assert_eq!(patience.order(Signal::INT), Order::Kill);
        assert_eq!(patience.order(Signal::INT), Order::Kill);
    }

    #[test]
    fn faults_children_windows_and_job_control_are_not_passed_on() {
        for number in [4, 5, 7, 8, 9, 11, 13, 17, 19, 20, 21, 22, 23, 28, 31] {
            assert!(!PASSED_ON.contains(&number), "{number}");
        }
    }
}
