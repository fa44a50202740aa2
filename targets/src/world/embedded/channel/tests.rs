use std::io::{Read, Seek, Write};

use super::*;

#[test]
fn descriptors_travel_with_their_message() {
    let (ours, theirs) = pair().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"hello").unwrap();
    send(ours.as_fd(), &("one", 1), &[file.as_fd()]).unwrap();
    send(ours.as_fd(), &("two", 2), &[]).unwrap();

    let (message, mut fds) = receive::<(String, u32)>(theirs.as_fd()).unwrap().unwrap();
    assert_eq!(message, ("one".to_string(), 1));
    let mut copy = std::fs::File::from(fds.pop().unwrap());
    assert!(fds.is_empty());
    copy.rewind().unwrap();
    let mut text = String::new();
    copy.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");

    let (message, fds) = receive::<(String, u32)>(theirs.as_fd()).unwrap().unwrap();
    assert_eq!((message, fds.len()), (("two".to_string(), 2), 0));
}

#[test]
fn a_closed_end_is_not_an_error() {
    let (ours, theirs) = pair().unwrap();
    drop(ours);
    assert!(receive::<u32>(theirs.as_fd()).unwrap().is_none());
    assert!(send(theirs.as_fd(), &1, &[]).is_err());
}

#[test]
fn too_long_a_message_is_refused_by_its_sender() {
    let (ours, _theirs) = pair().unwrap();
    let error = send(ours.as_fd(), &"x".repeat(MESSAGE_MAX), &[]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn the_harness_waits_without_blocking() {
    let (ours, theirs) = pair().unwrap();
    let ours = AsyncChannel::new(ours).unwrap();
    let waiting = ours.receive::<u32>();
    let answer = async {
        tokio::task::yield_now().await;
        send(theirs.as_fd(), &7, &[]).unwrap();
    };
    let (got, ()) = tokio::join!(biased; waiting, answer);
    assert_eq!(got.unwrap().unwrap().0, 7);
    ours.shut().unwrap();
    assert!(receive::<u32>(theirs.as_fd()).unwrap().is_none());
}
