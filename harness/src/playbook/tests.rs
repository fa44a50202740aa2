//! Bad playbooks, each shown as people see it; good ones, read and changed.

use std::path::Path;
use std::sync::LazyLock;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::plan::plan_source;

mod rest;

use rest::spans_of;

pub(crate) const GOOD: &str = "tests/data/playbooks/utility-outage.yaml";

pub(crate) fn good() -> Loaded {
    match load_playbook(Path::new(GOOD)) {
        Ok(loaded) => loaded,
        Err(errors) => panic!("{}", errors.render(false)),
    }
}

pub(crate) fn good_text() -> String {
    std::fs::read_to_string(GOOD).expect("the sample is there")
}

/// The good playbook with lines replaced, as its reader sees what is wrong.
pub(crate) fn errors(edits: &[(&str, &str)]) -> String {
    let mut text = good_text();
    for (from, to) in edits {
        assert!(text.contains(from), "the sample has no {from:?}");
        text = text.replace(from, to);
    }
    shown(&text)
}

pub(crate) fn shown(text: &str) -> String {
    match plan_source(Path::new(GOOD), text) {
        Ok(_) => "no error".into(),
        Err(errors) => errors.render(false),
    }
}

pub(crate) const SITE: &str = "site: sites/two-feed.yaml";
pub(crate) const STACK: &str = "stack: stacks/reference.yaml";

/// A text with the file of a line (`SITE`, `STACK`) written in its place, and
/// changed.
pub(crate) fn inline(text: &str, line: &str, edits: &[(&str, &str)]) -> String {
    let (key, file) = line.split_once(": ").expect("key and file");
    let mut part = std::fs::read_to_string(format!("tests/data/{file}")).expect("a sample");
    for (from, to) in edits {
        assert!(part.contains(from), "{file} has no {from:?}");
        part = part.replace(from, to);
    }
    let part: String = part.lines().map(|l| format!("  {l}\n")).collect();
    text.replace(line, &format!("{key}:\n{}", part.trim_end()))
}

#[test]
fn the_good_playbook_is_good() {
    assert_eq!(shown(&good_text()), "no error");
}

#[test]
fn misspelt_keys() {
    assert_snapshot!(errors(&[
        ("within: 10ms", "witin: 10ms"),
        ("faults:", "fauls:"),
        ("class: batch", "flavour: batch"),
    ]));
}

#[test]
fn names_are_looked_at_beside_misspelt_keys() {
    assert_snapshot!(errors(&[
        ("within: 10ms", "within: 10ms, upps: ups-a"),
        ("rack: r2", "rack: r7"),
        ("during: outage}", "during: outrage}"),
    ]));
    // Without its class, the load would seem to lack one.
    let text = errors(&[
        ("class: batch", "clas: batch"),
        ("class: interactive", "class: batch"),
    ]);
    assert!(text.contains("did you mean `class`?") && !text.contains("no class"));
}

#[test]
fn unknown_kinds() {
    assert_snapshot!(errors(&[
        ("utility_outage: {}", "utility_outag: {}"),
        ("failover: {", "fail_over: {"),
        ("to: battery", "to: batery"),
        ("poisson", "gaussian"),
    ]));
}

#[test]
fn wrong_units() {
    assert_snapshot!(errors(&[
        ("at: 5s", "at: 5"),
        ("for: 5s", "for: -5s"),
        ("rate: 20/s", "rate: 20"),
        ("within: 1s", "within: 1 seconds"),
        ("32..256", "256..32"),
        ("delay: 5ms", "delay: quick"),
    ]));
}

#[test]
fn wrong_types() {
    assert_snapshot!(errors(&[
        ("name: utility outage", "name: 42"),
        ("lost: 0", "lost: -1"),
        ("torn: 0", "torn: some"),
        ("link: [gateway, gpu-2]", "link: gateway"),
        (
            "phases: {baseline: 5s, outage: 20s, recovery: 10s}",
            "phases: [5s, 20s]"
        ),
        (
            "client: {connect_timeout: 2s, idle_timeout: 10s}",
            "client: patient"
        ),
    ]));
}

#[test]
fn missing_keys() {
    assert_snapshot!(errors(&[
        ("name: utility outage", ""),
        ("within: 10ms", ""),
        ("arrivals: {constant: {rate: 2/s}}", "stream: true"),
        ("fails: failover", ""),
    ]));
}

#[test]
fn enums_written_wrongly() {
    assert_snapshot!(errors(&[
        ("- failover: {to: battery, within: 10ms}", "- failover"),
        ("inject: {utility_outage: {}}", "inject: utility_outage"),
        (
            "inject: {power_loss: {rack: r2}}",
            "inject: {power_loss: {rack: r2}, sag: {to: 50%}}"
        ),
        ("- recovery: {within: 5s}", "- recovery:\n    within: 5s"),
        ("via: nut", "via: {nut: {}}"),
    ]));
}

