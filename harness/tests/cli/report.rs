//! The report as a page, written by the program and opened by a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::live::Live;
use super::run::{data, exits, folder, holds, output, program, said};
use super::synthetic::synthetic;

pub(crate) const CASES: &[(&str, super::Body)] = &[
    ("report::is_written_by_run_judge_and_report", written),
    ("report::a_torn_record_is_told_as_far_as_it_goes", torn),
    ("report::a_newer_record_is_refused_by_its_schema", newer),
];

/// What opens pages.
const BROWSER: &[(&str, &str)] = &[("chromium", "chromium")];

pub(crate) const IN_BROWSER: &[Live] = &[
    Live {
        name: "report::a_page_works_in_chromium",
        needs: BROWSER,
        body: works,
    },
    Live {
        name: "report::ten_thousand_requests_open_in_chromium",
        needs: BROWSER,
        body: large,
    },
    Live {
        name: "report::a_model_that_grows_by_events_is_the_same",
        needs: BROWSER,
        body: grown,
    },
    Live {
        name: "report::a_hostile_name_stays_text_in_chromium",
        needs: BROWSER,
        body: hostile,
    },
];

/// A run folder of a short playbook.
fn run(out: &Path, playbook: &Path) -> Result<(), String> {
    let mut command = program();
    command.arg("run").arg(playbook);
    let output = output(command.args(["--world", "virtual", "--out"]).arg(out))?;
    exits(&output, 0)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn written() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    run(&out, &data("short.yaml"))?;
    let page = out.join("report.html");
    let first = read(&page)?;
    holds(first.contains("--seed 1 --world virtual"), || {
        "no way to repeat it".into()
    })?;
    std::fs::remove_file(&page).map_err(|e| e.to_string())?;
    exits(&output(program().arg("judge").arg(&out))?, 0)?;
    let again = read(&page)?;
    let elsewhere = folder.path().join("other.html");
    let mut command = program();
    command.arg("report").arg(&out).arg("--out").arg(&elsewhere);
    exits(&output(&mut command)?, 0)?;
    holds(again == read(&elsewhere)?, || {
        "judge and report differ".into()
    })?;
    // They know the run's folder alone; all else is as the run wrote it.
    let body = |page: &str| page.split("id=\"repeat\"").next().map(str::len);
    holds(body(&first) == body(&again), || {
        "run and judge differ".into()
    })
}

fn torn() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    run(&out, &data("short.yaml"))?;
    let record = out.join("record.jsonl");
    let whole = read(&record)?;
    for (cut, name) in [
        (whole.len() / 2, "in a line"),
        (whole.len() * 3 / 4, "in another"),
    ] {
        std::fs::write(&record, &whole[..cut]).map_err(|e| e.to_string())?;
        exits(&output(program().arg("report").arg(&out))?, 0)?;
        let page = read(&out.join("report.html"))?;
        holds(page.contains("This record breaks off."), || {
            format!("{name}: not marked")
        })?;
        holds(page.contains("INVALID"), || format!("{name}: not invalid"))?;
    }
    // What cannot be read in the middle ends it, too.
    let lines: Vec<&str> = whole.lines().collect();
    let mut spoilt = lines[..lines.len() / 2].join("\n");
    spoilt.push_str("\n\u{0}\u{0}\n");
    spoilt.push_str(&lines[lines.len() / 2..].join("\n"));
    std::fs::write(&record, spoilt).map_err(|e| e.to_string())?;
    exits(&output(program().arg("report").arg(&out))?, 0)?;
    let page = read(&out.join("report.html"))?;
    holds(page.contains("is no event"), || "not said where".into())
}

fn newer() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    run(&out, &data("short.yaml"))?;
    let record = out.join("record.jsonl");
    let text = read(&record)?.replacen("\"schema\":1", "\"schema\":2", 1);
    std::fs::write(&record, text).map_err(|e| e.to_string())?;
    let output = output(program().arg("report").arg(&out))?;
    exits(&output, 2)?;
    let text = said(&output);
    let words = ["schema 2", "reads schemas up to 1"];
    holds(words.iter().all(|word| text.contains(word)), || {
        text.clone()
    })
}

/// What a page found when it tried itself, and its document.
fn tried(page: &Path) -> Result<(Value, String), String> {
    let profile = folder()?;
    let mut command = Command::new("chromium");
    command
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--window-size=1280,900",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}#selftest", page.display()));
    let output = output(&mut command)?;
    let document = String::from_utf8_lossy(&output.stdout).into_owned();
    let attribute = |name: &str| {
        let from = document.find(&format!("{name}=\""))? + name.len() + 2;
        let length = document[from..].find('"')?;
        Some(
            document[from..from + length]
                .replace("&quot;", "\"")
                .replace("&amp;", "&"),
        )
    };
    if let Some(errors) = attribute("data-errors") {
        return Err(format!("the page's scripts failed: {errors}"));
    }
    let found = attribute("data-selftest").ok_or_else(|| format!("no test: {}", said(&output)))?;
    let found = serde_json::from_str(&found).map_err(|e| format!("{found}: {e}"))?;
    Ok((found, document))
}

fn all_well(found: &Value) -> Result<(), String> {
    for what in ["words", "diagram", "cursor", "opened", "tokens"] {
        holds(found[what] == true, || format!("{what}: {found}"))?;
    }
    holds(found["errors"] == 0, || found.to_string())
}

