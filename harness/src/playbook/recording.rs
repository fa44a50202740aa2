//! `waveform: {profile: sag.csv}` names a recording; its points take the name's
//! place.

use std::path::Path;

use super::errors::Problem;
use super::include::{find, read};
use super::source::{Place, Sources};
use super::tree::{Node, Value};

/// A longer recording than this is not one of half cycles that anybody reads.
pub(crate) const MOST_POINTS: usize = 2_000;

/// What the first column may be called, and how many microseconds its unit has.
const TIMES: [(&str, f64); 3] = [("time_s", 1e6), ("time_ms", 1e3), ("time_us", 1.0)];
/// What the second column is called.
const LEVEL: &str = "voltage_pu";

/// Puts the recordings that faults and controls name in their place.
pub(crate) fn include_recordings(
    root: &mut Node,
    playbook: &Path,
    sources: &mut Sources,
    problems: &mut Vec<Problem>,
) {
    let mut put = |node: &mut Node| put(node, playbook, sources, problems);
    for fault in items(root, "faults") {
        let waveform = fault.get_mut("inject").and_then(|n| n.get_mut("waveform"));
        waveform.and_then(|n| n.get_mut("profile")).map(&mut put);
    }
    for control in items(root, "controls") {
        let Some(Value::Map(changes)) = control.get_mut("set").map(|node| &mut node.value) else {
            continue;
        };
        let recorded = changes.iter_mut().filter(|e| e.key.ends_with(PROFILE));
        recorded.for_each(|entry| put(&mut entry.value));
    }
}

/// How the path of a recording ends.
const PROFILE: &str = ".waveform.profile";

fn items<'n>(root: &'n mut Node, key: &str) -> &'n mut [Node] {
    match root.get_mut(key).map(|node| &mut node.value) {
        Some(Value::List(items)) => items,
        _ => &mut [],
    }
}

/// Points in the place of the name of their file, where a name stands.
fn put(node: &mut Node, playbook: &Path, sources: &mut Sources, problems: &mut Vec<Problem>) {
    let Some(name) = node.text().map(str::to_string) else {
        return;
    };
    let found = find(playbook, &name).and_then(|path| Ok((read(&path)?, path)));
    node.value = match found {
        Ok((text, path)) => {
            let source = sources.add(&path, &text);
            Reader::new(source, &text).points(problems)
        }
        Err(why) => {
            let problem = Problem::new(node.place, why.message, "this recording");
            problems.push(problem.maybe_help(why.help));
            Value::Broken
        }
    };
}

/// A line of the file: where it begins, and what it says.
type Line<'t> = (usize, &'t str);

struct Reader<'t> {
    source: usize,
    lines: Vec<Line<'t>>,
}

impl<'t> Reader<'t> {
    /// Lines that say something; `#` begins a remark.
    fn new(source: usize, text: &'t str) -> Self {
        let mut at = 0;
        let mut lines = Vec::new();
        for line in text.split_inclusive('\n') {
            let said = line.trim_start_matches('\u{feff}');
            let start = at + line.len() - said.len();
            let said = said.trim_end();
            if !said.trim().is_empty() && !said.trim_start().starts_with('#') {
                lines.push((start, said));
            }
            at += line.len();
        }
        Self { source, lines }
    }

    fn place(&self, (start, text): Line<'_>) -> Place {
        Place {
            source: self.source,
            start,
            len: text.len(),
        }
    }

    /// All points as a list of pairs, as a playbook would have them.
    fn points(&self, problems: &mut Vec<Problem>) -> Value {
        let Some((head, rows)) = self.lines.split_first() else {
            let place = self.place((0, ""));
            problems.push(Problem::new(place, "the recording is empty", "empty").help(shape()));
            return Value::Broken;
        };
        let Some(unit) = unit(head.1) else {
            let message = format!("`{}` is not the head of a recording", head.1.trim());
            let problem = Problem::new(self.place(*head), message, "two columns");
            problems.push(problem.help(shape()));
            return Value::Broken;
        };
        if let Some(row) = rows.get(MOST_POINTS) {
            let message = format!("a recording of {} points", rows.len());
            let label = format!("at most {MOST_POINTS}");
            problems.push(Problem::new(self.place(*row), message, label));
            return Value::Broken;
        }
        let before = problems.len();
        let points = rows.iter().map(|row| self.point(*row, unit, problems));
        let points: Vec<Node> = points.collect();
        match problems.len() == before {
            true => Value::List(points),
            false => Value::Broken,
        }
    }

    fn point(&self, row: Line<'_>, unit: f64, problems: &mut Vec<Problem>) -> Node {
        let place = self.place(row);
        let fields = fields(row);
        let value = match &fields[..] {
            [time, level] => {
                let time = self.number(*time, problems, |t| format!("{}us", (t * unit).round()));
                let level = self.number(*level, problems, |pu| format!("{pu}pu"));
                Value::List(vec![time, level])
            }
            other => {
                let message = format!("expected a time and a voltage, found {}", many(other.len()));
                problems.push(Problem::new(place, message, "two values"));
                Value::Broken
            }
        };
        Node { place, value }
    }

