//! From the words typed to the verb that does them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use owo_colors::{OwoColorize, Stream, Style};
use tracing_subscriber::EnvFilter;

use ridethrough_targets::world::embedded;

use super::args::{Cli, Colour, Listed, Verb};
use super::exit::Exit;
use super::{
    bundle, check, compare, doctor, emulate, export, gameday, heal, history, judge, list,
    plan as plan_words, prune, reference, report, run, schema, serve,
};
use crate::plan::plan_file;
use crate::playbook::WorldKind;

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
        Verb::Bundle { run, out, key } => bundle::bundle(&run, out, key.as_deref()),
        Verb::Verify { bundle, by, head } => {
            bundle::verify(&bundle, by.as_deref(), head.as_deref())
        }
        Verb::Export { run, otlp, out } => export::export(&run, otlp.as_deref(), out.as_deref()),
        Verb::Keygen { file } => bundle::keygen(&file),
        Verb::Gameday(args) => gameday::gameday(&args, color),
        Verb::Run(args) => run::run(args, color),
        Verb::Check { playbooks, world } => check_all(&playbooks, world.map(Into::into), color),
        Verb::Plan { playbook, json } => show_plan(&playbook, json, color),
        Verb::List { what, folder } => print(&match what {
            Listed::Faults => list::list_faults(),
            Listed::Assertions => list::list_assertions(),
            Listed::Playbooks => list::list_playbooks(&[folder]),
        }),
        Verb::Schema => print(&schema::schema_json()),
        Verb::Reference { folder, playbooks } => reference::reference(&folder, &playbooks),
        Verb::Serve(args) => serve::serve(&args),
        Verb::Doctor { json } => doctor::doctor(json, color),
        Verb::Emulate(args) => emulate::emulate(&args, color),
        Verb::Heal { dry_run } => heal::heal(dry_run),
        Verb::Stop { run } => heal::stop(run.as_deref()),
        Verb::Judge {
            run,
            playbook,
            json,
        } => judge::judge(&run, playbook.as_deref(), json, color),
        Verb::Report { run, out } => report::report(&run, out.as_deref(), color),
        Verb::History(args) => history::history(&args, color),
        Verb::Compare(args) => compare::compare_runs(&args),
        Verb::Prune(args) => prune::prune_runs(&args),
    }
    .into()
}

/// Prints a verb's answer.
pub(super) fn print(text: &str) -> Exit {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    // A reader that has seen enough closes the pipe, which is no failure.
    let _ = write!(std::io::stdout(), "{text}{end}");
    Exit::Passed
}

fn check_all(playbooks: &[PathBuf], world: Option<WorldKind>, color: bool) -> Exit {
    let mut exit = Exit::Passed;
    for path in playbooks {
        let checked = check::check(path, world, color);
        if checked.good {
            print(&checked.text);
        } else {
            eprintln!("{}", checked.text.trim_end());
            exit = Exit::Usage;
        }
    }
    exit
}

fn show_plan(path: &Path, json: bool, color: bool) -> Exit {
    match plan_file(path) {
        Ok((_, plan)) if json => print(&plan_words::plan_json(&plan)),
        Ok((_, plan)) => print(&plan_words::plan_text(&plan)),
        Err(errors) => {
            eprintln!("{}", errors.render(color).trim_end());
            Exit::Usage
        }
    }
}

/// Says what went wrong, on stderr, the way every verb does.
pub(super) fn complain(message: &str) {
    let red = Style::new().red().bold();
    let word = "error"
        .if_supports_color(Stream::Stderr, |text| text.style(red))
        .to_string();
    eprintln!("{word}: {message}");
}

/// Says what a reader should know, on stderr; nothing failed.
pub(super) fn warn(message: &str) {
    let yellow = Style::new().yellow().bold();
    let word = "warning"
        .if_supports_color(Stream::Stderr, |text| text.style(yellow))
        .to_string();
    eprintln!("{word}: {message}");
}

fn log(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("RIDETHROUGH_LOG").unwrap_or_else(|_| default.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
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
