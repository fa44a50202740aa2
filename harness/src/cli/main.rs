//! From the words typed to the verb that does them.

use std::process::ExitCode;

use clap::Parser;
use owo_colors::{Stream, Style, OwoColorize};
use tracing_subscriber::EnvFilter;

use ridethrough_targets::world::embedded;

use super::args::{Cli, Colour, Listed, Verb};
use super::exit::Exit;
use super::{check, doctor, judge, list, plan, run, schema};

/// The whole program. A process that was started as part of a world never comes
/// back from the first line.
pub fn main() -> ExitCode {
    if let Some(code) = embedded::run_child_if_asked(&crate::builtin::builtin) {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let fine = !error.use_stderr();
            return if fine { Exit::Passed } else { Exit::Usage }.into();
        }
    };
    log(cli.verbose);
    let color = color(cli.color);
    match cli.verb {
        Verb::Run(args) => run::run(args, color),
        Verb::Check { playbooks } => check::check(&playbooks, color),
        Verb::Plan { playbook, json } => plan::plan(&playbook, json, color),
        Verb::List { what, folder } => match what {
            Listed::Faults => list::faults(),
            Listed::Assertions => list::assertions(),
            Listed::Playbooks => list::playbooks(&folder),
        },
        Verb::Schema => schema::schema(),
        Verb::Doctor { json } => doctor::doctor(json, color),
        Verb::Judge { run, playbook, json } => judge::judge(&run, playbook.as_deref(), json, color),
    }
    .into()
}

/// Says what went wrong, on stderr, the way every verb does.
pub(super) fn complain(message: &str) {
    let red = Style::new().red().bold();
    let word = "error".if_supports_color(Stream::Stderr, |text| text.style(red)).to_string();
    eprintln!("{word}: {message}");
}

fn log(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("RIDETHROUGH_LOG").unwrap_or_else(|_| default.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn color(asked: Colour) -> bool {
    let on = match asked {
        Colour::Auto => {
            use std::io::IsTerminal;
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
        }
        Colour::Always => true,
        Colour::Never => false,
    };
    if asked != Colour::Auto {
        owo_colors::set_override(on);
    }
    on
}