/// No script fails, the slider moves words, diagram and cursor, and a lane opens.
fn works() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    run(&out, &data("short.yaml"))?;
    let (found, _) = tried(&out.join("report.html"))?;
    all_well(&found)?;
    let now = found["now"].to_string();
    holds(
        now.contains("utility outage") && now.contains("on battery"),
        || now.clone(),
    )
}

fn large() -> Result<(), String> {
    let folder = folder()?;
    synthetic(folder.path(), 10_000, 600);
    exits(&output(program().arg("report").arg(folder.path()))?, 0)?;
    let page = folder.path().join("report.html");
    let size = std::fs::metadata(&page).map_err(|e| e.to_string())?.len();
    holds(size < 5_000_000, || format!("{size} bytes"))?;
    let (found, _) = tried(&page)?;
    all_well(&found)?;
    holds(found["rows"] == 10_000, || found.to_string())
}

/// Compares a model that took every event of a record with the page's own.
const COMPARE: &str = "
  const grown = new Model();
  grown.parts = report.model.parts;
  grown.bins = new Bins(0, report.model.bins.width, grown.groups);
  for (const event of events) grown.append(event);
  const known = report.model;
  const differ = [];
  const same = (what, a, b) => {
    if (JSON.stringify(a) !== JSON.stringify(b)) differ.push(`${what}: ${JSON.stringify(a)} / ${JSON.stringify(b)}`);
  };
  const byId = (rows) => Object.fromEntries(rows.map((row) => [row.id, row]));
  const [ours, theirs] = [byId(grown.rows), byId(known.rows)];
  same('rows', Object.keys(ours).sort(), Object.keys(theirs).sort());
  for (const [id, row] of Object.entries(ours)) {
    for (const key of ['at', 'sent', 'end', 'error', 'silence', 'fate', 'group', 'served', 'tokens', 'detail']) {
      same(`${id} ${key}`, row[key], theirs[id]?.[key]);
    }
    const [exact, told] = [grown.times(row), known.times(theirs[id])];
    same(`${id} tokens`, exact.length, told.length);
    if (exact.some((t, n) => Math.abs(t - told[n]) > 50)) differ.push(`${id}: token times`);
  }
  same('requests', grown.bins.requests.map((all) => all.reduce((a, b) => a + b, 0)),
    known.bins.requests.map((all) => all.reduce((a, b) => a + b, 0)));
  for (const what of ['ttft', 'itl']) {
    for (const p of ['p50', 'p99']) {
      known.bins[what][p].forEach((value, n) => same(`${what} ${p} ${n}`, grown.bins[what][p][n] ?? null, value));
    }
  }
  for (let t = known.originUs; t < known.endUs; t += 97e3) {
    same(`flight ${t}`, grown.inFlight(t), known.inFlight(t));
    for (const { name } of known.parts) {
      same(`${name} supply ${t}`, grown.supplyOf(name, t), known.supplyOf(name, t));
      same(`${name} machine ${t}`, grown.machine(name, t), known.machine(name, t));
    }
    for (const of of ['supervisor', 'replica:gpu-2']) {
      same(`${of} ${t}`, grown.state(of, 'service', t), known.state(of, 'service', t));
    }
  }
  const found = JSON.parse(document.documentElement.dataset.selftest);
  document.documentElement.dataset.selftest = JSON.stringify({...found, differ: differ.slice(0, 5)});
";

/// What a report tells at once, and what its events tell one by one, is the same.
fn grown() -> Result<(), String> {
    let folder = folder()?;
    let out = folder.path().join("run");
    let mut command = program();
    command
        .arg("run")
        .arg(super::run::shipped("power/rack-loss.yaml"));
    exits(
        &output(command.args(["--world", "virtual", "--out"]).arg(&out))?,
        0,
    )?;
    let events = serde_json::to_string(&super::run::events(&out)?).map_err(|e| e.to_string())?;
    let events = events.replace('<', "\\u003c");
    let mut page = read(&out.join("report.html"))?;
    for part in [
        "<script>\nconst events = ",
        &events,
        ";\n",
        COMPARE,
        "</script>\n",
    ] {
        page.push_str(part);
    }
    let both = folder.path().join("both.html");
    std::fs::write(&both, page).map_err(|e| e.to_string())?;
    let (found, _) = tried(&both)?;
    all_well(&found)?;
    holds(found["differ"] == serde_json::json!([]), || {
        found.to_string()
    })
}

/// Names from a playbook are text: they end no element and start no script.
fn hostile() -> Result<(), String> {
    let folder = folder()?;
    let name = "</script><script>complain('run')</script><!-- <img src=x onerror=complain('run')> \u{2028}";
    let text = read(&data("short.yaml"))?;
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    let at = lines.iter().position(|line| line.starts_with("name:"));
    lines[at.ok_or("no name")?] = format!("name: {}", Value::from(name));
    let playbook: PathBuf = folder.path().join("hostile.yaml");
    let root = super::run::root()
        .canonicalize()
        .map_err(|e| e.to_string())?;
    let text = lines
        .join("\n")
        .replace("../../../../", &format!("{}/", root.display()));
    std::fs::write(&playbook, text).map_err(|e| e.to_string())?;
    let out = folder.path().join("run");
    run(&out, &playbook)?;
    let (found, document) = tried(&out.join("report.html"))?;
    all_well(&found)?;
    holds(
        document.contains("&lt;/script&gt;&lt;script&gt;complain"),
        || "no name".into(),
    )
}
