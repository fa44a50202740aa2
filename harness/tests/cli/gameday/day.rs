//! A game day that goes on, as people meet it: over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::run::{data, folder, holds, program};

pub(crate) const SCRIBE: &str = "scribe-of-a-test";
pub(crate) const CONDUCTOR: &str = "conductor-of-a-test";
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A game day that goes on.
pub(crate) struct Day {
    pub(crate) child: Child,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) said: Arc<Mutex<String>>,
    pub(crate) address: String,
}

impl Drop for Day {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Day {
    pub(crate) fn begin(more: &[&str]) -> Result<Self, String> {
        let folder = folder()?;
        let mut command = program();
        command
            .arg("gameday")
            .arg(data("gameday.yaml"))
            .args(["--world", "embedded"])
            .args(more)
            .arg("--out")
            .arg(folder.path().join("run"))
            .env("RIDETHROUGH_STATE", folder.path().join("state"))
            .env("RIDETHROUGH_TOKEN_SCRIBE", SCRIBE)
            .env("RIDETHROUGH_TOKEN_CONDUCTOR", CONDUCTOR)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.path().join("board")).map_err(|e| e.to_string())?)
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut stderr = child.stderr.take().ok_or("no stderr")?;
        let said: Arc<Mutex<String>> = Arc::default();
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok(n @ 1..) = stderr.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
                let mut said = heard.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&text);
            }
        });
        let mut day = Self {
            child,
            folder,
            said,
            address: String::new(),
        };
        let line = day.until("watch  http://")?;
        let address = line.split("watch  http://").nth(1);
        let address = address.and_then(|rest| rest.split('/').next());
        day.address = address.ok_or("no address")?.to_string();
        Ok(day)
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub(crate) fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }

    /// What it said at the end, too.
    pub(crate) fn all(&self) -> String {
        let board = std::fs::read_to_string(self.folder.path().join("board"));
        self.said() + &board.unwrap_or_default()
    }

    /// Waits until it has said something.
    pub(crate) fn until(&self, word: &str) -> Result<String, String> {
        let begun = Instant::now();
        loop {
            let said = self.said();
            if said.contains(word) {
                return Ok(said);
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("it never said {word:?}: {said}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn end(&mut self) -> Result<ExitStatus, String> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait().map_err(|e| e.to_string())? {
                Some(status) => return Ok(status),
                None if begun.elapsed() > PATIENCE => return Err("it goes on and on".into()),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    pub(crate) fn ask(&self, request: &str) -> Result<String, String> {
        let mut stream = TcpStream::connect(&self.address).map_err(|e| e.to_string())?;
        let patience = Some(Duration::from_secs(10));
        stream
            .set_read_timeout(patience)
            .map_err(|e| e.to_string())?;
        stream
            .write_all(request.as_bytes())
            .map_err(|e| e.to_string())?;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    pub(crate) fn get(&self, path: &str) -> Result<String, String> {
        let host = &self.address;
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        ))
    }

    /// Posts a form as a browser without scripts does; it leads back to the page.
    pub(crate) fn post(&self, act: &str, token: &str, more: &str) -> Result<(), String> {
        let (host, body) = (&self.address, format!("token={token}&{more}"));
        let answer = self.ask(&format!(
            "POST /do/{act} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n\
             accept: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ))?;
        holds(answer.starts_with("HTTP/1.1 303"), || {
            format!("{act}: {answer}")
        })
    }
}