#[test]
fn not_yaml() {
    assert_snapshot!(errors(&[(
        "phases: {baseline: 5s,",
        "phases: {baseline: 5s"
    )]));
    assert_snapshot!(errors(&[("fails: failover", "fails: \"failover")]));
    assert_snapshot!(errors(&[("    class: batch", "\tclass: batch")]));
    assert_snapshot!(errors(&[("assert:", "assert")]));
    assert_snapshot!(shown(""));
}

#[test]
fn a_control_that_sets_what_cannot_be_read_is_told_once() {
    let tagged = good_text().replace("condition: open", "condition: !open");
    let errors = plan_source(Path::new(GOOD), &tagged).map(|_| ());
    let errors = errors.unwrap_err();
    assert_eq!(errors.count(), 1, "{}", errors.render(false));
    let told = errors.render(false);
    assert!(told.contains("YAML tags mean nothing here"), "{told}");
}

#[test]
fn keys_twice_and_tags() {
    assert_snapshot!(errors(
        &[
            ("seed: 1", "seed: 1"),
            ("controls:", "load: []\ncontrols:"),
            ("{utility_outage: {}}", "!utility_outage {}"),
        ]
        .as_slice()[1..]
    ));
}

#[test]
fn files_that_are_not_there() {
    assert_snapshot!(errors(&[
        (SITE, "site: sites/two-fed.yaml"),
        (STACK, "stack: nowhere/else.yaml"),
        ("lost: 0", "lots: 0"),
    ]));
}

#[test]
fn sites_and_stacks_are_not_playbooks() {
    let site = std::fs::read_to_string("tests/data/sites/two-feed.yaml").expect("the sample");
    assert_snapshot!(shown(&site));
    assert_snapshot!(errors(&[(STACK, "stack: sites/two-feed.yaml")]));
}

#[test]
fn a_playbook_that_is_not_there() {
    let errors = load_playbook(Path::new("tests/data/none.yaml")).expect_err("not there");
    assert_snapshot!(errors.render(false));
}

#[test]
fn errors_in_an_included_file_point_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = std::fs::read_to_string("tests/data/sites/two-feed.yaml").expect("the sample");
    let site = site.replacen("energy: 2kWh", "enrgy: 2kWh", 1);
    std::fs::create_dir(folder.path().join("sites")).expect("a folder");
    std::fs::write(folder.path().join("sites/two-feed.yaml"), site).expect("written");
    let stack = std::path::absolute("tests/data/stacks/reference.yaml").expect("a path");
    let text = good_text().replace("stacks/reference.yaml", &stack.display().to_string());
    let path = folder.path().join("p.yaml");
    std::fs::write(&path, text).expect("written");
    let errors = load_playbook(&path).expect_err("a misspelt key");
    assert_eq!(errors.count(), 1);
    let error = errors.iter().next().expect("one");
    assert!(error.file().ends_with("sites/two-feed.yaml"));
    assert_eq!((error.line(), error.column()), (9, 15));
    assert_eq!(
        error.message(),
        "unknown key `enrgy`; did you mean `energy`?"
    );
}

#[test]
fn columns_count_characters() {
    let text = good_text().replace(
        "- name: chat",
        "- {name: \"µ→é\", arivals: 3}\n  - name: chat",
    );
    let errors = load_text(Path::new(GOOD), &text).expect_err("a misspelt key");
    let error = errors.iter().next().expect("one");
    assert_eq!((error.line(), error.column()), (7, 19));
    let span = error.span().expect("a span");
    let written = &text[span.offset()..span.offset() + span.len()];
    assert_eq!(written, "arivals");
}

#[test]
fn anchors_and_merges_are_understood() {
    let text = good_text()
        .replace(
            "client: {connect_timeout: 2s",
            "client: &patient {connect_timeout: 3s",
        )
        .replace(
            "class: batch",
            "class: batch\n    client: {<<: *patient, idle_timeout: 4s}",
        );
    let loaded = load_text(Path::new(GOOD), &text).expect("a good playbook");
    let client = &loaded.playbook.load[1].client;
    assert_eq!(client.connect_timeout.to_string(), "3s");
    assert_eq!(client.idle_timeout.to_string(), "4s");
}

