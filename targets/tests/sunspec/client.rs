//! What pysunspec2 sees of one storage system and what it has it do.

use std::sync::{Arc, Mutex};

use libtest_mimic::Failed;
use ridethrough_targets::net::{HostNet, Net, SocketOptions};
use ridethrough_targets::supervisor::sunspec::{SunspecConfig, run_sunspec_on};
use ridethrough_targets::telemetry::DeviceCommand;
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use crate::fixture;
use crate::peer::{Peer, check};

/// What makes the environment in which it is looked for.
pub(crate) const INSTALL: &str = "python3 -m venv ~/.cache/ridethrough/sunspec && \
     ~/.cache/ridethrough/sunspec/bin/pip install pysunspec2";

/// Connects and scans. What follows prints one line of JSON.
const HEAD: &str = "
import json, sys, time
from sunspec2.modbus import client
device = client.SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr='127.0.0.1', ipport=int(sys.argv[1]), timeout=20)
device.scan()
def model(number):
    return device.models[number][0]
";

const READS: &str = "
numbers = [number for number in device.models if isinstance(number, int)]
common, ac, store, bank = model(1), model(701), model(713), model(802)
print(json.dumps({
    'models': sorted(numbers),
    'errors': [device.models[n][0].error_info for n in numbers],
    'maker': common.Mn.value,
    'volts': ac.LLV.cvalue or ac.LNV.cvalue,
    'hertz': ac.Hz.cvalue,
    'rating': model(702).WMaxRtg.cvalue,
    'charge': store.SoC.cvalue,
    'health': store.SoH.cvalue,
    'bank': bank.SoC.cvalue,
    'beat': model(715).DERHb.value,
}))
";

const WRITES: &str = "
control, der = model(704), model(715)
control.WSet.cvalue = -20000
control.WSetMod.value = 1
control.WSetRvrtTms.value = 60
control.WSetEna.value = 1
control.write()
control.read()
der.ControllerHb.value = 4711
der.write()
der.read()
print(json.dumps({
    'watts': control.WSet.cvalue,
    'on': control.WSetEna.value,
    'left': 50 <= control.WSetRvrtRem.value <= 60,
    'heart': der.ControllerHb.value,
}))
";

const LAPSES: &str = "
control = model(704)
control.WSet.cvalue = 10000
control.WSetRvrtTms.value = 1
control.WSetEna.value = 1
control.write()
seen = []
end = time.monotonic() + 20
while time.monotonic() < end:
    control.read()
    seen.append(control.WSetEna.value)
    if seen[-1] == 0:
        break
    time.sleep(0.05)
print(json.dumps({'first': seen[0], 'last': seen[-1]}))
";

const REFUSED: &str = "
control = model(704)
control.WSet.cvalue = 900000
try:
    control.write()
    said = ''
except Exception as error:
    said = str(error)
control.read()
print(json.dumps({'said': said, 'watts': control.WSet.cvalue}))
";

/// The Python of the environment that `.ci/run` makes, where it has the package.
pub(crate) fn find() -> Option<Peer> {
    let python = Peer::find_in("sunspec", "python")?;
    let mut import = python.command();
    let output = import.as_std_mut().args(["-c", "import sunspec2"]).output();
    output.is_ok_and(|o| o.status.success()).then_some(python)
}

/// The orders that the storage was given.
type Told = Arc<Mutex<Vec<DeviceCommand>>>;

/// Runs a script against a storage that does whatever it is told.
async fn run(python: &Peer, script: &str) -> Result<(Json, Vec<DeviceCommand>), Failed> {
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await?;
    let port = listener.local_addr().port().to_string();
    let (board, mut orders) = fixture::board();
    let told = Told::default();
    let log = Arc::clone(&told);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Some(order) = orders.recv().await {
            if let Ok(mut log) = log.lock() {
                log.push(order.command);
            }
            let _ = order.done.send(Ok(()));
        }
    });
    tasks.spawn(run_sunspec_on(board, SunspecConfig::default(), listener));
    let script = format!("{HEAD}{script}");
    let output = python.run(&["-c", &script, &port]).await?;
    check(output.good, format!("{}{}", output.out, output.err))?;
    let told = told.lock().map_err(|_| "a task panicked")?.clone();
    Ok((serde_json::from_str(&output.out)?, told))
}

fn same(got: &Json, want: &Json) -> Result<(), Failed> {
    check(got == want, format!("got  {got}\nwant {want}"))
}

pub(crate) async fn reads(python: Peer) -> Result<(), Failed> {
    let (got, told) = run(&python, READS).await?;
    let want = json!({
        "models": [1, 701, 702, 703, 704, 713, 715, 802, 803],
        "errors": ["", "", "", "", "", "", "", "", ""],
        "maker": "ridethrough",
        "volts": 230.0,
        "hertz": 50.0,
        "rating": 100_000.0,
        "charge": 80.0,
        "health": 97.0,
        "bank": 80.0,
        "beat": 0,
    });
    same(&got, &want)?;
    check(told.is_empty(), format!("{told:?}"))
}

pub(crate) async fn writes(python: Peer) -> Result<(), Failed> {
    let (got, told) = run(&python, WRITES).await?;
    let want = json!({"watts": -20_000.0, "on": 1, "left": true, "heart": 4_711});
    same(&got, &want)?;
    let watts = Some(-20_000.0);
    let power = told.contains(&DeviceCommand::Power { watts });
    let heart = told.contains(&DeviceCommand::Heartbeat);
    check(power && heart, format!("{told:?}"))
}

pub(crate) async fn lapses(python: Peer) -> Result<(), Failed> {
    let (got, told) = run(&python, LAPSES).await?;
    same(&got, &json!({"first": 1, "last": 0}))?;
    let last = told.last() == Some(&DeviceCommand::Power { watts: None });
    check(last, format!("{told:?}"))
}

pub(crate) async fn refused(python: Peer) -> Result<(), Failed> {
    let (got, told) = run(&python, REFUSED).await?;
    let said = got["said"].as_str().unwrap_or_default();
    check(said.contains('3'), got.to_string())?;
    check(got["watts"] == 0.0, got.to_string())?;
    check(told.is_empty(), format!("{told:?}"))
}
