//! From the words typed to a running site, and to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use ridethrough_targets::clock::Clock;
use ridethrough_targets::emulator::{Emulator, Story, stand_ins};
use ridethrough_targets::plant::{NodeLoad, PlantAction, Site};

use super::super::exit::Exit;
use super::super::interrupt::Signals;
use super::super::main::complain;
use super::super::runtime::start_runtime;
use super::args::EmulateArgs;
use super::desk::{Desk, Said};
use super::diagram::diagram;
use super::page::Page;
use super::screen::Screen;
use super::story;
use super::timeline::Timeline;
use super::{drivers, fronts};
use crate::plan::{plan_file, site_file};

/// How hard stand-in machines work.
const WORK: f64 = 0.6;
/// How often a live diagram is drawn again.
const DRAW: Duration = Duration::from_millis(500);
/// Typed lines that may wait.
const MAX_TYPED: usize = 64;

/// The verb.
pub(in super::super) fn emulate(args: &EmulateArgs, color: bool) -> Exit {
    let (site, loads, timeline) = match read(args, color) {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    let runtime = match start_runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let exit = runtime.block_on(serve(args, site, &loads, timeline));
    // A read of the terminal cannot be called back.
    runtime.shutdown_background();
    exit
}

type Read = (Site, Vec<NodeLoad>, Option<Timeline>);

/// Everything is read and checked before anything starts.
fn read(args: &EmulateArgs, color: bool) -> Result<Read, Exit> {
    let wrong = |errors: crate::playbook::PlaybookErrors| {
        eprintln!("{}", errors.render(color).trim_end());
        Exit::Usage
    };
    let site = site_file(&args.site).map_err(wrong)?;
    let Some(path) = &args.playbook else {
        let loads = stand_ins(&site);
        return Ok((site, loads, None));
    };
    let (_, plan) = plan_file(path).map_err(wrong)?;
    if plan.playbook.site != site {
        let (own, asked) = (&plan.playbook.site.name, &site.name);
        complain(&format!(
            "{} is about the site {own:?} as it describes it, not about {asked:?} in {}",
            path.display(),
            args.site.display()
        ));
        return Err(Exit::Usage);
    }
    Ok((site, plan.loads.clone(), Some(Timeline::of(&plan))))
}

async fn serve(
    args: &EmulateArgs,
    site: Site,
    loads: &[NodeLoad],
    timeline: Option<Timeline>,
) -> Exit {
    let signals = Signals::listen();
    let asked = match fronts::asked(args) {
        Ok(asked) => asked,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
    let open = match fronts::open(&asked).await {
        Ok(open) => open,
        Err(why) => {
            complain(&why);
            return Exit::World;
        }
    };
    let started = Emulator::start(&site, loads, Clock::start());
    let (emulator, told) = match started {
        Ok(started) => started,
        Err(errors) => {
            errors.iter().for_each(|error| complain(&error.to_string()));
            return Exit::Usage;
        }
    };
    for load in loads {
        let node = load.name.clone();
        let utilisation = WORK;
        emulator.act(PlantAction::Draw { node, utilisation }).await;
    }
    let mut agents = JoinSet::new();
    let drivers = match drivers::serve(&mut agents, args, emulator.board()).await {
        Ok(drivers) => drivers,
        Err(why) => {
            complain(&why);
            return Exit::World;
        }
    };
    let desk = Desk::new(emulator.clone(), Arc::new(site));
    let page = Page::new(emulator.board().clone(), desk.clone());
    let mut screen = Screen::new();
    screen.say(&format!("site {}", args.site.display()));
    if let Some(drivers) = drivers {
        screen.say(&drivers);
    }
    for front in open {
        let hint = front.kind.hint(front.address);
        screen.say(&format!("  {:<8} {hint}", front.kind.name()));
        fronts::serve(&mut agents, front, emulator.board(), args.seed, &page);
    }
    screen.say("commands: help, status, outage, restore, … quit\n");
    let mut show = Show {
        emulator,
        desk,
        page,
        screen,
        told,
        signals,
    };
    let exit = show.until_the_end(timeline).await;
    // What they hold on this machine is given back before the program ends.
    agents.shutdown().await;
    exit
}

/// What a person sees of a running site.
struct Show {
    emulator: Emulator,
    desk: Desk,
    page: Page,
    screen: Screen,
    told: mpsc::UnboundedReceiver<Story>,
    signals: Signals,
}

impl Show {
    async fn until_the_end(&mut self, timeline: Option<Timeline>) -> Exit {
        let mut typed = typed();
        let (steps, mut step) = mpsc::unbounded_channel();
        for name in timeline.iter().flat_map(|t| &t.passed_over) {
            self.screen
                .say(&format!("{name} needs a stack and is not played"));
        }
        let emulator = self.emulator.clone();
        let played = async move {
            match timeline {
                Some(timeline) => {
                    let say = |name: &str| drop(steps.send(name.to_string()));
                    timeline.play(&emulator, say).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::pin!(played);
        let mut draw = Instant::now();
        self.screen.draw(&diagram(self.emulator.board()));
        let exit = loop {
            tokio::select! {
                biased;
                () = self.signals.asked() => break Exit::Interrupted,
                Some(story) = self.told.recv() => self.hear(&story),
                Some(name) = step.recv() => self.screen.say(&format!("── {name}")),
                Some(line) = typed.recv() => if self.obey(&line).await { break Exit::Passed },
                () = &mut played => break Exit::Passed,
                () = sleep_until(draw + DRAW) => {
                    draw = Instant::now();
                    self.screen.draw(&diagram(self.emulator.board()));
                }
            }
        };
        while let Ok(story) = self.told.try_recv() {
            self.hear(&story);
        }
        self.screen.end(&diagram(self.emulator.board()));
        exit
    }

    fn hear(&mut self, story: &Story) {
        let line = story::line(story);
        self.page.tell(&line);
        self.screen.say(&line);
    }

    /// True when the site shall end.
    async fn obey(&mut self, line: &str) -> bool {
        self.screen.typed(line);
        match self.desk.say(line).await {
            Ok(Said::Quit) => return true,
            Ok(Said::Text(text)) if text.is_empty() => {}
            Ok(Said::Text(text)) => self.screen.say(text.trim_end()),
            Err(why) => self.screen.say(&format!("? {why}")),
        }
        false
    }
}

/// The lines of stdin; a closed stdin is silence, so that a site can run in the
/// background.
fn typed() -> mpsc::Receiver<String> {
    let (lines, typed) = mpsc::channel(MAX_TYPED);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    typed
}
