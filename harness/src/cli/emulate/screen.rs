//! The terminal: the diagram stays above, what happens scrolls below it, and the
//! last row is for typing. Where stdout is no terminal, lines follow each other.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use console::Term;

/// Rows that are left for what happens, and for typing.
const STORY_ROWS: usize = 10;
/// Lines that are kept, to be shown again when the rows move.
const MAX_KEPT: usize = 200;
/// Stands before what is typed.
const PROMPT: &str = "> ";

pub(super) struct Screen {
    term: Option<Term>,
    /// How the rows are divided; nothing before the first drawing.
    layout: Option<Layout>,
    /// The latest lines of what happened.
    story: VecDeque<String>,
    /// The diagram was shown at least once.
    shown: bool,
}

/// Who has which rows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Layout {
    rows: usize,
    columns: usize,
    /// Rows that the diagram and the rule below it hold.
    held: usize,
}

impl Screen {
    pub(super) fn new() -> Self {
        let out = std::io::stdout();
        let live = out.is_terminal() && std::env::var_os("TERM").is_some_and(|t| t != "dumb");
        Self {
            term: live.then(Term::stdout),
            layout: None,
            story: VecDeque::new(),
            shown: false,
        }
    }

    /// A line of what happens, or several.
    pub(super) fn say(&mut self, text: &str) {
        if self.term.is_none() {
            print(&format!("{text}\n"));
            return;
        }
        for line in text.lines() {
            if self.story.len() == MAX_KEPT {
                self.story.pop_front();
            }
            self.story.push_back(line.to_string());
        }
        if let Some(layout) = self.layout {
            print(&layout.told(text.lines()));
        }
    }

    /// A line was typed: it joins what happens, and the row is free again.
    pub(super) fn typed(&mut self, line: &str) {
        if self.term.is_none() {
            return;
        }
        self.say(&format!("{PROMPT}{line}"));
        if let Some(layout) = self.layout {
            print(&layout.prompt());
        }
    }

    /// The diagram as it is now. Without a terminal only the first is shown.
    pub(super) fn draw(&mut self, diagram: &str) {
        let Some(term) = &self.term else {
            if !self.shown {
                self.shown = true;
                self.say(diagram);
            }
            return;
        };
        let (rows, columns) = term.size();
        let (rows, columns) = (usize::from(rows), usize::from(columns));
        let lines: Vec<&str> = diagram.lines().collect();
        let room = rows.saturating_sub(STORY_ROWS + 1);
        let fits = lines.len() <= room;
        let shown = if fits {
            lines.len()
        } else {
            room.saturating_sub(1)
        };
        let layout = Layout {
            rows,
            columns,
            held: shown + 1 + usize::from(!fits),
        };
        let mut text = String::new();
        if self.layout != Some(layout) {
            let first = self.layout.is_none();
            text.push_str(&layout.begin(first, &self.story));
            self.layout = Some(layout);
        }
        let mut drawn: Vec<String> = lines.iter().take(shown).map(|l| (*l).to_string()).collect();
        if !fits {
            drawn.push(format!(
                "… {} more; `status` shows all",
                lines.len() - shown
            ));
        }
        drawn.push("─".repeat(columns.min(80)));
        // The cursor, where somebody may be typing, is put back afterwards.
        text.push_str("\x1b7");
        for (row, line) in (1..).zip(drawn) {
            let line: String = line.chars().take(columns).collect();
            let _ = write!(text, "\x1b[{row};1H{line}\x1b[K");
        }
        text.push_str("\x1b8");
        print(&text);
    }

    /// The last look: the terminal is as it was, with the diagram as it ended.
    pub(super) fn end(&mut self, diagram: &str) {
        if let Some(layout) = self.layout.take() {
            print(&format!("\x1b[r\x1b[{};1H\x1b[K", layout.rows));
        }
        self.term = None;
        self.say(diagram.trim_end());
    }
}

impl Layout {
    /// Divides the rows. What was on the screen before goes up and away, where
    /// the terminal keeps it.
    fn begin(&self, first: bool, story: &VecDeque<String>) -> String {
        let mut text = String::new();
        if first {
            text.push_str(&"\n".repeat(self.rows));
        }
        let (top, bottom) = (self.held + 1, self.rows.saturating_sub(1));
        let _ = write!(text, "\x1b[2J\x1b[{top};{bottom}r");
        let kept = story.len().saturating_sub(self.rows);
        text.push_str(&self.told(story.iter().skip(kept).map(String::as_str)));
        text.push_str(&self.prompt());
        text
    }

    /// Lines, scrolled in above the row for typing; the cursor stays where it is.
    fn told<'a>(&self, lines: impl Iterator<Item = &'a str>) -> String {
        let mut text = format!("\x1b7\x1b[{};1H", self.rows.saturating_sub(1));
        for line in lines {
            let _ = write!(text, "\r\n{line}\x1b[K");
        }
        text.push_str("\x1b8");
        text
    }

    /// An empty row for typing, with the cursor on it.
    fn prompt(&self) -> String {
        format!("\x1b[{};1H\x1b[K{PROMPT}", self.rows)
    }
}

/// A reader that has seen enough closes the pipe, which is no failure.
fn print(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
