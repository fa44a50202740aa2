//! Bundles, keys and exports, as a user makes and checks them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::live::Live;
use super::run::{data, exits, folder, holds, output, program, said};

pub(crate) const CASES: &[(&str, super::Body)] = &[
    ("bundle::a_changed_byte_exits_1_and_is_named", changed),
    ("bundle::a_key_of_ones_own_signs", keys),
    ("export::a_collector_gets_every_request", collector),
    ("export::a_collector_that_refuses_is_told", refused),
];

/// OpenTelemetry's own messages read what is exported.
pub(crate) const WITH_OPENTELEMETRY: &[Live] = &[Live {
    name: "export::opentelemetry_reads_it",
    body: read_by_opentelemetry,
    needs: &[("python3", "python3")],
}];

/// Why the case beside OpenTelemetry cannot run.
pub(crate) fn without_opentelemetry() -> Option<String> {
    let import = "import opentelemetry.proto.collector.trace.v1.trace_service_pb2";
    let found = Command::new("python3").args(["-c", import]).output();
    let there = found.is_ok_and(|output| output.status.success());
    (!there).then(|| "no opentelemetry-proto; pip install opentelemetry-proto".to_string())
}

fn run(out: &Path) -> Result<(), String> {
    let mut command = program();
    command.arg("run").arg(data("short.yaml"));
    let output = output(command.args(["--world", "virtual", "--out"]).arg(out))?;
    exits(&output, 0)
}

fn changed() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    run(&out)?;
    let sealed = output(program().arg("bundle").arg(&out))?;
    exits(&sealed, 0)?;
    let told = said(&sealed);
    let head = told.lines().find_map(|line| line.strip_prefix("head "));
    let head = head.ok_or_else(|| told.clone())?;
    let bundle = out.join("bundle.tar");
    let mut command = program();
    command.arg("verify").arg(&bundle).args(["--head", head]);
    let whole = output(&mut command)?;
    exits(&whole, 0)?;
    holds(said(&whole).contains("is whole"), || said(&whole))?;
    let mut bytes = std::fs::read(&bundle).map_err(|e| e.to_string())?;
    let word = b"\"fate\":\"completed\"";
    let at = bytes.windows(word.len()).position(|w| w == word);
    bytes[at.ok_or("no fate in the bundle")? + 9] ^= 1;
    std::fs::write(&bundle, bytes).map_err(|e| e.to_string())?;
    let broken = output(program().arg("verify").arg(&bundle))?;
    exits(&broken, 1)?;
    let text = said(&broken);
    holds(text.contains("record.jsonl: chunk 0, bytes 0 to"), || {
        text.clone()
    })?;
    let nothing = output(program().arg("verify").arg(out.join("none.tar")))?;
    exits(&nothing, 2)?;
    let other = output(program().arg("verify").arg(data("short.yaml")))?;
    exits(&other, 1)?;
    holds(said(&other).contains("is no bundle"), || said(&other))
}

fn keys() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    run(&out)?;
    let key = folder.path().join("night.pem");
    let made = output(program().arg("keygen").arg(&key))?;
    exits(&made, 0)?;
    let text = said(&made);
    let public = text.split("public key ").nth(1);
    let public = public.and_then(|rest| rest.split(':').next());
    let public = public.ok_or_else(|| text.clone())?;
    let mut command = program();
    command.arg("bundle").arg(&out).arg("--key").arg(&key);
    exits(&output(&mut command)?, 0)?;
    let verify = |by: &str| {
        let bundle = out.join("bundle.tar");
        let mut command = program();
        output(command.arg("verify").arg(bundle).args(["--by", by]))
    };
    exits(&verify(public)?, 0)?;
    exits(&verify(&"00".repeat(32))?, 1)?;
    exits(&output(program().arg("keygen").arg(&key))?, 2)
}

/// One request to a collector: what was posted. It is answered with `answer`.
fn receive(listener: &TcpListener, answer: &str) -> Result<(String, Value), String> {
    let (mut stream, _) = listener.accept().map_err(|e| e.to_string())?;
    let patience = Some(Duration::from_secs(20));
    stream
        .set_read_timeout(patience)
        .map_err(|e| e.to_string())?;
    let (head, body) = request(&mut stream).ok_or("no request")?;
    stream
        .write_all(answer.as_bytes())
        .map_err(|e| e.to_string())?;
    let json = serde_json::from_slice(&body).map_err(|e| e.to_string())?;
    Ok((head, json))
}

fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        all.extend_from_slice(&buffer[..n]);
        let Some(end) = all.windows(4).position(|w| w == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&all[..end]).to_lowercase();
        let length = head.split("content-length: ").nth(1)?;
        let length: usize = length.lines().next()?.trim().parse().ok()?;
        if all.len() >= end + 4 + length {
            return Some((head, all.split_off(end + 4)));
        }
    }
}

const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const REFUSED: &str = "HTTP/1.1 429 Slow\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwait";

fn exported(answer: &'static str) -> Result<(std::process::Output, Vec<(String, Value)>), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    run(&out)?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let url = format!(
        "http://{}",
        listener.local_addr().map_err(|e| e.to_string())?
    );
    let receiver = std::thread::spawn(move || receive(&listener, answer));
    let mut command = program();
    let output = output(command.arg("export").arg(&out).args(["--otlp", &url]))?;
    let received = receiver.join().map_err(|_| "the receiver failed")??;
    Ok((output, vec![received]))
}

fn collector() -> Result<(), String> {
    let (output, received) = exported(TAKEN)?;
    exits(&output, 0)?;
    let (head, json) = &received[0];
    holds(head.starts_with("post /v1/traces http/1.1"), || {
        head.clone()
    })?;
    holds(head.contains("content-type: application/json"), || {
        head.clone()
    })?;
    let spans = json["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array();
    let spans = spans.ok_or("no spans")?;
    let named = |name: &str| {
        let all = spans.iter().filter_map(|span| span["name"].as_str());
        all.filter(|n| n.starts_with(name)).count()
    };
    let (requests, attempts) = (named("request"), named("attempt"));
    holds(requests > 50 && attempts >= requests, || {
        format!("{requests} requests, {attempts} attempts")
    })?;
    holds(named("fault utility_outage") == 1, || "no fault".into())?;
    holds(named("supervisor on_battery") == 1, || "no state".into())
}

fn refused() -> Result<(), String> {
    let (output, _) = exported(REFUSED)?;
    exits(&output, 2)?;
    let text = said(&output);
    holds(text.contains("answered 429: wait"), || text.clone())
}

fn read_by_opentelemetry() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    run(&out)?;
    let traces = folder.path().join("traces.jsonl");
    let mut command = program();
    command.arg("export").arg(&out).arg("--out").arg(&traces);
    exits(&output(&mut command)?, 0)?;
    let script = "\
import base64, json, sys
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
count = 0
for line in open(sys.argv[1]):
    message = json.loads(line)
    for span in message['resourceSpans'][0]['scopeSpans'][0]['spans']:
        # OTLP has ids in hexadecimal where protobuf's own JSON has base64.
        for key in ('traceId', 'spanId', 'parentSpanId'):
            if key in span:
                span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    request = Parse(json.dumps(message), ExportTraceServiceRequest())
    for span in request.resource_spans[0].scope_spans[0].spans:
        assert len(span.trace_id) == 16 and len(span.span_id) == 8
        assert span.end_time_unix_nano >= span.start_time_unix_nano
        count += 1
assert count > 100, count
";
    let mut command = Command::new("python3");
    exits(&output(command.args(["-c", script]).arg(&traces))?, 0)
}
