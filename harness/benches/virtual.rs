//! How much faster than real time a run in the virtual world is:
//! `cargo bench -p ridethrough --bench virtual`, or with a part's name behind
//! `--`: `reference`, `outage`, `idle`, `crowd`.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use ridethrough::conduct::{Conduct, Outcome, conduct};
use ridethrough::judge::Verdict;
use ridethrough::plan::plan_source;
use ridethrough::playbook::WorldKind;
use ridethrough_targets::clock::{Clock, Micros};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

/// Every measurement is the median of so many, or of fewer where they take long.
const ROUNDS: usize = 3;
/// No further round is begun after this long.
const PATIENCE_S: f64 = 20.0;

/// Two minutes of the reference stack, with an outage of half a minute. One
/// stream decodes at 50 tokens a second, about six share a replica.
const REFERENCE: &str = "
name: two minutes of the reference stack
site: ../sites/two-feed.yaml
stack: ../stacks/reference.yaml
load:
  - {name: chat, arrivals: {poisson: {rate: 20/s}}, prompt_tokens: 32..256, output_tokens: 40..120}
phases: {baseline: 45s, outage: 30s, recovery: 45s}
faults:
  - {inject: {utility_outage: {}}, during: outage}
assert:
  - failover: {to: battery, within: 10ms}
  - continuity: {lost: 0, torn: 0, of: {at_least: 2000}}
  - latency: {of: ttft, p99: 800ms}
  - latency: {of: tpot, p50: 25ms}
";

/// Twelve hours without a grid, on batteries that last for a day.
const LONG_OUTAGE: &str = "
name: twelve hours without a grid
site:
  name: batteries for a day
  utilities: {grid: {}}
  ups:
    ups-a: {from: grid, class: vfi, rating: 12kW, battery: {energy: 288kWh, runtime: 1440m}}
    ups-b: {from: grid, class: vfi, rating: 12kW, battery: {energy: 288kWh, runtime: 1440m}}
  pdus:
    pdu-a: {from: ups-a, breaker: {rating: 63A}}
    pdu-b: {from: ups-b, breaker: {rating: 63A}}
  feeds: {a: ups-a, b: ups-b}
  # As seldom as upsd asks its drivers.
  supervisor: {poll: 2s, stale_after: 15s}
  racks:
    r1: {cords: [pdu-a, pdu-b]}
    r2: {cords: [pdu-a, pdu-b]}
    r3: {cords: [pdu-b]}
stack: ../stacks/reference.yaml
load:
  - {name: chat, arrivals: {constant: {rate: 0.1/s}}, prompt_tokens: 32..256, output_tokens: 40..120}
phases: {baseline: 60s, outage: 43200s, recovery: 60s}
faults:
  - {inject: {utility_outage: {}}, during: outage}
assert:
  - failover: {to: battery, within: 10ms}
  - continuity: {lost: 0, torn: 0, of: {at_least: 4000}}
  - battery: {charge_at_least: 20%}
";

/// An hour in which nothing is done but to watch: one replica without a
/// gateway, one request, and two UPSs with cards and a supervisor.
const WATCHED: &str = "
name: an idle hour
site: ../sites/two-feed.yaml
stack:
  name: one replica
  entry: replica
  nodes: {gpu-1: {rack: r1}}
  services: {replica: {on: [gpu-1], replica: {}}}
load:
  - {name: chat, arrivals: {constant: {rate: 0.0001/s}}, prompt_tokens: 32, output_tokens: 40}
phases: {baseline: 3600s}
assert:
  - continuity: {lost: 0, torn: 0}
";

/// A day without anything that watches: no UPS, hence no card and no supervisor.
const UNWATCHED: &str = "
name: an idle day
site:
  name: no UPS
  utilities: {grid: {}}
  pdus: {pdu-a: {from: grid, breaker: {rating: 63A}}}
  racks: {r1: {cords: [pdu-a]}}
stack:
  name: one replica
  entry: replica
  nodes: {gpu-1: {rack: r1}}
  services: {replica: {on: [gpu-1], replica: {}}}
load:
  - {name: chat, arrivals: {constant: {rate: 0.0001/s}}, prompt_tokens: 32, output_tokens: 40}
phases: {baseline: 86000s}
assert:
  - continuity: {lost: 0, torn: 0}
";

