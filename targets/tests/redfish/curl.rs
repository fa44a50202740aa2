//! curl: what the wire looks like to a client that only knows HTTP.

use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::peer::{Peer, check};
use crate::site::Site;

const USER: &str = "supervisor:supervisor";
const JSON: &str = "Content-Type: application/json";

/// The status, the head and the document of an answer.
struct Answer {
    status: String,
    head: String,
    document: Json,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.trim())
    }
}

async fn ask(curl: &Peer, arguments: &[&str]) -> Result<Answer, Failed> {
    let all = [&["-sk", "-i", "-m", "20"], arguments].concat();
    let output = curl.run(&all).await?;
    check(output.good, format!("{} {}", output.out, output.err))?;
    let (head, body) = output
        .out
        .split_once("\r\n\r\n")
        .unwrap_or((&output.out, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    Ok(Answer {
        status: status.into(),
        head: head.into(),
        document: serde_json::from_str(body).unwrap_or_default(),
    })
}

pub(crate) async fn session(curl: Peer) -> Result<(), Failed> {
    let site = Site::start(false).await?;
    let body = json!({"UserName": "supervisor", "Password": "supervisor"}).to_string();
    let sessions = site.at("/SessionService/Sessions");
    let login = ask(&curl, &[&sessions, "-H", JSON, "-d", &body]).await?;
    check(login.status == "201", &login.head)?;
    let token = format!("X-Auth-Token: {}", login.header("x-auth-token"));
    let session = format!("{}{}", site.root(), login.header("location"));

    let outlet = site.at("/PowerEquipment/RackPDUs/pdu-a/Outlets/1");
    let before = ask(&curl, &[&outlet, "-H", &token]).await?;
    check(
        before.document["PowerState"] == "On",
        before.document.to_string(),
    )?;
    let target = &before.document["Actions"]["#Outlet.PowerControl"]["target"];
    let target = format!("{}{}", site.root(), target.as_str().unwrap_or_default());
    let off = r#"{"PowerState": "Off"}"#;
    let switched = ask(&curl, &[&target, "-H", &token, "-H", JSON, "-d", off]).await?;
    check(switched.status == "204", &switched.head)?;
    let after = ask(&curl, &[&outlet, "-H", &token]).await?;
    check(
        after.document["PowerState"] == "Off",
        after.document.to_string(),
    )?;

    let out = ask(&curl, &["-X", "DELETE", &session, "-H", &token]).await?;
    check(out.status == "204", &out.head)?;
    let refused = ask(&curl, &[&outlet, "-H", &token]).await?;
    check(refused.status == "401", &refused.head)
}

pub(crate) async fn tls(curl: Peer) -> Result<(), Failed> {
    let site = Site::start(true).await?;
    let root = ask(&curl, &[&site.at("/")]).await?;
    check(root.document["Id"] == "RootService", root.head)?;
    let head = ask(&curl, &["-I", &site.at("/")]).await?;
    check(head.header("content-length").len() > 2, head.head)?;
    let system = ask(&curl, &["-u", USER, &site.at("/Systems/gpu-1")]).await?;
    check(system.document["PowerState"] == "On", system.head)
}

pub(crate) async fn stream(curl: Peer) -> Result<(), Failed> {
    let site = Site::start(false).await?;
    let mut child = curl
        .command()
        .args(["-sN", "-u", USER, &site.at("/EventService/SSE")])
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().ok_or("no output")?;
    let mut lines = BufReader::new(out).lines();
    lines.next_line().await?;
    let target = site.at("/PowerEquipment/RackPDUs/pdu-a/Outlets/2/Actions/Outlet.PowerControl");
    let off = r#"{"PowerState": "Off"}"#;
    ask(&curl, &["-u", USER, &target, "-H", JSON, "-d", off]).await?;
    let heard = async {
        while let Some(line) = lines.next_line().await? {
            let Some(data) = line.strip_prefix("data: ") else {
                continue;
            };
            let event: Json = serde_json::from_str(data)?;
            let record = event["Events"][0].clone();
            return check(
                record["MessageId"] == "Power.1.2.OutletPoweredOff",
                record.to_string(),
            );
        }
        Err("the stream ended".into())
    };
    timeout(Duration::from_secs(10), heard)
        .await
        .map_err(|_| "nothing heard")?
}

pub(crate) async fn bounds(curl: Peer) -> Result<(), Failed> {
    let site = Site::start(false).await?;
    let long = format!("X-Long: {}", "x".repeat(60_000));
    let head = ask(&curl, &["-u", USER, &site.at("/Systems"), "-H", &long]).await?;
    check(head.status == "431", &head.head)?;
    let target = site.at("/Systems/gpu-1/Actions/ComputerSystem.Reset");
    let body = format!("{{\"ResetType\": \"{}\"}}", "x".repeat(300_000));
    let arguments = &["-u", USER, &target, "-H", JSON, "--data-binary", "@-"];
    let all = [
        &["-s", "-w", "%{http_code}", "-o", "/dev/null"],
        &arguments[..],
    ]
    .concat();
    let output = curl.run_with(&all, &body).await?;
    check(output.out.ends_with("413"), output.out)
}
