//! The guardian: a process that outlives the harness and puts the host back.
//!
//! It holds the run's lease, which the harness renews by a byte on a pipe. It
//! acts when the pipe closes (the harness is dead, however it died), when the
//! lease runs out (the harness hangs or was stopped, and could not heal), when
//! the run takes too long, and when it gets SIGTERM: the emergency stop. It
//! needs nothing but the journal for that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::{getppid, setsid};

use super::guard::{ALIVE, GuardOrder, LEFT, OVER};
use super::journal::carry_out;

/// How long a journal that cannot be carried out is tried.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before trying again.
const AGAIN: Duration = Duration::from_millis(50);

/// What the guardian hears.
enum Heard {
    /// The harness lives.
    Alive,
    /// The run is over, in good order.
    Over,
    /// The run is over, and something of it is left.
    Left,
    /// The harness is dead.
    Dead,
    /// Somebody pulls the emergency stop.
    Stop,
}

/// Runs the guardian. Its order comes on the standard input.
pub fn guardian_main() -> ExitCode {
    match guard() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("the guardian failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn guard() -> io::Result<()> {
    // Keyboard signals are for the harness.
    let _ = setsid();
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        signals.add(signal);
    }
    // Before there are threads, so that all of them block these.
    signals.thread_block()?;
    let mut input = io::BufReader::new(io::stdin());
    let mut line = String::new();
    input.read_line(&mut line)?;
    let order: GuardOrder = serde_json::from_str(&line).map_err(io::Error::other)?;
    let held = hold(&order.guard())?;
    let (heard, ears) = mpsc::channel();
    let stop = heard.clone();
    std::thread::spawn(move || {
        if signals.wait().is_ok() {
            let _ = stop.send(Heard::Stop);
        }
    });
    std::thread::spawn(move || listen(input, &heard));
    io::stdout().write_all(&[ALIVE])?;
    io::stdout().flush()?;
    match watch(&order, &ears) {
        End::Over => {}
        End::Left => undo(&order, "it could not be undone by itself")?,
        End::Kill(why) => {
            kill_harness(&order);
            undo(&order, &why)?;
        }
    }
    let gone = fs::remove_file(order.guard());
    drop(held);
    match gone {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The guardian's own file, locked for as long as it lives.
fn hold(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(path)?;
    file.lock()?;
    writeln!(file, "{}", std::process::id())?;
    file.sync_all()?;
    Ok(file)
}

fn listen(input: impl BufRead, heard: &mpsc::Sender<Heard>) {
    for byte in input.bytes() {
        let word = match byte {
            Ok(ALIVE) => Heard::Alive,
            Ok(OVER) => Heard::Over,
            Ok(LEFT) => Heard::Left,
            _ => break,
        };
        if heard.send(word).is_err() {
            return;
        }
    }
    let _ = heard.send(Heard::Dead);
}

/// How a watch ends.
enum End {
    /// Nothing is left to do.
    Over,
    /// Something is left to take back.
    Left,
    /// The run must be ended, for this reason.
    Kill(String),
}

/// Until the run is over, or must be.
fn watch(order: &GuardOrder, ears: &mpsc::Receiver<Heard>) -> End {
    let begun = Instant::now();
    loop {
        let left = order.bound.duration().saturating_sub(begun.elapsed());
        match ears.recv_timeout(order.lease.duration().min(left)) {
            Ok(Heard::Alive) => {}
            Ok(Heard::Over) => return End::Over,
            Ok(Heard::Left) => return End::Left,
            Ok(Heard::Dead) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                return End::Kill("its harness is gone".into());
            }
            Ok(Heard::Stop) => return End::Kill("emergency stop".into()),
            Err(mpsc::RecvTimeoutError::Timeout) if begun.elapsed() >= order.bound.duration() => {
                return End::Kill(format!("it takes longer than {}", order.bound));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let lease = order.lease;
                return End::Kill(format!("its harness showed no life for {lease}"));
            }
        }
    }
}

/// Ends the harness, and with it the world.
fn kill_harness(order: &GuardOrder) {
    // A harness that has died is no longer the parent, and its number may be
    // somebody else's by now.
    let parent = getppid();
    if u32::try_from(parent.as_raw()) == Ok(order.harness) {
        let _ = kill(parent, Signal::SIGKILL);
    }
}

/// Puts the host back. The journal's lock is the harness's until the kernel has
/// taken the last of it down, so nothing is changed any more from here on.
fn undo(order: &GuardOrder, why: &str) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        match carry_out(&order.journal()) {
            Ok(done) => {
                let changes: Vec<String> = done.iter().map(|(it, _)| it.to_string()).collect();
                let changes = match changes.len() {
                    0 => "nothing was left of it on this host".to_string(),
                    _ => format!("took back {}", changes.join(", ")),
                };
                say(&format!("run {} was ended: {why}; {changes}", order.run));
                return Ok(());
            }
            Err(_) if Instant::now() < until => std::thread::sleep(AGAIN),
            Err(error) => {
                let hint = "run `ridethrough heal`";
                return Err(io::Error::new(error.kind(), format!("{error}; {hint}")));
            }
        }
    }
}

/// To whoever still reads the terminal.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "ridethrough: {text}");
}
