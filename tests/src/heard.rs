//! What a stream has said so far, for tests that wait for a word of it.
//!
//! A thread of its own reads, so that nobody who writes ever waits for the test. Words are found in their order: what
//! was waited for once does not count again.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::patience;

const PATIENCE: Duration = Duration::from_secs(30);
const CHUNK: usize = 64 << 10;

/// A stream that is listened to.
#[derive(Debug, Clone)]
pub(crate) struct Heard(Arc<(Mutex<Ear>, Condvar)>);

#[derive(Debug, Default)]
struct Ear {
    bytes: Vec<u8>,
    /// So much was waited for already.
    told: usize,
    ended: bool,
}

impl Heard {
    /// Listens to `stream` until it ends. An error is an end: so a terminal tells that the other side is gone.
    pub(crate) fn listen(mut stream: impl Read + Send + 'static) -> Self {
        let heard = Heard(Arc::default());
        let listener = heard.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; CHUNK];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                listener.hear(&buffer[..count], false);
            }
            listener.hear(&[], true);
        });
        heard
    }

    /// Waits until `word` is said after what was waited for before, and gives everything up to and with it.
    #[track_caller]
    pub(crate) fn next(&self, word: &str) -> String {
        let mut ear = self.wait_until(|ear| ear.find(word).is_some() || ear.ended);
        let Some(end) = ear.find(word) else { panic!("{word:?} is not in {:?}", ear.text()) };
        let said = String::from_utf8_lossy(&ear.bytes[ear.told..end]).into_owned();
        ear.told = end;
        said
    }

    /// Waits for the end, and gives everything that was said.
    #[track_caller]
    pub(crate) fn all(&self) -> Vec<u8> {
        std::mem::take(&mut self.wait_until(|ear| ear.ended).bytes)
    }

    fn hear(&self, bytes: &[u8], ended: bool) {
        let mut ear = self.0.0.lock().unwrap();
        ear.bytes.extend_from_slice(bytes);
        ear.ended = ended;
        self.0.1.notify_all();
    }

    #[track_caller]
    fn wait_until(&self, done: impl Fn(&Ear) -> bool) -> MutexGuard<'_, Ear> {
        let (ear, changed) = &*self.0;
        let waiting = changed.wait_timeout_while(ear.lock().unwrap(), patience::at_most(PATIENCE), |ear| !done(ear));
        let (ear, waited) = waiting.unwrap();
        if waited.timed_out() {
            let text = ear.text();
            drop(ear);
            panic!("what was waited for did not come after {text:?}");
        }
        ear
    }
}

impl Ear {
    /// Where `word` ends, if it was said after what was waited for before.
    fn find(&self, word: &str) -> Option<usize> {
        let new = &self.bytes[self.told..];
        let at = new.windows(word.len().max(1)).position(|window| window == word.as_bytes())?;
        Some(self.told + at + word.len())
    }

    /// The last of what was said, to be shown.
    fn text(&self) -> String {
        const SHOWN: usize = 2000;
        String::from_utf8_lossy(&self.bytes[self.bytes.len().saturating_sub(SHOWN)..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_their_order_and_once() {
        let heard = Heard::listen(&b"ready, ready, go"[..]);
        assert_eq!(heard.next("ready"), "ready");
        assert_eq!(heard.next("ready"), ", ready");
        assert_eq!(heard.all(), b"ready, ready, go");
    }

    #[test]
    #[should_panic(expected = "\"steady\" is not in")]
    fn a_word_that_never_comes_fails_at_the_end_of_the_stream() {
        Heard::listen(&b"ready"[..]).next("steady");
    }
}
