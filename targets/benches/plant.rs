//! How fast the plant is where it is large: a day of a hall of ten thousand
//! racks, with fifty electrical events, and an outage of a site of ten thousand
//! devices whose meters are shown on a board:
//! `cargo bench -p ridethrough-targets --bench plant`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use ridethrough_targets::clock::{Clock, Micros};
use ridethrough_targets::plant::{
    Change, NodeLoad, Plant, PlantAction, PlantEvent, PowerTarget, Site, SiteError,
};
use ridethrough_targets::telemetry::Board;
use ridethrough_targets::units::{PerUnit, Watts};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Every measurement is the median of so many.
const ROUNDS: usize = 5;
const RACKS: usize = 10_000;
/// Racks on one pair of PDUs.
const ROW: usize = 100;
/// Electrical events of the day.
const EVENTS: u64 = 50;
const S: Micros = 1_000_000;
const HOUR: Micros = 3_600 * S;
const DAY: Micros = 24 * HOUR;
/// What a day may take.
const BAR_S: f64 = 2.0;

/// Rows of the site of devices, each with ten devices of six kinds.
const ROWS: usize = 1_000;
/// How long its grid is gone, and how long it is watched.
const OUTAGE: Micros = 60 * S;
const WATCHED: Micros = 180 * S;
/// What that outage may take.
const BAR_OUTAGE_S: f64 = 1.0;

/// Two feeds. Rows and racks are multiplied from what is written here.
const PATTERN: &str = "
name: hall
utilities: {grid-a: {}, grid-b: {}}
ups:
  ups-a: {from: grid-a, rating: 20MW, battery: {energy: 500kWh}}
  ups-b: {from: grid-b, rating: 20MW, battery: {energy: 500kWh}}
pdus:
  pdu-a: {from: ups-a, breaker: {rating: 1000A}}
  pdu-b: {from: ups-b, breaker: {rating: 1000A}}
feeds: {a: ups-a, b: ups-b}
racks:
  pattern: {cords: [pdu-a, pdu-b]}
";

/// One row of the site of devices.
const ROW_PATTERN: &str = "
name: rows
utilities: {grid: {}}
generators: {gen: {rating: 20kW, cooldown: 5s}}
transfers: {ats: {from: [grid, gen], kind: ats, retransfer_delay: 2s}}
ups: {ups: {from: ats, class: vfi, rating: 12kW, battery: {energy: 1kWh, runtime: 4m}}}
pdus: {pdu: {from: ups, breaker: {rating: 63A}}}
racks: {rack: {cords: [pdu], bbu: {rating: 6kW}}}
";

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    println!(
        "{:<52} {:>10} {:>10} {:>8}",
        "plant of 10,000 racks", "median", "worst", "bar"
    );
    for (class, words) in [
        ("vfi", "double conversion"),
        ("vfd", "standby UPSs: every gap reaches every machine"),
    ] {
        let (site, loads) = hall(class)?;
        println!("{words}");
        rounds("  built", None, || build(&site, &loads).map(drop))?;
        rounds("  a day with 50 electrical events", Some(BAR_S), || {
            day(&mut build(&site, &loads)?, false)
        })?;
        rounds(
            "  the same, every machine's work changing hourly",
            None,
            || day(&mut build(&site, &loads)?, true),
        )?;
    }
    let (site, loads) = rows()?;
    let devices = build(&site, &loads)?.identities().len();
    println!("a site of {devices} devices of seven kinds");
    rounds("  built", None, || build(&site, &loads).map(drop))?;
    let plant = build(&site, &loads)?;
    let (board, _orders) = Board::new(Clock::start(), plant.identities());
    rounds("  every meter read and shown once", None, || {
        board.publish(plant.readings());
        Ok(())
    })?;
    let mut looks = 0;
    let what = "  a minute without grid, shown whenever it moves";
    let mut plants = Vec::new();
    for _ in 0..ROUNDS {
        plants.push(build(&site, &loads)?);
    }
    rounds(what, Some(BAR_OUTAGE_S), || {
        let mut plant = plants.pop().ok_or("no plant left")?;
        looks = outage(&mut plant, &board)?;
        Ok(())
    })?;
    println!("  (shown {looks} times)");
    Ok(())
}

