//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::compare::{self, CompareArgs};
use super::emulate::{self, EmulateArgs};
use super::gameday::{self, GamedayArgs};
use super::history::{self, HistoryArgs};
use super::keep::KeepArgs;
use super::prune::{self, PruneArgs};
use super::telling::TellArgs;
use crate::playbook::WorldKind;
use crate::report::Expectation;

/// When the power goes, what happens to the requests?
///
/// ridethrough runs a playbook: it starts a serving stack on a racked site,
/// sends requests through it, breaks what the playbook says, and proves,
/// request by request, which promises held.
#[derive(Debug, Parser)]
#[command(name = "ridethrough", version, max_term_width = 100, after_help = EXAMPLES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
    /// Say more on stderr (-vv for everything).
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(super) verbose: u8,
    /// Colour: auto, always or never.
    #[arg(long, value_enum, default_value_t = Colour::Auto, global = true)]
    pub(super) color: Colour,
}

const EXAMPLES: &str = "\
Examples:
  ridethrough run playbooks/power/utility-outage.yaml
  ridethrough run playbooks/power/*.yaml --junit results.xml
  ridethrough run playbooks/power/utility-outage.yaml --control 'dead battery'
  ridethrough plan playbooks/power/feed-loss.yaml
  ridethrough doctor

Exit codes:
  0 all promises held            3 invalid: no witness, no load, no targets
  1 a promise was broken         4 the world could not be built
  2 usage or a bad playbook    130 interrupted, after healing";

const SERVE_EXAMPLES: &str = "\
Examples:
  ridethrough serve replica --port 8001
  ridethrough serve gateway --port 8000 --replica localhost:8001";

/// What `ridethrough serve` takes.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The service.
    #[arg(value_enum)]
    pub(super) service: Served,
    /// The port to listen on.
    #[arg(long, default_value_t = 8000)]
    pub(super) port: u16,
    /// A replica behind the gateway; repeat it for each.
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) replica: Vec<String>,
    /// Its configuration as in a stack, as JSON.
    #[arg(long, value_name = "JSON")]
    pub(super) config: Option<String>,
    /// Its seed.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

/// A service that stands by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Served {
    /// An OpenAI-compatible gateway.
    Gateway,
    /// A replica that computes nothing and takes its time.
    Replica,
}

impl Served {
    /// Its name among the built-in services.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Replica => "replica",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Run playbooks and judge them.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Run a playbook in front of people: a live page, hold points, a stop for all.
    ///
    /// The page is served on the loopback address unless told otherwise; who may do
    /// what is decided by tokens, which are printed at the start. Faults with `hold:`
    /// wait for the conductor; faults with `manual: true` are injected by hand.
    #[command(after_help = gameday::EXAMPLES)]
    Gameday(GamedayArgs),
    /// Seal a run folder into one file that shows whether a byte of it was changed.
    #[command(
        after_help = "Examples:\n  ridethrough bundle runs/0197…\n  ridethrough bundle runs/0197… --key night.pem --out night.tar"
    )]
    Bundle {
        /// The run's folder.
        run: PathBuf,
        /// The bundle (default: bundle.tar in the run's folder).
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Sign it with this key, of `ridethrough keygen`.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Check that a bundle is as it was sealed; nothing is unpacked.
    ///
    /// What was changed is named: the file and the bytes. The exit code is then 1.
    #[command(
        after_help = "Examples:\n  ridethrough verify runs/0197…/bundle.tar\n  ridethrough verify night.tar --by 3b6a27bc…"
    )]
    Verify {
        /// The bundle.
        bundle: PathBuf,
        /// The public key that must have signed it.
        #[arg(long, value_name = "KEY")]
        by: Option<String>,
        /// The head that its chain must end in, as it was noted.
        #[arg(long, value_name = "HEAD")]
        head: Option<String>,
    },
    /// Give the record of a run to a collector of OpenTelemetry traces, or to a file.
    ///
    /// A span for each request with its gateway attempts beneath it, for each fault,
    /// and for each state of the supervisor. The same record gives the same ids again.
    #[command(
        after_help = "Examples:\n  ridethrough export runs/0197… --otlp http://127.0.0.1:4318\n  ridethrough export runs/0197… --out traces.jsonl"
    )]
    Export {
        /// The run's folder.
        run: PathBuf,
        /// Send it here by OTLP over HTTP, as JSON.
        #[arg(long, value_name = "URL", required_unless_present = "out")]
        otlp: Option<String>,
        /// Write it here, a message a line.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make a key to sign bundles with, in a new file that its owner alone can read.
    #[command(after_help = "Example:\n  ridethrough keygen night.pem")]
    Keygen {
        /// The file.
        file: PathBuf,
    },
    /// Check playbooks without starting anything.
    #[command(after_help = "Example:\n  ridethrough check playbooks/power/*.yaml")]
    Check {
        /// Playbooks.
        #[arg(required = true, value_name = "PLAYBOOK")]
        playbooks: Vec<PathBuf>,
        /// Whether this world can run them too (default: the playbook's own).
        #[arg(long, value_enum)]
        world: Option<WorldArg>,
    },
    /// Show what a run of a playbook would do, and what each fault reaches.
    #[command(after_help = "Example:\n  ridethrough plan playbooks/power/feed-loss.yaml")]
    Plan {
        /// The playbook.
        playbook: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List what a playbook can say, or the playbooks there are.
    #[command(
        after_help = "Examples:\n  ridethrough list faults\n  ridethrough list playbooks playbooks/"
    )]
    List {
        /// What to list.
        #[arg(value_enum)]
        what: Listed,
        /// Folder to look for playbooks in.
        #[arg(default_value = "playbooks")]
        folder: PathBuf,
    },
    /// Print the JSON schema of playbooks, for editors.
    #[command(after_help = "Example:\n  ridethrough schema > playbook.schema.json")]
    Schema,
    /// Write the reference pages of the guide: faults, assertions, keys, commands
    /// and playbooks.
    #[command(after_help = "Example:\n  ridethrough reference docs/reference")]
    Reference {
        /// The folder to write to.
        folder: PathBuf,
        /// Folder of the playbooks to explain.
        #[arg(default_value = "playbooks")]
        playbooks: PathBuf,
    },
    /// Run one service of the reference stack by itself, for a stack of your own.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Tell what this machine can do, what each thing is for and how to get it.
    Doctor {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a site by itself and serve its devices on their own protocols.
    ///
    /// Without an address everything is served on the loopback address. Commands
    /// are read from stdin (`help` shows them) and taken by HTTP; the site runs
    /// until `quit` or Ctrl-C, or to the end of the playbook.
    #[command(after_help = emulate::EXAMPLES)]
    Emulate(EmulateArgs),
    /// Put this host back after runs that died, a reboot included.
    ///
    /// Every change of the host outside of a run's own namespaces is written down
    /// before it is made, and a guardian undoes it when the run dies. This does
    /// the same where the guardian died too. Runs that go on are left alone.
    #[command(after_help = "Examples:\n  ridethrough heal\n  ridethrough heal --dry-run")]
    Heal {
        /// Only tell what is left.
        #[arg(long)]
        dry_run: bool,
    },
    /// Emergency stop: end runs at once and undo what they did.
    ///
    /// Asks nothing of the run: its guardian kills it, whose nodes die with it,
    /// and puts the host back. A run that still listens is better ended by
    /// Ctrl-C, which also judges it.
    #[command(after_help = "Examples:\n  ridethrough stop\n  ridethrough stop 0197c2d4-…")]
    Stop {
        /// The run's id (default: every run of this user).
        run: Option<String>,
    },
    /// Judge the record of an earlier run again.
    #[command(
        after_help = "Examples:\n  ridethrough judge runs/0197…\n  ridethrough judge runs/0197… --playbook stricter.yaml\n\nA record that was compressed by `prune` is judged as any other."
    )]
    Judge {
        /// The run's folder.
        run: PathBuf,
        /// Judge by the promises of this playbook instead of the run's own.
        #[arg(long)]
        playbook: Option<PathBuf>,
        /// Print `summary.json` instead of the board.
        #[arg(long)]
        json: bool,
    },
    /// Write the report of an earlier run again: one HTML page.
    ///
    /// A record that breaks off is told as far as it goes.
    #[command(
        after_help = "Examples:\n  ridethrough report runs/0197…\n  ridethrough report runs/0197… --out outage.html"
    )]
    Report {
        /// The run's folder.
        run: PathBuf,
        /// The page (default: report.html in the run's folder).
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List earlier runs, and show where the margins of promises are going.
    ///
    /// A margin that shrinks and will be gone soon is told before its promise
    /// breaks: by the median of all slopes, which one bad night does not move,
    /// and only where it is 95% sure.
    #[command(after_help = history::EXAMPLES)]
    History(HistoryArgs),
    /// Hold two runs against each other.
    ///
    /// Exit code 0 if nothing got worse from A to B, 1 if something did.
    #[command(after_help = compare::EXAMPLES)]
    Compare(CompareArgs),
    /// Remove old run folders, and compress the records of older runs.
    ///
    /// Only folders that hold a record of ridethrough are touched, and links are
    /// never followed. The last failing run of each playbook and world stays. The
    /// history keeps what removed runs came to.
    #[command(after_help = prune::EXAMPLES)]
    Prune(PruneArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  ridethrough run playbooks/power/utility-outage.yaml
  ridethrough run playbooks/power/utility-outage.yaml --seed 7 --pcap
  ridethrough run playbooks/power/utility-outage.yaml --controls
  ridethrough run playbooks/power/*.yaml --world virtual --controls
  ridethrough run playbooks/power/*.yaml --junit results.xml --json
  ridethrough run playbooks/power/*.yaml --again 3
  ridethrough run playbooks/canary/torn-answers.yaml --expect fail:continuity";

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Playbooks, run one after the other.
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub(super) playbooks: Vec<PathBuf>,
    /// Where the nodes run (default: the playbook's own, else embedded, else
    /// virtual where this machine cannot).
    #[arg(long, value_enum)]
    pub(super) world: Option<WorldArg>,
    /// Seed of every random choice (default: the playbook's own).
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// The run folder (default: runs/<id>); with several runs, the folder of
    /// their folders.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) tell: TellArgs,
    #[command(flatten)]
    pub(super) keep: KeepArgs,
    /// Print one line of JSON per run on stdout instead of the board.
    #[arg(long)]
    pub(super) json: bool,
    /// Run this control instead of the playbook: it must fail.
    #[arg(long, value_name = "NAME", conflicts_with = "controls")]
    pub(super) control: Option<String>,
    /// Run every control too; one that does not fail as it must fails the whole.
    #[arg(long)]
    pub(super) controls: bool,
    /// What the runs must come to: `pass`, `invalid`, `fail`, or `fail:ASSERTION`
    /// for a canary. The exit code is 0 only if they do, and 1 if not.
    #[arg(long, value_name = "VERDICT", conflicts_with = "controls")]
    pub(super) expect: Option<Expectation>,
    /// Run a playbook that does not pass again, N times with its seed and N
    /// times with others, to tell what is broken from what is flaky. The first
    /// verdict stands.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(super) again: u32,
    /// Write every frame of the fabric to capture.pcapng in the run folder
    /// (embedded world).
    #[arg(long)]
    pub(super) pcap: bool,
    /// Serve the numbers of the run that goes on to Prometheus, at /metrics here.
    #[arg(long, value_name = "ADDR")]
    pub(super) metrics: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Listed {
    /// Kinds of faults.
    Faults,
    /// Kinds of assertions.
    Assertions,
    /// Playbooks in a folder.
    Playbooks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WorldArg {
    /// In process, in virtual time.
    Virtual,
    /// Linux namespaces; no root, no Docker.
    Embedded,
    /// Docker containers.
    Docker,
}

impl From<WorldArg> for WorldKind {
    fn from(arg: WorldArg) -> Self {
        match arg {
            WorldArg::Virtual => Self::Virtual,
            WorldArg::Embedded => Self::Embedded,
            WorldArg::Docker => Self::Docker,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal that has it, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
