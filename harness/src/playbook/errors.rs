//! What is wrong with a playbook, all of it at once, each with its place.

use std::fmt;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan,
};

use super::source::{Place, Sources};

/// One mistake, before it is tied to the text of its file.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) place: Place,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
    pub(crate) also: Option<(Place, String)>,
    /// It is a name that names nothing, whatever else is wrong.
    pub(crate) unresolved: bool,
}

impl Problem {
    /// A mistake at a place. The label stands under the caret.
    pub(crate) fn new(place: Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place,
            label: label.into(),
            help: None,
            also: None,
            unresolved: false,
        }
    }

    /// With a hint on what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With a hint, if there is one.
    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// With a second place that belongs to it.
    pub(crate) fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also = Some((place, label.into()));
        self
    }
}

/// One mistake in a playbook, or in a site or stack file that it includes.
#[derive(Clone, Debug)]
pub struct PlaybookError {
    message: String,
    help: Option<String>,
    source: NamedSource<Arc<str>>,
    labels: Vec<LabeledSpan>,
    line: usize,
    column: usize,
}

impl PlaybookError {
    fn new(problem: Problem, sources: &Sources) -> Self {
        let place = problem.place;
        let file = sources.get(place.source);
        let (line, column) = file.map_or((1, 1), |f| f.line_column(place.start));
        let (name, text) = file.map_or_else(
            || ("playbook".to_string(), Arc::from("")),
            |f| (f.name.clone(), Arc::clone(&f.text)),
        );
        let span = |p: Place| within(p, &text);
        let mut labels = vec![LabeledSpan::new_primary_with_span(
            Some(problem.label),
            span(place),
        )];
        let mut help = problem.help;
        if let Some((other, label)) = problem.also {
            if other.source == place.source {
                labels.push(LabeledSpan::new_with_span(Some(label), span(other)));
            } else if let Some(file) = sources.get(other.source) {
                let (line, column) = file.line_column(other.start);
                let note = format!("{label}: {}:{line}:{column}", file.name);
                help = Some(help.map_or(note.clone(), |h| format!("{h}\n{note}")));
            }
        }
        Self {
            message: problem.message,
            help,
            source: NamedSource::new(name, text),
            labels,
            line,
            column,
        }
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The file, as shown to people.
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The byte range in the file's text.
    pub fn span(&self) -> Option<SourceSpan> {
        self.labels.first().map(|label| *label.inner())
    }
}

/// A span that lies within the text and on its character boundaries.
fn within(place: Place, text: &str) -> SourceSpan {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(place.start);
    let end = floor(place.start.saturating_add(place.len)).max(start);
    (start, end - start).into()
}

impl fmt::Display for PlaybookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PlaybookError {}

impl Diagnostic for PlaybookError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// Everything that is wrong with a playbook, in the order of the text. Never
/// empty.
#[derive(Clone, Debug)]
pub struct PlaybookErrors {
    errors: Vec<PlaybookError>,
    /// How many were left out.
    more: usize,
}

/// More errors than this help nobody; the rest is counted.
const MOST_SHOWN: usize = 100;

impl PlaybookErrors {
    /// Ties problems to the text; `None` if there are none.
    pub(crate) fn collect(mut problems: Vec<Problem>, sources: &Sources) -> Option<Self> {
        problems.sort_by_key(|problem| problem.place);
        problems.dedup_by(|a, b| a.place == b.place && a.message == b.message);
        let more = problems.len().saturating_sub(MOST_SHOWN);
        let errors: Vec<_> = problems
            .into_iter()
            .take(MOST_SHOWN)
            .map(|problem| PlaybookError::new(problem, sources))
            .collect();
        (!errors.is_empty()).then_some(Self { errors, more })
    }

    /// A single problem.
    pub(crate) fn of(problem: Problem, sources: &Sources) -> Self {
        Self {
            errors: vec![PlaybookError::new(problem, sources)],
            more: 0,
        }
    }

    /// A file that could not be read at all.
    pub(crate) fn unreadable(file: &str, message: String, help: Option<String>) -> Self {
        Self {
            errors: vec![PlaybookError {
                message,
                help,
                source: NamedSource::new(file, Arc::from("")),
                labels: Vec::new(),
                line: 1,
                column: 1,
            }],
            more: 0,
        }
    }

    /// The errors, in the order of the text; at most the first hundred.
    pub fn iter(&self) -> impl Iterator<Item = &PlaybookError> {
        self.errors.iter()
    }

    /// How many there are, those that are not shown included.
    pub fn count(&self) -> usize {
        self.errors.len() + self.more
    }

    /// Everything as text for people: each error with file, line, column and
    /// the source around it. Colour is for terminals.
    pub fn render(&self, color: bool) -> String {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(100)
            .with_context_lines(1)
            .without_syntax_highlighting()
            .with_links(false);
        let mut out = String::new();
        for error in &self.errors {
            // Writing to a string cannot fail; a report that could not be drawn
            // still leaves its message.
            if handler.render_report(&mut out, error).is_err() {
                out.push_str(&error.message);
            }
            out.push('\n');
        }
        let count = self.count();
        let plural = if count == 1 { "" } else { "s" };
        let shown = match self.more {
            0 => String::new(),
            _ => format!(", the first {} shown", self.errors.len()),
        };
        out + &format!("{count} error{plural}{shown}\n")
    }
}

impl fmt::Display for PlaybookErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            let (file, line, column) = (error.file(), error.line, error.column);
            write!(f, "{file}:{line}:{column}: {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PlaybookErrors {}
