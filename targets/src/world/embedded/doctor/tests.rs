use super::*;

#[test]
fn what_is_missing_comes_with_a_way_to_get_it() {
    let list = capabilities();
    let names: Vec<_> = list.iter().map(|capability| capability.name).collect();
    for name in ["user namespaces", "TAP devices", "embedded world", "Docker"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for capability in list {
        assert_eq!(
            capability.found,
            capability.remedy.is_empty(),
            "{capability:?}"
        );
        assert!(!capability.detail.is_empty(), "{capability:?}");
    }
}

#[test]
fn netem_request_states_its_length() {
    let request = netem_request();
    let stated = u32::from_ne_bytes([request[0], request[1], request[2], request[3]]);
    assert_eq!(stated as usize, request.len());
}

#[test]
fn a_socket_that_is_no_engine_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.sock");
    assert!(ask_docker(&path).is_err());
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let answer = |text: &'static str| {
        let listener = listener.try_clone().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 256]).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
        })
    };
    let engine = answer("HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\n\r\nOK");
    assert_eq!(ask_docker(&path).unwrap(), "1.41");
    engine.join().unwrap();
    let other = answer("HTTP/1.0 200 OK\r\n\r\nhello");
    assert!(ask_docker(&path).is_err());
    other.join().unwrap();
}
