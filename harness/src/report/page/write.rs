//! The page's HTML.

use std::fmt::Write;

use super::components::COMPONENTS;
use super::data::{data, verdict};
use super::escape::{html, script};
use super::figures::figures;
use super::story::Story;
use super::tables;
use crate::judge::{Judgement, sentence};
use crate::plan::Plan;
use crate::report::summary::Summary;

pub(super) const STYLE: &str = include_str!("assets/page.css");

/// What the report has beside its components.
const SCRIPTS: [&str; 5] = [
    include_str!("assets/tables.js"),
    include_str!("assets/verdict.js"),
    include_str!("assets/scrub.js"),
    include_str!("assets/selftest.js"),
    include_str!("assets/main.js"),
];

/// A judged run as one page that needs nothing else: a function of the record and
/// its plan. `repeat` is the command that runs it again.
pub fn page(
    judgement: &Judgement,
    summary: &Summary,
    story: &Story,
    plan: &Plan,
    repeat: &str,
) -> String {
    let title = format!("{}: {}", verdict(judgement), summary.playbook);
    let data = serde_json::to_string(&data(judgement, story, plan)).unwrap_or_default();
    let data = script(&data);
    let mut page = String::with_capacity(data.len() + 256 * 1024);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        html(&title)
    );
    head(&mut page, judgement, summary, story, plan);
    page.push_str(SEEN);
    details(&mut page, judgement, summary, story, plan);
    end(&mut page, summary, repeat);
    let _ = write!(
        page,
        "<script type=\"application/json\" id=\"data\">{data}</script>\n<script>\n"
    );
    let scripts = COMPONENTS.iter().chain(&SCRIPTS);
    scripts.for_each(|text| page.push_str(text));
    page.push_str("</script>\n</body>\n</html>\n");
    page
}

/// What the scripts fill in.
const SEEN: &str = "\
<noscript><p class=\"banner\">Without scripts there is no time axis, no diagram and no lanes; \
the verdict and every table are here.</p></noscript>
<section class=\"seen\" id=\"seen\" hidden aria-label=\"The run over time\">
<div id=\"diagram\"></div>
<div class=\"scrub\" id=\"scrub\"></div>
<div id=\"axis\"></div>
<div id=\"lanes\"></div>
</section>
";

fn head(page: &mut String, judgement: &Judgement, summary: &Summary, story: &Story, plan: &Plan) {
    let word = verdict(judgement);
    let _ = write!(
        page,
        "<header>\n<p class=\"name\"><span class=\"badge {word}\">{}</span> {}</p>\n\
         <h1 id=\"verdict\">{}</h1>\n",
        word.to_uppercase(),
        html(&summary.playbook),
        html(&sentence(judgement)),
    );
    if let Some(why) = plan.playbook.why.as_ref() {
        let _ = writeln!(page, "<p class=\"why\">{}</p>", html(why.trim()));
    }
    if let Some(why) = broken(judgement, story) {
        let _ = writeln!(
            page,
            "<p class=\"banner invalid\" id=\"broken\"><b>This record breaks off.</b> {} \
             Below is what it holds up to then.</p>",
            html(&why)
        );
    }
    page.push_str(&tables::invalid(judgement));
    page.push_str(&figures(summary));
    page.push_str("</header>\n<main>\n");
}

/// Why a record is not whole, where it is not.
fn broken(judgement: &Judgement, story: &Story) -> Option<String> {
    if judgement.facts.end.is_some() {
        return None;
    }
    let at = judgement.facts.moment(judgement.facts.last_us);
    let why = story.broken.as_deref().unwrap_or("it has no end");
    Some(format!("It ends at {at}: {why}."))
}

fn section(page: &mut String, title: &str, text: &str) {
    if !text.is_empty() {
        let _ = write!(page, "<section>\n<h2>{title}</h2>\n{text}</section>\n");
    }
}

fn details(
    page: &mut String,
    judgement: &Judgement,
    summary: &Summary,
    story: &Story,
    plan: &Plan,
) {
    let facts = &judgement.facts;
    section(page, "Promises", &tables::assertions(&summary.assertions));
    section(
        page,
        "Requests not answered in full",
        &tables::unanswered(facts),
    );
    if !summary.faults.is_empty() {
        section(
            page,
            "Faults, asked against measured",
            &tables::faults(summary),
        );
        section(
            page,
            "When each detector noticed",
            &tables::detectors(facts),
        );
    }
    if !summary.detectors.is_empty() {
        section(
            page,
            "Who could notice a silence, and when",
            &tables::silences(summary),
        );
    }
    if !summary.crew.is_empty() {
        section(page, "The crew, after each fault", &tables::crew(summary));
    }
    if summary.requests.total > 0 {
        let mut text = tables::latency(summary);
        text.push_str(&tables::cohorts(summary));
        if let Some(by) = summary.judged_by() {
            let _ = writeln!(text, "<p>Answers judged as: {}.</p>", html(&by));
        }
        section(page, "Requests", &text);
    }
    if !plan.playbook.controls.is_empty() {
        let text = format!(
            "<p class=\"quiet\">Changed copies of this playbook, each of which must fail on the \
             promise it names: proof that the promise can fail.</p>\n{}",
            tables::controls(plan, summary)
        );
        section(page, "Controls", &text);
    }
    let _ = write!(
        page,
        "<section>\n<details><summary>What happened, line by line</summary>\n{}</details>\n</section>\n",
        tables::lines(story, facts)
    );
}

fn end(page: &mut String, summary: &Summary, repeat: &str) {
    let skew = |ms: Option<f64>| ms.map_or("–".into(), |ms| format!("{ms:.2} ms"));
    let oracle = |by: &crate::report::summary::OracleSummary| by.oracle.clone();
    let oracles = summary.oracles.iter();
    let oracles: Vec<String> = oracles
        .map(|(load, by)| format!("{load} {}", oracle(by)))
        .collect();
    let facts = [
        ("world", summary.world.clone()),
        ("seed", summary.seed.to_string()),
        ("run", summary.run.clone()),
        ("started", summary.started.clone()),
        ("lasted", format!("{:.2} s", summary.duration_s)),
        ("oracle", oracles.join(", ")),
        (
            "skew of faults",
            format!(
                "p50 {}, p99 {}, max {}",
                skew(summary.skew_ms.p50),
                skew(summary.skew_ms.p99),
                skew(summary.skew_ms.max)
            ),
        ),
    ];
    let shown = facts.iter().filter(|(_, value)| !value.is_empty());
    let list = shown.fold(String::new(), |mut all, (name, value)| {
        let _ = writeln!(all, "<div><dt>{name}</dt><dd>{}</dd></div>", html(value));
        all
    });
    let _ = write!(
        page,
        "<section>\n<h2>This run</h2>\n<dl class=\"run\">\n{list}</dl>\n\
         <p class=\"quiet\">To repeat it:</p>\n<pre id=\"repeat\"><code>{}</code></pre>\n</section>\n</main>\n",
        html(repeat)
    );
}
