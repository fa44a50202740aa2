//! Whether there is an engine, for people.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::world::{Capability, WorldError};

use super::engine::{is_enough, no_engine, socket, too_old};

/// How long an engine may take to answer.
const LIMIT: Duration = Duration::from_secs(2);

/// The engine of this machine, or why there is none that can be used.
pub(in crate::world) fn capability() -> Capability {
    let found = found();
    let (detail, remedy) = match &found {
        Ok(detail) => (detail.clone(), String::new()),
        Err(WorldError::Missing { what, remedy }) => (what.clone(), remedy.clone()),
        Err(other) => (other.to_string(), "use `--world embedded`".into()),
    };
    Capability {
        name: "Docker",
        found: found.is_ok(),
        detail,
        needed_for: "`--world docker`",
        remedy,
    }
}

fn found() -> Result<String, WorldError> {
    let socket = socket()?;
    let version = ask(&socket).map_err(|error| no_engine(&socket, &error))?;
    match is_enough(&version) {
        true => Ok(format!("{}, API {version}", socket.display())),
        false => Err(too_old(&socket, &version)),
    }
}

/// The version of its API.
fn ask(socket: &Path) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut bytes = [0; 2048];
    let count = stream.read(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes[..count]);
    let version = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("api-version")
            .then(|| value.trim().to_string())
    });
    version.ok_or_else(|| io::Error::other("who answers is no container engine"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_is_no_engine_is_not_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        assert!(ask(&path).is_err());
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
        assert_eq!(ask(&path).unwrap(), "1.41");
        engine.join().unwrap();
        let other = answer("HTTP/1.0 200 OK\r\n\r\nhello");
        assert!(ask(&path).is_err());
        other.join().unwrap();
    }
}
