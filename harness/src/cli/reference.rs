//! `ridethrough reference`: the reference pages of the guide.

use std::path::Path;

use clap::{Command, CommandFactory};

use super::args::Cli;
use super::exit::Exit;
use super::main::complain;
use crate::reference::pages;

/// Writes every page into a folder.
pub(super) fn reference(folder: &Path, playbooks: &Path) -> Exit {
    let mut all: Vec<(&str, String)> = vec![("commands.md", commands())];
    all.extend(
        pages(playbooks)
            .into_iter()
            .map(|page| (page.name, page.text)),
    );
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        let mut pages = all.iter();
        pages.try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
    });
    match written {
        Ok(()) => {
            for (name, _) in &all {
                println!("{}", folder.join(name).display());
            }
            Exit::Passed
        }
        Err(error) => {
            complain(&format!("{}: {error}", folder.display()));
            Exit::Usage
        }
    }
}

/// Every verb with what it takes.
fn commands() -> String {
    let mut out = String::from(
        "# Commands\n\n<!-- Made by `ridethrough reference`; changes belong into the types. -->\n",
    );
    let mut all = Cli::command();
    // Help is as wide as the page, wherever it is made.
    all = all.term_width(90);
    all.build();
    out += &entry("ridethrough", &mut all);
    let verbs: Vec<String> = all
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
        .map(|verb| verb.get_name().to_string())
        .collect();
    for name in verbs {
        if let Some(verb) = all.find_subcommand_mut(&name) {
            out += &entry(&format!("ridethrough {name}"), verb);
        }
    }
    out
}

fn entry(title: &str, command: &mut Command) -> String {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    format!(
        "\n## {title}\n\n```text\n{}\n```\n",
        lines.join("\n").trim_end()
    )
}
