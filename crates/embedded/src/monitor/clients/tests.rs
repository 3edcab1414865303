//! Promises of `clients`, on pairs of connected sockets: what peers send in pieces, wrongly or never take.
//! The peer's end blocks, ours does not; a test that hangs has found a client that somebody waits for.

use super::*;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

fn connected() -> (Clients, ClientKey, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut clients = Clients::default();
    let key = clients.add(ours.into(), false);
    (clients, key, theirs)
}

fn request(request: Request) -> Vec<u8> {
    wire::frame(&Envelope { v: wire::VERSION, request }).unwrap()
}

fn answer(peer: &mut UnixStream) -> Answer {
    let mut head = [0; 4];
    peer.read_exact(&mut head).unwrap();
    let mut body = vec![0; wire::body_length(head).unwrap()];
    peer.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_request_in_pieces_is_one_request_and_the_next_waits_for_the_answer() {
    let (mut clients, key, mut peer) = connected();
    let frame = request(Request::Hello);
    for byte in &frame[..frame.len() - 1] {
        peer.write_all(&[*byte]).unwrap();
        assert!(clients.read(key, PollFlags::IN).is_none());
    }
    peer.write_all(&frame[frame.len() - 1..]).unwrap();
    assert!(matches!(clients.read(key, PollFlags::IN), Some(Request::Hello)));
    peer.write_all(&request(Request::Start)).unwrap();
    assert!(clients.read(key, PollFlags::IN).is_none());
    clients.answer(key, &Answer::Done);
    clients.send();
    assert_eq!(answer(&mut peer), Answer::Done);
    assert!(matches!(clients.read(key, PollFlags::IN), Some(Request::Start)));
}

#[test]
fn c51_garbage_is_answered_or_dropped() {
    let (mut clients, key, mut peer) = connected();
    peer.write_all(b"\x07\0\0\0garbage").unwrap();
    assert!(clients.read(key, PollFlags::IN).is_none());
    clients.send();
    assert!(matches!(answer(&mut peer), Answer::Failed(_)));
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);

    let (mut clients, key, mut peer) = connected();
    peer.write_all(&u32::MAX.to_le_bytes()).unwrap();
    assert!(clients.read(key, PollFlags::IN).is_none());
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_request_of_a_later_version_is_refused_in_words() {
    let (mut clients, key, mut peer) = connected();
    let body = br#"{"v":99,"request":{"levitate":{}}}"#;
    peer.write_all(&(body.len() as u32).to_le_bytes()).unwrap();
    peer.write_all(body).unwrap();
    assert!(clients.read(key, PollFlags::IN).is_none());
    clients.send();
    let Answer::Failed(failure) = answer(&mut peer) else { panic!() };
    assert!(failure.message.contains("older release"));
}

#[test]
fn a_client_that_takes_nothing_blocks_nobody() {
    let (mut clients, key, _peer) = connected();
    for _ in 0..100_000 {
        clients.answer(key, &Answer::Done);
    }
    clients.send();
    assert!(!clients.are_served());
}

#[test]
fn c24_a_peer_of_our_own_is_heard() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    assert!(is_one_of_us(std::os::fd::AsFd::as_fd(&ours)));
}