/// Streams of five seconds at 50 tokens a second, as many as come in that time.
fn crowd(rate: u32, seconds: u32) -> String {
    format!(
        "
name: a crowd
site: ../sites/two-feed.yaml
stack:
  name: wide replicas
  nodes:
    edge-1: {{rack: r1, idle: 200W, peak: 400W}}
    gpu-1: {{rack: r1}}
    gpu-2: {{rack: r2}}
    gpu-3: {{rack: r3}}
  services:
    gateway:
      on: [edge-1]
      gateway: {{admission: {{max_in_flight: 4096}}}}
    replica:
      on: [gpu-1, gpu-2, gpu-3]
      replica: {{slots: 1024, queue: 1024, decode_slope: 0%}}
load:
  - {{name: chat, arrivals: {{constant: {{rate: {rate}/s}}}}, prompt_tokens: 32..256, output_tokens: 250}}
phases: {{baseline: {seconds}s}}
assert:
  - continuity: {{lost: 0, torn: 0, of: {{at_least: 100}}}}
  - latency: {{of: tpot, p99: 22ms}}
"
    )
}

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One of the benchmark's parts.
type Part = fn(&Runtime) -> Result<()>;

fn measure() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()?;
    println!(
        "{:<58} {:>11} {:>11} {:>10}",
        "virtual world", "median", "worst", "bar"
    );
    let asked = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let parts: [(&str, Part); 4] = [
        ("reference", reference),
        ("outage", outage),
        ("idle", idle),
        ("crowd", crowds),
    ];
    for (name, part) in parts {
        if asked.as_deref().is_none_or(|asked| asked == name) {
            part(&runtime)?;
        }
    }
    Ok(())
}

fn reference(runtime: &Runtime) -> Result<()> {
    let run = rounds(runtime, REFERENCE)?;
    let what = "reference stack, 20 requests/s: times real time";
    run.row(what, times, Bar::AtLeast(300.0));
    run.row("  by the processor's time", times_cpu, Bar::None);
    run.row("  tokens per real second", tokens_per_s, Bar::None);
    Ok(())
}

fn outage(runtime: &Runtime) -> Result<()> {
    let run = rounds(runtime, LONG_OUTAGE)?;
    let what = "12 h outage, 0.1 requests/s: real seconds";
    run.row(what, real_s, Bar::AtMost(10.0));
    run.row("  of the processor's time, seconds", cpu_time_s, Bar::None);
    run.row("  times real time", times, Bar::None);
    run.row("  megabytes of record", megabytes, Bar::None);
    Ok(())
}

fn idle(runtime: &Runtime) -> Result<()> {
    for (what, playbook) in [
        ("idle, two UPSs watched: times real time", WATCHED),
        ("idle, no UPS, nobody watches: times real time", UNWATCHED),
    ] {
        let run = rounds(runtime, playbook)?;
        run.row(what, times, Bar::AtLeast(1e5));
        run.row("  by the processor's time", times_cpu, Bar::None);
    }
    Ok(())
}

/// The cost of a token with few and with many streams open. The many are let in
/// for less long, so that the rounds are of like length.
fn crowds(runtime: &Runtime) -> Result<()> {
    let few = rounds(runtime, &crowd(20, 60))?;
    let many = rounds(runtime, &crowd(200, 15))?;
    for (what, run) in [("few", &few), ("many", &many)] {
        let what = format!("{what} streams: open at one time");
        run.row(&what, open_streams, Bar::None);
        run.row("  µs per token", us_per_token, Bar::None);
        run.row("  µs of the processor's time", cpu_us_per_token, Bar::None);
    }
    let ratios = |of: fn(&Sample) -> f64| {
        let pairs = few.0.iter().zip(&many.0);
        pairs.map(|(few, many)| of(many) / of(few)).collect()
    };
    row(
        "many to few, per token",
        ratios(us_per_token),
        &Bar::AtMost(2.0),
    );
    row(
        "  by the processor's time",
        ratios(cpu_us_per_token),
        &Bar::None,
    );
    Ok(())
}

/// One round, of which only numbers are kept.
struct Sample {
    real_s: f64,
    cpu_s: f64,
    simulated_s: f64,
    tokens: f64,
    open_streams: f64,
    record_bytes: f64,
}

fn times(s: &Sample) -> f64 {
    s.simulated_s / s.real_s
}

fn times_cpu(s: &Sample) -> f64 {
    s.simulated_s / s.cpu_s
}

fn tokens_per_s(s: &Sample) -> f64 {
    s.tokens / s.real_s
}

fn us_per_token(s: &Sample) -> f64 {
    s.real_s * 1e6 / s.tokens
}

