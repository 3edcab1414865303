//! The connections of clients: whole requests in, whole answers out, and nobody waits for anybody.
//!
//! Nothing here blocks: what a client does not send or take yet is waited for among everything else. A connection has
//! one request at a time; while its answer is outstanding nothing more is read from it. Only peers of our user, and of
//! our own pid and user namespaces, are heard: through a mount of the state directory a container's root would have the
//! right uid too.
//!
//! Keeps: C-24 and C-51 of SECURITY.md: `a_foreign_user_is_not_heard`, `garbage_is_answered_or_dropped`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use libcontainerd_core::{Error, ErrorKind};
use nix::sys::socket::sockopt::PeerCredentials;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags};

use crate::wire::{self, Answer, Envelope, Failure, Request, Version};

/// The most connections at once.
const MOST: usize = 1024;
/// The most bytes that are read at once from one connection.
const CHUNK: usize = 16 * 1024;

/// Names a connection, for answers that come later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientKey(u64);

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Clients {
    open: Vec<Client>,
    next: u64,
}

#[derive(Debug)]
struct Client {
    key: ClientKey,
    socket: OwnedFd,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Whether it has asked and was not answered yet.
    asks: bool,
    /// Whether it is closed once everything is sent.
    ends: bool,
}

impl Clients {
    /// Adds a connection that needs no check; with `asks`, its first request is known already.
    pub(super) fn add(&mut self, socket: OwnedFd, asks: bool) -> ClientKey {
        let _ = rustix::io::ioctl_fionbio(&socket, true);
        self.next += 1;
        let key = ClientKey(self.next);
        self.open.push(Client { key, socket, input: Vec::new(), output: Vec::new(), asks, ends: false });
        key
    }

    /// Accepts whoever has come and may speak to us.
    pub(super) fn accept(&mut self, listener: &OwnedFd) {
        while let Ok(socket) = rustix::net::accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            if self.open.len() < MOST && is_one_of_us(socket.as_fd()) {
                self.add(socket, false);
            }
        }
    }

    /// The connection itself, while its client is there.
    pub(super) fn connection(&self, key: ClientKey) -> Option<BorrowedFd<'_>> {
        self.open.iter().find(|client| client.key == key).map(|client| client.socket.as_fd())
    }

    /// What to wait for at each connection.
    pub(super) fn interests(&self) -> impl Iterator<Item = (ClientKey, BorrowedFd<'_>, PollFlags)> {
        self.open.iter().map(|client| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, !client.asks && !client.ends);
            flags.set(PollFlags::OUT, !client.output.is_empty());
            (client.key, client.socket.as_fd(), flags)
        })
    }

    /// Reads from a connection that is ready, and returns its request once it is whole.
    pub(super) fn read(&mut self, key: ClientKey, ready: PollFlags) -> Option<Request> {
        let client = self.find(key)?;
        if client.asks || client.ends {
            if ready.intersects(PollFlags::HUP | PollFlags::ERR) {
                self.drop_client(key);
            }
            return None;
        }
        match client.receive() {
            Ok(Some(frame)) => self.understand(key, &frame),
            Ok(None) => None,
            Err(Gone) => {
                self.drop_client(key);
                None
            }
        }
    }

    /// Answers; a client that has gone meanwhile misses it.
    pub(super) fn answer(&mut self, key: ClientKey, answer: &Answer) {
        let Some(client) = self.find(key) else { return };
        if let Ok(frame) = wire::frame(answer) {
            client.output.extend_from_slice(&frame);
        }
        client.asks = false;
    }

    /// Answers that it cannot be done.
    pub(super) fn refuse(&mut self, key: ClientKey, error: impl Into<Error>) {
        self.answer(key, &Answer::Failed(Failure::from(&error.into())));
    }

    /// Sends what the connections take now.
    pub(super) fn send(&mut self) {
        self.open.retain_mut(|client| client.send().is_ok() && !(client.ends && client.output.is_empty()));
    }

    /// Whether everything that was answered has been sent.
    pub(super) fn are_served(&self) -> bool {
        self.open.iter().all(|client| client.output.is_empty())
    }

    /// Reads the frame's envelope, and answers by itself what cannot be understood.
    fn understand(&mut self, key: ClientKey, frame: &[u8]) -> Option<Request> {
        let version = serde_json::from_slice::<Version>(frame).map(|version| version.v);
        let request = serde_json::from_slice::<Envelope>(frame).map(|envelope| envelope.request);
        let (kind, text) = match (version, request) {
            (Ok(v), Ok(request)) if v <= wire::VERSION || request.is_for_everybody() => {
                self.find(key)?.asks = true;
                return Some(request);
            }
            (Ok(v), _) if v > wire::VERSION => {
                (ErrorKind::Unsupported, "the monitor is of an older release, which does not know this request")
            }
            _ => (ErrorKind::InvalidArgument, "the monitor does not understand the request"),
        };
        self.refuse(key, Error::new(kind, text));
        self.find(key)?.ends = true;
        None
    }

    fn find(&mut self, key: ClientKey) -> Option<&mut Client> {
        self.open.iter_mut().find(|client| client.key == key)
    }

    fn drop_client(&mut self, key: ClientKey) {
        self.open.retain(|client| client.key != key);
    }
}

/// The peer has closed the connection, or speaks something else.
struct Gone;

impl Client {
    /// Takes in what is there; a frame, once it is whole.
    fn receive(&mut self) -> Result<Option<Vec<u8>>, Gone> {
        let mut chunk = [0; CHUNK];
        match rustix::io::retry_on_intr(|| rustix::net::recv(&self.socket, &mut chunk[..], RecvFlags::empty())) {
            Ok((0, _)) => return Err(Gone),
            Ok((count, _)) => self.input.extend_from_slice(&chunk[..count]),
            Err(Errno::AGAIN) => return Ok(None),
            Err(_) => return Err(Gone),
        }
        let Some(head) = self.input.first_chunk::<4>() else { return Ok(None) };
        let whole = 4 + wire::body_length(*head).map_err(|_| Gone)?;
        if self.input.len() < whole {
            return Ok(None);
        }
        let rest = self.input.split_off(whole);
        let frame = std::mem::replace(&mut self.input, rest);
        Ok(Some(frame[4..].to_vec()))
    }

    fn send(&mut self) -> Result<(), Gone> {
        while !self.output.is_empty() {
            let sent = rustix::io::retry_on_intr(|| {
                rustix::net::send(&self.socket, &self.output, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
            });
            match sent {
                Ok(count) => drop(self.output.drain(..count)),
                Err(Errno::AGAIN) => return Ok(()),
                Err(_) => return Err(Gone),
            }
        }
        self.output = Vec::new();
        Ok(())
    }
}

/// Whether the peer is of our user, or root, and in our own pid and user namespaces.
fn is_one_of_us(socket: BorrowedFd<'_>) -> bool {
    let Ok(peer) = nix::sys::socket::getsockopt(&socket, PeerCredentials) else { return false };
    let uids = [0, rustix::process::geteuid().as_raw()];
    // A pid of another namespace that we do not see reads as 0.
    uids.contains(&peer.uid()) && peer.pid() > 0 && ["pid", "user"].iter().all(|kind| shares(peer.pid(), kind))
}

fn shares(pid: i32, kind: &str) -> bool {
    let place = |path: String| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    let ours = place(format!("/proc/self/ns/{kind}"));
    ours.is_some() && ours == place(format!("/proc/{pid}/ns/{kind}"))
}

#[cfg(test)]
mod tests;
