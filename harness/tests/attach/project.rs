//! A project that runs: a gateway and two replicas, as their owner started them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ridethrough_targets::world::docker;

/// Longest that a project may take to serve.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program under test.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ridethrough"));
    command.stdin(Stdio::null());
    command
}

/// The image of the services.
pub(crate) fn image() -> Result<String, String> {
    static IMAGE: OnceLock<Result<String, String>> = OnceLock::new();
    let made = || {
        let program = Path::new(env!("CARGO_BIN_EXE_ridethrough"));
        docker::image_of(program).map_err(|error| error.to_string())
    };
    IMAGE.get_or_init(made).clone()
}

/// Runs a program to its end.
pub(crate) fn output(command: &mut Command) -> Result<Output, String> {
    command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))
}

/// What a program prints; an error unless it ends well.
pub(crate) fn ask(command: &mut Command) -> Result<String, String> {
    let output = output(command)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{command:?}: {}", text(&output.stderr))),
    }
}

/// What the engine prints.
pub(crate) fn engine(args: &[&str]) -> Result<String, String> {
    ask(Command::new("docker").args(args))
}

/// A project; it is gone when this is dropped.
pub(crate) struct Project {
    /// Its name.
    pub(crate) name: String,
    /// Where its file is, and runs are.
    pub(crate) folder: tempfile::TempDir,
}

impl Project {
    /// Starts one, with more lines for the gateway's container.
    pub(crate) fn up(name: &str, gateway: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let project = Self {
            name: format!("rtt{}{name}", std::process::id()),
            folder,
        };
        let image = image()?;
        let replica = |rack: &str, more: &str| {
            format!(
                "    image: {image}\n    command: [serve, replica, --port, '8000']\n    labels: \
                 {{ridethrough.rack: {rack}, ridethrough.port: '8000'}}\n{more}"
            )
        };
        let text = format!(
            "version: '2.4'\nservices:\n  gateway:\n    image: {image}\n    command: [serve, \
             gateway, --port, '8000', --replica, 'gpu-1:8000', --replica, 'gpu-2:8000']\n    \
             labels: {{ridethrough.rack: r1, ridethrough.port: '8000', ridethrough.entry: \
             'true'}}\n{}  gpu-1:\n{}  gpu-2:\n{}",
            gateway.replace("IMAGE", &image),
            replica("r2", ""),
            replica("r3", "    restart: unless-stopped\n")
        );
        std::fs::write(project.file(), text).map_err(|error| error.to_string())?;
        project.compose(&["up", "-d"])?;
        Ok(project)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("docker-compose.yml")
    }

    /// Asks Compose.
    pub(crate) fn compose(&self, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new("docker-compose");
        command
            .arg("-f")
            .arg(self.file())
            .args(["-p", &self.name])
            .args(args);
        ask(&mut command)
    }

    /// The name of a service's container.
    pub(crate) fn container(&self, service: &str) -> String {
        format!("{}_{service}_1", self.name)
    }

    /// The address of a service's container.
    pub(crate) fn address(&self, service: &str) -> Result<String, String> {
        let form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        engine(&["inspect", "-f", form, &self.container(service)])
    }

    /// Waits until the gateway answers a request.
    pub(crate) fn serves(&self) -> Result<(), String> {
        let url = format!(
            "http://{}:8000/v1/chat/completions",
            self.address("gateway")?
        );
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":2}"#;
        let begun = Instant::now();
        loop {
            let mut curl = Command::new("curl");
            curl.args([
                "-sf",
                "-m",
                "5",
                "-H",
                "content-type: application/json",
                "-d",
                body,
                &url,
            ]);
            match ask(&mut curl) {
                Ok(_) => return Ok(()),
                Err(error) if begun.elapsed() > PATIENCE => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Writes a playbook over it, with these faults and promises.
    pub(crate) fn playbook(&self, rest: &str) -> Result<PathBuf, String> {
        let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks/sites/two-feed.yaml");
        let text = format!(
            "name: attached\nsite: {}\nstack: {{name: mine, compose: {}}}\nload:\n  - name: chat\n    \
             arrivals: {{constant: {{rate: 6/s}}}}\n    output_tokens: 20..40\n    client: \
             {{connect_timeout: 3s, idle_timeout: 8s}}\n{rest}",
            site.display(),
            self.name
        );
        let path = self.folder.path().join("playbook.yaml");
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        Ok(path)
    }

    /// A run of a playbook, with a state folder of its own.
    pub(crate) fn run(&self, playbook: &Path) -> Command {
        let mut command = program();
        command
            .arg("run")
            .arg(playbook)
            .arg("--out")
            .arg(self.out());
        command.env("RIDETHROUGH_STATE", self.folder.path().join("state"));
        command
    }

    /// The folder of its run.
    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("run")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "-t", "0"]);
    }
}
