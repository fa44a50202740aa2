//! Cases of `ridethrough emulate`: a site by itself, asked by programs that
//! others wrote.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // processes live in real time

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::live::Live;
use super::run::{exits, folder, holds, output, program, root, said};

const WAIT: Duration = Duration::from_secs(60);

pub(crate) const CASES: &[(&str, super::Body)] = &[
    ("emulate::commands_move_the_site", commands),
    ("emulate::a_playbook_is_played_to_its_end", played),
    ("emulate::an_address_in_use_exits_4", in_use),
    ("emulate::a_bad_site_exits_2_with_its_place", bad_site),
    ("emulate::an_interrupt_ends_it_with_130", interrupt),
    #[cfg(unix)]
    ("emulate::nut_drivers_are_there_as_long_as_it_is", drivers),
];

pub(crate) const WITH_PEERS: &[Live] = &[
    Live {
        name: "emulate::one_state_on_every_protocol",
        body: every_protocol,
        needs: &[
            ("upsc", "nut-client"),
            ("mbpoll", "mbpoll"),
            ("curl", "curl"),
            ("snmpget", "snmp"),
        ],
    },
    Live {
        name: "emulate::redfish_by_tls",
        body: redfish_tls,
        needs: &[("curl", "curl")],
    },
];

/// A running site; it is killed when dropped.
struct Site {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Site {
    fn start(site: &str, args: &[&str]) -> Result<Self, String> {
        let mut command = program();
        command.arg("emulate").arg(root().join(site)).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| e.to_string())?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        let (to, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            lines,
            seen: Vec::new(),
        })
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        let stdin = self.child.stdin.as_mut().ok_or("no stdin")?;
        writeln!(stdin, "{line}").map_err(|e| e.to_string())
    }

    /// The next line that holds this text.
    fn until(&mut self, text: &str) -> Result<String, String> {
        let end = Instant::now() + WAIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return Ok(line);
                    }
                }
                Err(_) => return Err(format!("no {text:?} in\n{}", self.seen.join("\n"))),
            }
        }
    }

    /// The address that a protocol is served on, from the hint that is printed.
    fn port(&mut self, protocol: &str) -> Result<String, String> {
        let line = self.until(&format!("  {protocol} "))?;
        let digits = |part: &str| part.len() >= 4 && part.chars().all(|c| c.is_ascii_digit());
        let parts = line.split(|c: char| !c.is_ascii_digit());
        let port = parts.filter(|part| digits(part)).find(|p| *p != "40000");
        port.map(String::from).ok_or(format!("no port in {line:?}"))
    }

    fn end(&mut self) -> Result<ExitStatus, String> {
        let end = Instant::now() + WAIT;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().map_err(|e| e.to_string())? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("it did not end".into())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const TWO_FEED: &str = "playbooks/sites/two-feed.yaml";
const ANY: &str = "127.0.0.1:0";

fn commands() -> Result<(), String> {
    let mut site = Site::start(TWO_FEED, &["--nut", ANY])?;
    site.until("commands:")?;
    site.say("outage grid")?;
    site.until("ups normal → on_battery (input lost)")?;
    site.say("status")?;
    site.until("ON BATTERY")?;
    site.say("tell pdu-a outlet 1 off")?;
    site.until("told outlet 1 off: done")?;
    site.say("outrage")?;
    site.until("? no command `outrage`; did you mean `outage`?")?;
    site.say("restore")?;
    site.until("(restored)")?;
    site.say("quit")?;
    let status = site.end()?;
    holds(status.code() == Some(0), || status.to_string())
}

fn played() -> Result<(), String> {
    let playbook = root().join("playbooks/power/sag-inside.yaml");
    let mut command = program();
    command
        .arg("emulate")
        .arg(root().join("playbooks/sites/mixed.yaml"));
    command.args(["--nut", ANY, "--playbook"]).arg(&playbook);
    let done = output(command.stdin(Stdio::null()))?;
    exits(&done, 0)?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    for wanted in ["── fault sag", "supply voltage_pu 0.1", "── end of sag"] {
        holds(text.contains(wanted), || {
            format!("no {wanted:?} in\n{text}")
        })?;
    }
    let mut command = program();
    command.arg("emulate").arg(root().join(TWO_FEED));
    command.args(["--nut", ANY, "--playbook"]).arg(&playbook);
    let refused = output(command.stdin(Stdio::null()))?;
    exits(&refused, 2)?;
    holds(said(&refused).contains("not about \"two-feed\""), || {
        said(&refused)
    })
}

fn in_use() -> Result<(), String> {
    let taken = std::net::TcpListener::bind(ANY).map_err(|e| e.to_string())?;
    let address = taken.local_addr().map_err(|e| e.to_string())?;
    let mut command = program();
    command.arg("emulate").arg(root().join(TWO_FEED));
    let done = output(command.args(["--nut", &address.to_string()]))?;
    exits(&done, 4)?;
    holds(
        said(&done).contains("another program has it; try --nut"),
        || said(&done),
    )
}

/// The sockets at which an upsd looks for its drivers.
#[cfg(unix)]
fn drivers() -> Result<(), String> {
    use std::os::unix::net::UnixStream;

    let folder = folder()?;
    let path = folder.path().to_str().ok_or("no path")?;
    let mut site = Site::start(TWO_FEED, &["--nut-driver", path])?;
    for line in ["[ups-a]", "driver = ridethrough", "port = auto"] {
        site.until(line)?;
    }
    site.until("commands:")?;
    let socket = folder.path().join("ridethrough-ups-a");
    let mut driver = UnixStream::connect(&socket).map_err(|e| e.to_string())?;
    driver
        .set_read_timeout(Some(WAIT))
        .and_then(|()| driver.write_all(b"DUMPALL\n"))
        .map_err(|e| e.to_string())?;
    let mut lines = BufReader::new(driver).lines().map_while(Result::ok);
    let mut heard = |wanted: &str| lines.any(|line| line == wanted);
    holds(heard("SETINFO ups.status \"OL\""), || "no status".into())?;
    holds(heard("DUMPDONE"), || "the dump has no end".into())?;
    site.say("outage grid")?;
    let outage = heard("SETINFO ups.status \"OB DISCHRG\"");
    holds(outage, || "the outage was not pushed".into())?;

    let mut second = program();
    second.arg("emulate").arg(root().join(TWO_FEED));
    let refused = output(second.args(["--nut-driver", path]))?;
    exits(&refused, 4)?;
    let why = said(&refused);
    holds(why.contains("another driver answers there"), || why.clone())?;
    let pid = site.child.id().to_string();
    let kill = Command::new("kill").args(["-TERM", &pid]).status();
    kill.map_err(|e| e.to_string())?;
    let status = site.end()?;
    holds(status.code() == Some(130), || status.to_string())?;
    holds(!socket.exists(), || "its socket is left behind".into())
}

fn redfish_tls() -> Result<(), String> {
    let mut command = program();
    command.arg("emulate").arg(root().join(TWO_FEED));
    let refused = output(command.args(["--nut", ANY, "--redfish-tls"]))?;
    exits(&refused, 2)?;
    let mut site = Site::start(TWO_FEED, &["--redfish", ANY, "--redfish-tls"])?;
    let hint = site.until("  redfish ")?;
    let words: Vec<&str> = hint.split_whitespace().skip(2).collect();
    let [.., url] = words.as_slice() else {
        return Err(format!("no hint in {hint:?}"));
    };
    holds(url.starts_with("https://"), || hint.clone())?;
    holds(words.contains(&"-k"), || hint.clone())?;
    // As the hint says, and without `-k`, as nobody signed the certificate.
    until("curl", &[&["-s"], &words[..]].concat(), "RedfishVersion")?;
    let strict: Vec<&str> = words.iter().copied().filter(|w| *w != "-k").collect();
    let strict = answer("curl", &[&["-s"], &strict[..]].concat())?;
    holds(strict.is_empty(), || strict.clone())?;
    let plain = url.replacen("https", "http", 1);
    let plain = answer("curl", &["-s", &plain])?;
    holds(!plain.contains("RedfishVersion"), || plain.clone())
}

fn bad_site() -> Result<(), String> {
    let folder = folder()?;
    let path = folder.path().join("bad.yaml");
    let good = std::fs::read_to_string(root().join(TWO_FEED)).map_err(|e| e.to_string())?;
    let bad = good.replacen("from: grid", "from: gird", 1);
    std::fs::write(&path, bad).map_err(|e| e.to_string())?;
    let done = output(program().arg("emulate").arg(&path))?;
    exits(&done, 2)?;
    let text = said(&done);
    for wanted in [
        "no component `gird`",
        "bad.yaml:8:11",
        "did you mean `grid`?",
    ] {
        holds(text.contains(wanted), || text.clone())?;
    }
    Ok(())
}

fn interrupt() -> Result<(), String> {
    let mut site = Site::start(TWO_FEED, &["--nut", ANY])?;
    site.until("commands:")?;
    let pid = site.child.id().to_string();
    let kill = Command::new("kill").args(["-INT", &pid]).status();
    kill.map_err(|e| e.to_string())?;
    let status = site.end()?;
    holds(status.code() == Some(130), || status.to_string())
}

/// Runs a program and gives what it printed.
fn answer(program: &str, args: &[&str]) -> Result<String, String> {
    let done = Command::new(program).args(args).output();
    let done = done.map_err(|e| format!("{program}: {e}"))?;
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Asks again and again until the answer holds a text.
fn until(program: &str, args: &[&str], text: &str) -> Result<(), String> {
    let end = Instant::now() + WAIT;
    loop {
        let said = answer(program, args)?;
        if said.contains(text) {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(format!("{program} never said {text:?}: {said}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn every_protocol() -> Result<(), String> {
    let args = [
        "--nut",
        ANY,
        "--snmp",
        ANY,
        "--modbus",
        ANY,
        "--redfish",
        ANY,
        "--metrics",
        ANY,
        "--http",
        ANY,
    ];
    let mut site = Site::start("playbooks/sites/full.yaml", &args)?;
    let nut = format!("ups-a@127.0.0.1:{}", site.port("nut")?);
    let snmp = format!("127.0.0.1:{}", site.port("snmp")?);
    let modbus = site.port("modbus")?;
    let redfish = format!("http://127.0.0.1:{}/redfish/v1/", site.port("redfish")?);
    let metrics = format!("http://127.0.0.1:{}/metrics", site.port("metrics")?);
    let page = format!("http://127.0.0.1:{}", site.port("http")?);
    let source = [
        "-v2c",
        "-c",
        "public@ups-a",
        "-Ovq",
        &snmp,
        "1.3.6.1.2.1.33.1.4.1.0",
    ];
    // 802 State: registers 40403, 3 is connected; 701 W is at 40080.
    let state = [
        "-m",
        "tcp",
        "-p",
        &modbus,
        "-a",
        "1",
        "-t",
        "4",
        "-0",
        "-r",
        "40403",
        "-1",
        "127.0.0.1",
    ];
    until("upsc", &[&nut, "ups.status"], "OL")?;
    until("snmpget", &source, "3")?;
    until("mbpoll", &state, "3")?;
    let switches = format!("{redfish}PowerEquipment/TransferSwitches/ats-1");
    until(
        "curl",
        &["-s", "-u", "supervisor:supervisor", &switches],
        "AutomaticTransferSwitch",
    )?;
    let told = answer(
        "curl",
        &["-s", "-d", "outage grid", &format!("{page}/command")],
    )?;
    holds(told.trim() == "done", || told.clone())?;
    until("upsc", &[&nut, "ups.status"], "OB DISCHRG")?;
    until("snmpget", &source, "5")?;
    until(
        "curl",
        &["-s", &metrics],
        "ridethrough_utility_volts{device=\"grid\"} 0",
    )?;
    until("curl", &["-s", &format!("{page}/diagram")], "ON BATTERY")?;
    // One protocol lies; the others tell the truth.
    site.say("telemetry lie charge 0.07 nut ups-a")?;
    until("upsc", &[&nut, "battery.charge"], "7")?;
    let elsewhere = [
        "-s",
        "-H",
        "Origin: http://elsewhere.example",
        "-d",
        "restore",
        &format!("{page}/command"),
    ];
    let refused = answer("curl", &elsewhere)?;
    holds(refused.contains("this page only"), || refused.clone())?;
    site.say("quit")?;
    let status = site.end()?;
    holds(status.code() == Some(0), || status.to_string())
}