fn rounds(what: &str, bar_s: Option<f64>, mut round: impl FnMut() -> Result<()>) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let clock = Clock::start();
        round()?;
        times.push(clock.now_us());
    }
    times.sort_unstable();
    let s = |us: Option<&Micros>| us.map_or(f64::NAN, |us| *us as f64 / 1e6);
    let (median, worst) = (s(times.get(times.len() / 2)), s(times.last()));
    let bar = bar_s.map_or(String::new(), |bar| format!("{bar} s"));
    let held = bar_s.map_or("", |bar| if median < bar { "ok" } else { "over" });
    println!("{what:<52} {median:>8.3} s {worst:>8.3} s {bar:>8} {held}");
    Ok(())
}

/// A hall whose UPSs are of this class, with one machine in each rack.
fn hall(class: &str) -> Result<(Site, Vec<NodeLoad>)> {
    let text = PATTERN.replace("rating: 20MW", &format!("class: {class}, rating: 20MW"));
    let mut site: Site = serde_yaml::from_str(&text)?;
    let pattern = site.racks.swap_remove("pattern").ok_or("no rack to copy")?;
    let mut loads = Vec::with_capacity(RACKS);
    for k in 0..RACKS {
        let row = k / ROW;
        let mut rack = pattern.clone();
        rack.cords = Vec::new();
        for feed in ["a", "b"] {
            let name = format!("row-{row}-{feed}");
            if !site.pdus.contains_key(&name) {
                let pdu = site.pdus.get(&format!("pdu-{feed}"));
                site.pdus
                    .insert(name.clone(), pdu.ok_or("no PDU to copy")?.clone());
            }
            rack.cords.push(name);
        }
        site.racks.insert(format!("r{k}"), rack);
        loads.push(NodeLoad {
            name: format!("n{k}"),
            rack: format!("r{k}"),
            idle: Watts(400.0),
            peak: Watts(1_000.0),
        });
    }
    Ok((site, loads))
}

/// Rows that hang on one grid, each with a generator, a transfer switch, two
/// UPSs, two PDUs, a power shelf and three machines.
fn rows() -> Result<(Site, Vec<NodeLoad>)> {
    let mut site: Site = serde_yaml::from_str(ROW_PATTERN)?;
    let mut loads = Vec::new();
    let lacks = "the pattern lacks a device";
    let generator = site.generators.swap_remove("gen").ok_or(lacks)?;
    let transfer = site.transfers.swap_remove("ats").ok_or(lacks)?;
    let ups = site.ups.swap_remove("ups").ok_or(lacks)?;
    let pdu = site.pdus.swap_remove("pdu").ok_or(lacks)?;
    let rack = site.racks.swap_remove("rack").ok_or(lacks)?;
    for k in 0..ROWS {
        let (ats, r) = (format!("ats-{k}"), format!("r{k}"));
        site.generators
            .insert(format!("gen-{k}"), generator.clone());
        let mut transfer = transfer.clone();
        transfer.from = ["grid".into(), format!("gen-{k}")];
        site.transfers.insert(ats.clone(), transfer);
        let mut rack = rack.clone();
        rack.cords = Vec::new();
        for feed in ["a", "b"] {
            let mut ups = ups.clone();
            ups.from = ats.clone();
            site.ups.insert(format!("ups-{feed}-{k}"), ups);
            let mut pdu = pdu.clone();
            pdu.from = format!("ups-{feed}-{k}");
            site.pdus.insert(format!("pdu-{feed}-{k}"), pdu);
            rack.cords.push(format!("pdu-{feed}-{k}"));
        }
        site.racks.insert(r.clone(), rack);
        loads.extend((1..=3).map(|n| NodeLoad {
            name: format!("n{k}-{n}"),
            rack: r.clone(),
            idle: Watts(400.0),
            peak: Watts(1_000.0),
        }));
    }
    Ok((site, loads))
}

/// Loses the grid for a minute, and shows the meters on the board whenever
/// something happens; how often that was.
fn outage(plant: &mut Plant, board: &Board) -> Result<usize> {
    let mut heard = Vec::new();
    let mut looks = 0;
    let mut hear = |plant: &Plant, events: Vec<PlantEvent>| {
        if !events.is_empty() {
            board.publish(plant.readings());
            looks += 1;
            heard.extend(events);
        }
    };
    let lost = PlantAction::Supply {
        utility: "grid".into(),
        level: PerUnit(0.0),
    };
    let back = PlantAction::SupplyRestored {
        utility: "grid".into(),
    };
    for (until, action) in [(0, Some(lost)), (OUTAGE, Some(back)), (WATCHED, None)] {
        while let Some(next) = plant.next_event_us().filter(|next| *next <= until) {
            let events = plant.advance(next);
            hear(plant, events);
        }
        let events = plant.advance(until);
        hear(plant, events);
        if let Some(action) = action {
            let events = plant.act(&action);
            hear(plant, events);
        }
    }
    // Every UPS goes to its battery and comes back, at the least.
    if heard.len() < 4 * ROWS {
        return Err(format!("only {} events", heard.len()).into());
    }
    Ok(looks)
}

