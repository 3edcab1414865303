//! Somebody who listens where a container's monitor should, and answers as the test wishes.
//!
//! The monitor's socket is moved aside and comes back with the value's end; the container runs on meanwhile.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// What it does to whoever connects.
#[derive(Debug, Clone)]
pub(crate) enum Lie {
    /// Takes everything and says nothing.
    Freeze,
    /// Hangs up before anything was asked.
    HangUp,
    /// Ends its own side and listens on.
    HalfClose,
    /// Says exactly these bytes, whatever is asked, and hangs up.
    Bytes(Vec<u8>),
    /// Says a frame with this body as soon as something is asked, again and again.
    Answer(String),
    /// Announces a frame of this length and sends bytes without end.
    Flood(u32),
}

/// The liar.
pub(crate) struct Liar {
    directory: PathBuf,
    listener: Option<JoinHandle<()>>,
    over: Arc<AtomicBool>,
    heard: Arc<AtomicUsize>,
}

impl Liar {
    /// Takes the place of the monitor whose socket is in `directory`.
    pub(crate) fn in_place_of(directory: PathBuf, lie: Lie) -> Self {
        fs::rename(directory.join("socket"), directory.join("aside")).unwrap();
        let socket = UnixListener::bind(directory.join("socket")).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(AtomicUsize::new(0));
        let (ends, counts) = (over.clone(), heard.clone());
        let listener = std::thread::spawn(move || {
            for stream in socket.incoming().map_while(Result::ok) {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                counts.fetch_add(1, Ordering::SeqCst);
                let lie = lie.clone();
                // Ends with the connection, at the latest when the client that it lies to has ended.
                std::thread::spawn(move || drop(tell(stream, &lie)));
            }
        });
        Liar { directory, listener: Some(listener), over, heard }
    }

    /// How many have come.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(UnixStream::connect(self.directory.join("socket")));
        let listened = self.listener.take().map(JoinHandle::join);
        let _ = fs::remove_file(self.directory.join("socket"));
        let back = fs::rename(self.directory.join("aside"), self.directory.join("socket"));
        assert!(std::thread::panicking() || (back.is_ok() && listened.is_some_and(|end| end.is_ok())));
    }
}

fn tell(mut stream: UnixStream, lie: &Lie) -> std::io::Result<()> {
    let mut request = [0; 64 << 10];
    match lie {
        Lie::Freeze => while stream.read(&mut request)? > 0 {},
        Lie::HangUp => {}
        Lie::HalfClose => {
            stream.shutdown(Shutdown::Write)?;
            while stream.read(&mut request)? > 0 {}
        }
        Lie::Bytes(bytes) => {
            stream.write_all(bytes)?;
            stream.shutdown(Shutdown::Write)?;
            while stream.read(&mut request)? > 0 {}
        }
        Lie::Answer(body) => {
            let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
            while stream.read(&mut request)? > 0 {
                stream.write_all(&[&length, body.as_bytes()].concat())?;
            }
        }
        Lie::Flood(length) => {
            stream.write_all(&length.to_le_bytes())?;
            loop {
                stream.write_all(&[b'['; 64 << 10])?;
            }
        }
    }
    Ok(())
}
