//! What `ridethrough gameday` takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use ridethrough_targets::units::Span;

use crate::cli::args::WorldArg;

pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  ridethrough gameday playbooks/power/utility-outage.yaml --hold-all
  ridethrough gameday playbooks/power/utility-outage.yaml --blind --hold-limit 30m
  ridethrough gameday playbooks/power/utility-outage.yaml --listen 192.0.2.7:8080
  ridethrough gameday playbooks/power/utility-outage.yaml --world virtual --hold-all

Tokens of your own come from RIDETHROUGH_TOKEN_WATCH, _SCRIBE and _CONDUCTOR too,
where other users of this machine cannot read them.

The last example rehearses the timeline: in a virtual world nobody can be waited for, so
each hold releases itself after 5 s of virtual time.";

#[derive(Args)]
pub(in crate::cli) struct GamedayArgs {
    /// The playbook.
    #[arg(value_name = "PLAYBOOK")]
    pub(in crate::cli) playbook: PathBuf,
    /// Where the nodes run (default: as `run` has it).
    #[arg(long, value_enum)]
    pub(in crate::cli) world: Option<WorldArg>,
    /// Seed of every random choice (default: the playbook's own).
    #[arg(long)]
    pub(in crate::cli) seed: Option<u64>,
    /// The run folder (default: runs/<id>).
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Serve the page here.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(in crate::cli) listen: SocketAddr,
    /// Every fault waits for the conductor, not only those with `hold:`.
    #[arg(long)]
    pub(in crate::cli) hold_all: bool,
    /// How long a fault waits at most; then everything is healed and the run ends.
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub(in crate::cli) hold_limit: Span,
    /// Watchers and scribes see only what production would show, until the end.
    #[arg(long)]
    pub(in crate::cli) blind: bool,
    /// Sign the bundle of the run with this key, of `ridethrough keygen`.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) key: Option<PathBuf>,
    /// The token of those who look (default: none on the loopback address, else a
    /// random one).
    #[arg(long, value_name = "TOKEN")]
    pub(in crate::cli) token_watch: Option<String>,
    /// The token of those who write notes and may stop the run (default: random).
    #[arg(long, value_name = "TOKEN")]
    pub(in crate::cli) token_scribe: Option<String>,
    /// The token of the conductor (default: random).
    #[arg(long, value_name = "TOKEN")]
    pub(in crate::cli) token_conductor: Option<String>,
}

/// Tokens are never shown.
impl std::fmt::Debug for GamedayArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("GamedayArgs");
        shown.field("playbook", &self.playbook);
        shown.finish_non_exhaustive()
    }
}
