//! What a run is expected to come to: a control, or a canary with a planted
//! bug, is good only where it fails, and on the promise it names.

use std::fmt;
use std::str::FromStr;

use super::summary::Summary;
use crate::judge::Verdict;
use crate::playbook::{assertions, closest};

/// What a run must come to. Written `pass`, `invalid`, `fail`, or
/// `fail:KIND` with the kind of assertion that must be among the broken ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The verdict.
    pub verdict: Verdict,
    /// The kind of assertion that must be broken.
    pub kind: Option<String>,
}

impl Expectation {
    /// A run that must fail on this kind of assertion.
    pub fn fails(kind: &str) -> Self {
        Self {
            verdict: Verdict::Fail,
            kind: Some(kind.into()),
        }
    }

    /// Whether a run came to it; the error says to what else it came.
    pub fn met(&self, summary: &Summary) -> Result<(), String> {
        let on = |kind: &String| {
            let all = summary.assertions.iter();
            let mut all = all.filter(|judged| judged.verdict == Verdict::Fail);
            all.any(|judged| judged.kind == *kind)
        };
        if summary.verdict == self.verdict && self.kind.as_ref().is_none_or(on) {
            Ok(())
        } else {
            Err(came(summary))
        }
    }

    /// As people read it: `must fail on continuity`.
    pub fn words(&self) -> String {
        match (self.verdict, &self.kind) {
            (Verdict::Pass, _) => "must pass".into(),
            (Verdict::Invalid, _) => "must be invalid".into(),
            (Verdict::Fail, None) => "must fail".into(),
            (Verdict::Fail, Some(kind)) => format!("must fail on {kind}"),
        }
    }
}

/// What a run came to, as people read it: `it failed on continuity`.
pub fn came(summary: &Summary) -> String {
    match summary.verdict {
        Verdict::Fail => format!("it failed on {}", broken(summary)),
        Verdict::Pass => "every promise held".into(),
        Verdict::Invalid => {
            let why = summary.invalid.first().map_or("", |why| &**why);
            format!("the experiment did not hold: {why}")
        }
    }
}

/// The kinds of assertion that were broken, each once.
fn broken(summary: &Summary) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for judged in &summary.assertions {
        if judged.verdict == Verdict::Fail && !kinds.contains(&&*judged.kind) {
            kinds.push(&judged.kind);
        }
    }
    kinds.join(", ")
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (verdict, kind) = match text.split_once(':') {
            None => (text, None),
            Some((verdict, kind)) => (verdict, Some(kind)),
        };
        let verdict = match verdict {
            "pass" => Verdict::Pass,
            "fail" => Verdict::Fail,
            "invalid" => Verdict::Invalid,
            _ => return Err("write `pass`, `fail`, `fail:ASSERTION` or `invalid`".into()),
        };
        let Some(kind) = kind else {
            return Ok(Self {
                verdict,
                kind: None,
            });
        };
        if verdict != Verdict::Fail {
            return Err("only `fail` can name an assertion".into());
        }
        let known = assertions();
        if known.iter().any(|k| k.name == kind) {
            return Ok(Self::fails(kind));
        }
        let meant = closest(kind, known.iter().map(|k| &*k.name));
        let hint = match meant {
            Some(name) => format!("did you mean `{name}`?"),
            None => "`ridethrough list assertions` shows them".into(),
        };
        Err(format!("no assertion `{kind}`; {hint}"))
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Some(kind) => write!(f, "{}:{kind}", self.verdict),
            None => write!(f, "{}", self.verdict),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Expectation, String> {
        text.parse()
    }

    #[test]
    fn what_is_written_comes_back() {
        for text in ["pass", "fail", "invalid", "fail:continuity"] {
            assert_eq!(read(text).expect(text).to_string(), text);
        }
        assert!(read("fails").unwrap_err().contains("`fail:ASSERTION`"));
        assert!(read("pass:continuity").unwrap_err().contains("only `fail`"));
        assert_eq!(
            read("fail:continuty").unwrap_err(),
            "no assertion `continuty`; did you mean `continuity`?"
        );
    }
}