#[test]
fn aliases_cannot_multiply_without_end() {
    let mut lines = vec!["a: &a0 [x, x, x, x, x, x, x, x, x, x]".to_string()];
    for n in 1..12 {
        let item = format!("*a{}", n - 1);
        let items = vec![item; 10].join(", ");
        lines.push(format!("b{n}: &a{n} [{items}]"));
    }
    assert!(shown(&lines.join("\n")).contains("more than 200000 values"));
}

#[test]
fn many_errors_are_counted_and_some_shown() {
    let lines: Vec<_> = (0..5_000).map(|n| format!("k{n}: 1\n")).collect();
    let text = good_text() + &lines.concat();
    let shown = shown(&text);
    assert!(shown.ends_with("5000 errors, the first 100 shown\n"));
}

#[test]
fn nesting_has_a_bound() {
    let text = "[".repeat(100);
    assert!(shown(&text).contains("nested deeper than 64 levels"));
}

#[test]
fn controls_change_what_they_name() {
    let loaded = good();
    let changed = loaded
        .with_control(&loaded.playbook.controls[0])
        .expect("a good control");
    let json = serde_json::to_value(&changed.playbook).expect("json");
    let at = |pointer: &str| json.pointer(pointer).expect(pointer).clone();
    assert_eq!(at("/site/ups/ups-a/battery/condition"), "open");
    assert_eq!(at("/site/ups/ups-b/battery/condition"), "ok");
    assert_eq!(at("/stack/services/gateway/gateway/mode"), "none");
    assert_eq!(at("/faults/0/inject/utility_outage/utility"), "grid");
    assert_eq!(at("/load/0/arrivals/poisson/rate"), "5/s");
    assert!(changed.playbook.controls.is_empty());
}

#[test]
fn a_control_built_in_code_is_understood() {
    let loaded = good();
    let control = Control {
        name: "made here".into(),
        set: [("phases.outage".to_string(), serde_json::json!("3s"))].into(),
        fails: "failover".into(),
    };
    let changed = loaded.with_control(&control).expect("a good control");
    assert_eq!(changed.playbook.phases["outage"].to_string(), "3s");
}

#[test]
fn bad_controls() {
    assert_snapshot!(errors(&[
        (
            "site.ups-a.battery.condition: open",
            "site.ups-c.battery.condition: open"
        ),
        ("stack.gateway.mode: none", "stack.gateway.mood: none"),
        ("rate: 5/s", "rate: 5"),
        ("outage.utility: grid", "outage.utility: gird"),
        ("fails: failover", "fails: failovr"),
    ]));
    assert_snapshot!(errors(&[
        ("outage.utility: grid", "outage.utility: gird"),
        ("fails: failover", "fails: availability"),
    ]));
}

#[test]
fn a_short_path_that_means_two_things() {
    let text = good_text().replace(
        "site.ups-a.battery.condition: open",
        "stack.gpu-1.boot: 2s\n      stack.twin.on: [gpu-1]",
    );
    let text = inline(
        &text,
        STACK,
        &[
            ("gpu-3: {", "twin: {"),
            ("  replica:\n", "  twin:\n"),
            (", gpu-3]", ", twin]"),
        ],
    );
    assert_snapshot!(shown(&text));
}

static RESOLVED: LazyLock<String> = LazyLock::new(|| {
    let planned = plan_source(Path::new(GOOD), &good_text());
    planned.expect("a good playbook").1.yaml
});

/// Where, what to put there, how many characters to take away.
type Edit = (prop::sample::Index, String, usize);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let put = "[ -~\n\tµé{}\\[\\]&*!|>'\"%@:#,-]{0,3}";
    prop::collection::vec((any::<prop::sample::Index>(), put, 0usize..4), 1..6)
}

fn edited(text: &str, edits: Vec<Edit>) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, insert, remove) in edits {
        let at = at.index(chars.len());
        let end = (at + remove).min(chars.len());
        chars.splice(at..end, insert.chars());
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_bytes_panics(edits in edits()) {
        spans_of(GOOD, &edited(&good_text(), edits))?;
    }

    // Every key that there is, site and stack included.
    #[test]
    fn no_mutation_of_the_resolved_playbook_panics(edits in edits()) {
        spans_of(GOOD, &edited(&RESOLVED, edits))?;
    }

    #[test]
    fn no_mutation_of_lines_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..4), 1..5)
    ) {
        let text = good_text();
        let mut lines: Vec<&str> = text.lines().collect();
        for (a, b, how) in edits {
            if lines.is_empty() { break; }
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            match how {
                0 => { lines.remove(a); }
                1 => lines.swap(a, b),
                2 => { let line = lines[a]; lines.insert(b, line); }
                _ => lines.insert(b, "    - x: {to: 3}"),
            }
        }
        spans_of(GOOD, &lines.join("\n"))?;
    }
}