fn build(site: &Site, loads: &[NodeLoad]) -> Result<Plant> {
    Plant::new(site, loads).map_err(|found: Vec<SiteError>| {
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        found.join("; ").into()
    })
}

/// Lets a day pass as the engine does, from event to event.
fn day(plant: &mut Plant, busy: bool) -> Result<()> {
    let mut told = 0;
    let mut died = 0;
    let mut hear = |events: Vec<PlantEvent>| {
        told += events.len();
        let dead = Change::NodePower { on: false };
        died += events.iter().filter(|e| e.change == dead).count();
    };
    for (at, action) in programme(busy) {
        while let Some(next) = plant.next_event_us().filter(|next| *next <= at) {
            hear(plant.advance(next));
        }
        hear(plant.advance(at));
        hear(plant.act(&action));
    }
    hear(plant.advance(DAY));
    // The long outage empties both batteries: a day on which nothing happened
    // would measure nothing.
    if died < RACKS {
        return Err(format!("only {died} machines died, in {told} events").into());
    }
    let energy = plant.energy();
    if energy.imbalance_wh().abs() > 1e-3 * energy.drawn_wh {
        return Err(format!("energy got lost: {} Wh", energy.imbalance_wh()).into());
    }
    Ok(())
}

/// What is done on that day, in order of time: every event and its end, and
/// where it is busy, each machine's work, once an hour.
fn programme(busy: bool) -> Vec<(Micros, PlantAction)> {
    let mut all = Vec::new();
    for k in 0..EVENTS {
        let at = (k + 1) * DAY / (EVENTS + 2);
        for (after, action) in event(k) {
            all.push((at + after, action));
        }
    }
    if busy {
        for k in 0..24 * RACKS {
            let at = (k as Micros) * HOUR / RACKS as Micros;
            let action = PlantAction::Draw {
                node: format!("n{}", k * 7 % RACKS),
                utilisation: ((k / RACKS + k % 5) % 10) as f64 / 10.0,
            };
            all.push((at, action));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

/// One electrical event and its end, by time after its beginning.
fn event(k: u64) -> Vec<(Micros, PlantAction)> {
    let utility = if k.is_multiple_of(2) {
        "grid-a"
    } else {
        "grid-b"
    };
    let supply = |utility: &str, level| PlantAction::Supply {
        utility: utility.into(),
        level: PerUnit(level),
    };
    let restored = |utility: &str| PlantAction::SupplyRestored {
        utility: utility.into(),
    };
    let pdu = format!("row-{}-a", k);
    let during = |begin, end, length| vec![(0, begin), (length, end)];
    let cut = |target: PowerTarget, length| {
        let (begin, end) = (PlantAction::Cut(target.clone()), PlantAction::Uncut(target));
        during(begin, end, length)
    };
    match k % 10 {
        // The whole hall is lost, once.
        0 if k == 20 => ["grid-a", "grid-b"]
            .into_iter()
            .flat_map(|grid| during(supply(grid, 0.0), restored(grid), 20 * 60 * S))
            .collect(),
        0 | 1 => during(supply(utility, 0.0), restored(utility), 60 * S),
        2 | 3 => during(supply(utility, 0.6), restored(utility), S / 5),
        4 => during(supply(utility, 0.88), restored(utility), 600 * S),
        5 => during(
            PlantAction::BreakerOpens { pdu: pdu.clone() },
            PlantAction::BreakerCloses { pdu },
            300 * S,
        ),
        6 => cut(PowerTarget::Feed("b".into()), 30 * S),
        7 => cut(PowerTarget::Rack(format!("r{k}")), 60 * S),
        8 => cut(PowerTarget::Pdu(pdu), 60 * S),
        _ => during(
            PlantAction::BatteryOpens {
                ups: "ups-a".into(),
            },
            PlantAction::BatteryCloses {
                ups: "ups-a".into(),
            },
            600 * S,
        ),
    }
}
