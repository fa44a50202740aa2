//! The terminal: the diagram stays above, what happens scrolls below it. Where
//! stdout is no terminal, lines follow each other.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use console::Term;

/// Rows that are left for what happens.
const STORY_ROWS: usize = 8;

pub(super) struct Screen {
    term: Option<Term>,
    /// Rows that the diagram holds now.
    held: usize,
    /// The diagram was shown at least once.
    shown: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        let out = std::io::stdout();
        let live = out.is_terminal() && std::env::var_os("TERM").is_some_and(|t| t != "dumb");
        Self {
            term: live.then(Term::stdout),
            held: 0,
            shown: false,
        }
    }

    /// A line of what happens.
    pub(super) fn say(&mut self, line: &str) {
        // A reader that has seen enough closes the pipe, which is no failure.
        let _ = writeln!(std::io::stdout(), "{line}");
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
        let room = rows.saturating_sub(STORY_ROWS);
        let lines: Vec<&str> = diagram.lines().collect();
        let fits = lines.len() < room;
        let shown = if fits {
            lines.len()
        } else {
            room.saturating_sub(2)
        };
        let mut text = String::new();
        let held = shown + 1 + usize::from(!fits);
        if held != self.held {
            self.make_room(&mut text, held, rows);
        }
        // The cursor, where somebody may be typing, is put back afterwards.
        text.push_str("\x1b7");
        for (row, line) in lines.iter().take(shown).enumerate() {
            let line: String = line.chars().take(columns).collect();
            let _ = write!(text, "\x1b[{};1H{line}\x1b[K", row + 1);
        }
        if !fits {
            let more = lines.len() - shown;
            let _ = write!(
                text,
                "\x1b[{};1H… {more} more; `status` shows all\x1b[K",
                shown + 1
            );
        }
        let rule = "─".repeat(columns.min(80));
        let _ = write!(text, "\x1b[{held};1H{rule}\x1b[K\x1b8");
        let _ = write!(std::io::stdout(), "{text}");
        super::run::flush();
    }

    /// Sets the rows that scroll, and moves there.
    fn make_room(&mut self, text: &mut String, held: usize, rows: usize) {
        if self.held == 0 {
            text.push_str("\x1b[2J");
        }
        let _ = write!(text, "\x1b[{};{rows}r\x1b[{rows};1H", held + 1);
        self.held = held;
    }

    /// The last look: the terminal is as it was, with the diagram as it ended.
    pub(super) fn end(&mut self, diagram: &str) {
        if let Some(term) = &self.term {
            let rows = term.size().0;
            let _ = writeln!(std::io::stdout(), "\x1b[r\x1b[{rows};1H");
        }
        self.say(diagram.trim_end());
        super::run::flush();
    }
}