    /// A number of the file, as the quantity that a playbook would have there.
    fn number(
        &self,
        field: Line<'_>,
        problems: &mut Vec<Problem>,
        quantity: impl Fn(f64) -> String,
    ) -> Node {
        let place = self.place(field);
        let number = field.1.parse::<f64>().ok();
        let value = match number.filter(|n| n.is_finite() && *n >= 0.0) {
            Some(number) => Value::Text(quantity(number)),
            None => {
                let message = format!("expected a number from 0, found `{}`", field.1);
                problems.push(Problem::new(place, message, "not understood"));
                Value::Broken
            }
        };
        Node { place, value }
    }
}

/// The parts of a row between its commas, each with its place.
fn fields((start, row): Line<'_>) -> Vec<Line<'_>> {
    let mut at = start;
    let mut fields = Vec::new();
    for part in row.split(',') {
        let blank = part.len() - part.trim_start().len();
        fields.push((at + blank, part.trim()));
        at += part.len() + 1;
    }
    fields
}

/// Microseconds in the unit of the time column.
fn unit(head: &str) -> Option<f64> {
    let (time, level) = head.split_once(',')?;
    let known = TIMES.iter().find(|(name, _)| *name == time.trim());
    known.filter(|_| level.trim() == LEVEL).map(|(_, us)| *us)
}

fn shape() -> String {
    format!("its first line is `time_s,{LEVEL}` (or `time_ms`, `time_us`)")
}

fn many(count: usize) -> String {
    match count {
        1 => "one value".into(),
        n => format!("{n} values"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::super::tests::good_text;
    use crate::plan::{Plan, plan_source};
    use ridethrough_faults::catalogue::FaultKind;

    /// The sample without its controls.
    fn sample() -> String {
        let text = good_text();
        let (before, _) = text.split_once("controls:").expect("controls");
        before.to_string()
    }

    /// The sample with a recording in a file beside it.
    fn with(csv: &str, lasts: &str) -> Result<Plan, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for part in ["sites", "stacks"] {
            let to = folder.path().join(part);
            std::fs::create_dir(&to).expect("a folder");
            for file in std::fs::read_dir(format!("tests/data/{part}")).expect("samples") {
                let file = file.expect("a sample");
                std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
            }
        }
        std::fs::write(folder.path().join("dip.csv"), csv).expect("written");
        let fault = "waveform: {profile: dip.csv}";
        let text = sample()
            .replace("utility_outage: {}", fault)
            .replace("outage: 20s", &format!("outage: {lasts}"));
        let path = folder.path().join("playbook.yaml");
        let planned = plan_source(&path, &text).map(|(_, plan)| plan);
        let root = folder.path().display().to_string() + "/";
        planned.map_err(|errors| errors.render(false).replace(&root, ""))
    }

    fn wrong(csv: &str) -> String {
        match with(csv, "20s") {
            Ok(_) => "no error".into(),
            Err(text) => text,
        }
    }

    #[test]
    fn a_recording_takes_the_place_of_its_name() {
        let csv = "# a dip\ntime_ms,voltage_pu\r\n0, 0.4\n 20.5,0.75\n\n1e3,1\n";
        let plan = with(csv, "20s").expect("a plan");
        let FaultKind::Waveform(waveform) = &plan.faults[0].kind else {
            panic!("not a waveform");
        };
        let points = waveform.profile.iter().map(|(at, pu)| format!("{at} {pu}"));
        assert_eq!(
            points.collect::<Vec<_>>(),
            ["0s 40%", "20.5ms 75%", "1s 100%"]
        );
        // The playbook as resolved needs no other file.
        let again = plan_source(Path::new("elsewhere.yaml"), &plan.yaml);
        let (_, again) = again.unwrap_or_else(|e| panic!("{}", e.render(false)));
        assert_eq!(again.faults[0].kind, plan.faults[0].kind);
    }

    #[test]
    fn a_control_may_name_another_recording() {
        let name = |csv: &str| {
            let inline = "waveform: {profile: [[0s, 40%], [1s, 1pu]]}";
            let set = format!("{{faults.0.inject.waveform.profile: {csv}}}");
            let control = format!("controls: [{{name: another, set: {set}, fails: failover}}]");
            sample().replace("utility_outage: {}", inline) + &control
        };
        let shown = super::super::tests::shown;
        let dip = "../../../../playbooks/power/recorded-dip.csv";
        assert_eq!(shown(&name(dip)), "no error");
        assert!(shown(&name("dop.csv")).contains("no file `dop.csv`"));
    }

    #[test]
    fn what_is_wrong_with_a_recording_has_its_line() {
        assert_snapshot!(wrong(
            "time_ms,voltage_pu\n0,0.4\n20,dip\n40\n60,0.5,0.6\n-1,1\n"
        ));
        assert_snapshot!(wrong("time_s,voltage_pu\n0,0.4\n2,2.4\n1,1\n"));
        assert_snapshot!(wrong("seconds,voltage_pu\n0,0.4\n"));
        assert_snapshot!(wrong(""));
        assert_snapshot!(wrong("time_s,voltage_pu\n"));
    }

    #[test]
    fn a_recording_is_there_and_fits() {
        let Err(long) = with("time_s,voltage_pu\n0,0.4\n20,1\n", "20s") else {
            panic!("a fault shorter than its recording");
        };
        assert_snapshot!(long);
        let text = sample().replace("utility_outage: {}", "waveform: {profile: dop.csv}");
        assert_snapshot!(super::super::tests::shown(&text));
        let rows = "1,1\n".repeat(super::MOST_POINTS + 1);
        let text = wrong(&format!("time_s,voltage_pu\n{rows}"));
        assert!(text.contains("a recording of 2001 points"), "{text}");
    }
}
