//! A bounded pipe in memory, and the table of those that have a name.
//!
//! It holds what was written while nobody reads; end-of-file comes after the last byte, when it is closed and every
//! program that writes has let go; a writer waits while it is full and fails once it is broken. One reader at a time
//! may claim it, as a FIFO's lock has it.
//!
//! Imitates a FIFO with its keeper; not: message sizes, packet mode, atomic small writes.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::ReadBuf;

use crate::ports::process_io::EndOfOutput;

const ROOM: usize = 64 * 1024;

/// The named pipes of one machine in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipes {
    named: Arc<Mutex<BTreeMap<String, Arc<Pipe>>>>,
}

impl Pipes {
    /// Makes a pipe; `false` when the name is taken.
    pub(super) fn make(&self, name: &str) -> bool {
        let mut named = self.table();
        if named.contains_key(name) {
            return false;
        }
        named.insert(name.to_owned(), Arc::default());
        true
    }

    /// The pipe of that name.
    pub(super) fn open(&self, name: &str) -> Option<Arc<Pipe>> {
        self.table().get(name).cloned()
    }

    /// Takes the name away; who has the pipe open keeps it.
    pub(super) fn unlink(&self, name: &str) {
        self.table().remove(name);
    }

    /// Takes the names of all pipes in a directory away.
    pub(super) fn unlink_below(&self, directory: &Path) {
        self.table().retain(|name, _| !Path::new(name).starts_with(directory));
    }

    /// All names, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        self.table().keys().cloned().collect()
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Pipe>>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One pipe.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: VecDeque<u8>,
    closed: bool,
    /// Whether it was closed although somebody could still write.
    given_up: bool,
    broken: bool,
    claimed: bool,
    /// Programs that have its writing side open: end-of-file waits for them.
    writers: usize,
    /// Bytes that ever went in, by which a drain sees quiet.
    written: u64,
    waiting: Vec<Waker>,
}

impl State {
    fn wake(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Pipe {
    /// Claims the reading side; `false` when another has it.
    pub(super) fn claim(&self) -> bool {
        !std::mem::replace(&mut self.state().claimed, true)
    }

    /// Gives the reading side back; what is held stays held.
    pub(super) fn unclaim(&self) {
        let mut state = self.state();
        state.claimed = false;
        state.wake();
    }

    /// Waits until it is full and nobody reads it; `false` when its end came before that.
    pub(super) async fn stuck(&self) -> bool {
        poll_fn(|cx| {
            let mut state = self.state();
            if state.held.len() == ROOM && !state.claimed {
                return Poll::Ready(true);
            }
            if state.closed && state.writers == 0 {
                return Poll::Ready(false);
            }
            state.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// A program has opened the writing side.
    pub(super) fn add_writer(&self) {
        self.state().writers += 1;
    }

    /// A program has let go of the writing side.
    pub(super) fn remove_writer(&self) {
        let mut state = self.state();
        state.writers -= 1;
        state.wake();
    }

    /// No more bytes will come: the reader finds end-of-file after the last.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.wake();
    }

    /// The same, although somebody could still write.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        state.given_up |= !state.closed;
        state.closed = true;
        state.wake();
    }

    /// What its end means, once it has come.
    pub(super) fn why(&self) -> EndOfOutput {
        match self.state().given_up {
            true => EndOfOutput::Drained,
            false => EndOfOutput::Closed,
        }
    }

    /// Nobody will read any more: writers fail.
    pub(super) fn sever(&self) {
        let mut state = self.state();
        state.broken = true;
        state.wake();
    }

    /// How many bytes went in so far, and whether all of them came out.
    pub(super) fn progress(&self) -> (u64, bool) {
        let state = self.state();
        (state.written, state.held.is_empty())
    }

    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.held.is_empty() && !(state.closed && state.writers == 0) {
            state.waiting.push(cx.waker().clone());
            return Poll::Pending;
        }
        let (front, _) = state.held.as_slices();
        let count = front.len().min(buffer.remaining());
        buffer.put_slice(&front[..count]);
        state.held.drain(..count);
        state.wake();
        Poll::Ready(())
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        if state.broken || (state.closed && state.writers == 0) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(ROOM - state.held.len());
        if count == 0 && !bytes.is_empty() {
            state.waiting.push(cx.waker().clone());
            return Poll::Pending;
        }
        state.held.extend(&bytes[..count]);
        state.written += count as u64;
        state.wake();
        Poll::Ready(Ok(count))
    }

    /// Reads some bytes; none at end-of-file.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> usize {
        let mut buffer = ReadBuf::new(buffer);
        poll_fn(|cx| self.poll_read(cx, &mut buffer)).await;
        buffer.filled().len()
    }

    /// Writes all bytes, waiting for room.
    pub(super) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = poll_fn(|cx| self.poll_write(cx, bytes)).await?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn held_bytes_survive_the_close_and_end_of_file_comes_after_them() {
        let pipe = Pipe::default();
        pipe.write_all(b"last words").await.unwrap();
        pipe.close();
        let mut buffer = [0; 64];
        assert_eq!(pipe.read(&mut buffer).await, 10);
        assert_eq!(pipe.read(&mut buffer).await, 0);
    }

    #[tokio::test]
    async fn a_full_pipe_makes_its_writer_wait_and_a_broken_one_fails_it() {
        let pipe = Arc::new(Pipe::default());
        let writer = tokio::spawn({
            let pipe = pipe.clone();
            async move { pipe.write_all(&vec![0; ROOM + 1]).await }
        });
        tokio::task::yield_now().await;
        assert!(!writer.is_finished());
        pipe.sever();
        assert_eq!(writer.await.unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