fn cpu_us_per_token(s: &Sample) -> f64 {
    s.cpu_s * 1e6 / s.tokens
}

fn cpu_time_s(s: &Sample) -> f64 {
    s.cpu_s
}

fn real_s(s: &Sample) -> f64 {
    s.real_s
}

fn open_streams(s: &Sample) -> f64 {
    s.open_streams
}

fn megabytes(s: &Sample) -> f64 {
    s.record_bytes / 1e6
}

/// What a median is held against.
enum Bar {
    None,
    AtLeast(f64),
    AtMost(f64),
}

struct Samples(Vec<Sample>);

impl Samples {
    fn row(&self, what: &str, of: fn(&Sample) -> f64, bar: Bar) {
        row(what, self.0.iter().map(of).collect(), &bar);
    }
}

fn row(what: &str, mut values: Vec<f64>, bar: &Bar) {
    // The worst comes last.
    values.sort_by(|a, b| match bar {
        Bar::AtLeast(_) => b.total_cmp(a),
        Bar::None | Bar::AtMost(_) => a.total_cmp(b),
    });
    let median = values.get(values.len() / 2).copied().unwrap_or(f64::NAN);
    let worst = values.last().copied().unwrap_or(f64::NAN);
    let (bar, held) = match bar {
        Bar::None => (String::new(), ""),
        Bar::AtLeast(bar) => (format!("≥ {bar}"), held(median >= *bar)),
        Bar::AtMost(bar) => (format!("≤ {bar}"), held(median <= *bar)),
    };
    println!("{what:<58} {median:>11.2} {worst:>11.2} {bar:>10} {held}");
}

fn held(is: bool) -> &'static str {
    if is { "ok" } else { "over" }
}

fn rounds(runtime: &Runtime, playbook: &str) -> Result<Samples> {
    let (mut samples, mut spent_s) = (Vec::new(), 0.0);
    while samples.len() < ROUNDS && spent_s < PATIENCE_S {
        let sample = round(runtime, playbook)?;
        spent_s += sample.real_s;
        samples.push(sample);
    }
    Ok(Samples(samples))
}

/// A whole run: plan carried out, record written and judged, reports written.
fn round(runtime: &Runtime, playbook: &str) -> Result<Sample> {
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks/power/bench.yaml");
    let (_, plan) = plan_source(&at, playbook).map_err(|errors| errors.render(false))?;
    let folder = tempfile::tempdir()?;
    let how = Conduct {
        world: WorldKind::Virtual,
        id: "bench".into(),
        out: folder.path().to_path_buf(),
        pcap: false,
        watcher: None,
        stop: CancellationToken::new(),
        repeat: String::new(),
        disarm: None,
        podium: None,
    };
    let (clock, cpu_before) = (Clock::start(), cpu_s()?);
    let outcome = runtime.block_on(conduct(plan, how))?;
    let (real_s, cpu_s) = (clock.now_us() as f64 / 1e6, cpu_s()? - cpu_before);
    if outcome.judgement.verdict != Verdict::Pass {
        return Err(outcome.board(false).into());
    }
    let facts = &outcome.judgement.facts;
    Ok(Sample {
        real_s,
        cpu_s,
        simulated_s: facts.last_us as f64 / 1e6,
        tokens: facts.rows.iter().map(|row| f64::from(row.tokens)).sum(),
        open_streams: most_open(&outcome),
        record_bytes: std::fs::metadata(folder.path().join("record.jsonl"))?.len() as f64,
    })
}

/// The most requests that were open at one time.
fn most_open(outcome: &Outcome) -> f64 {
    let rows = outcome.judgement.facts.rows.iter();
    let mut moves: Vec<(Micros, i32)> = rows
        .flat_map(|row| [(row.sent_us, 1), (row.end_us, -1)])
        .collect();
    moves.sort_unstable();
    let (mut open, mut most) = (0, 0);
    for (_, step) in moves {
        open += step;
        most = most.max(open);
    }
    f64::from(most)
}

/// Seconds of processor time that this process has had: on a machine that
/// others use too, it tells more of the program than real time does.
#[cfg(unix)]
fn cpu_s() -> Result<f64> {
    use nix::time::{ClockId, clock_gettime};

    let spent = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(spent.tv_sec() as f64 + spent.tv_nsec() as f64 / 1e9)
}

#[cfg(not(unix))]
fn cpu_s() -> Result<f64> {
    Err("processor time is not measured on this system".into())
}
