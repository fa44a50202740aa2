//! DMTF's command-line utilities, which come with the validators.

use libtest_mimic::Failed;

use crate::peer::{Peer, check};
use crate::site::Site;

pub(crate) async fn use_site(reset: Peer) -> Result<(), Failed> {
    let site = Site::start(false).await?;
    let root = site.root();
    let login = ["-u", "supervisor", "-p", "supervisor", "-r", &root];
    let run = async |program: &str, arguments: &[&str]| {
        let all = [&login[..], arguments].concat();
        let output = reset.beside(program).run(&all).await?;
        check(
            output.good,
            format!("{program}: {} {}", output.out, output.err),
        )?;
        Ok::<_, Failed>(output.out)
    };
    let off = ["--system", "gpu-1", "--type", "ForceOff"];
    run("rf_power_reset.py", &off).await?;
    let info = run("rf_power_reset.py", &["--system", "gpu-1", "--info"]).await?;
    check(info.contains("ForceRestart"), info)?;
    let sensors = run("rf_sensor_list.py", &[]).await?;
    check(sensors.contains("gpu-2"), sensors)?;
    let equipment = run("rf_power_equipment.py", &["list"]).await?;
    let names = ["pdu-a", "pdu-b", "ats-a", "shelf-1", "bess-1"];
    check(names.iter().all(|name| equipment.contains(name)), equipment)?;
    let outlets = ["outlets", "--type", "RackPDU", "--equipment", "pdu-a"];
    let outlets = run("rf_power_equipment.py", &outlets).await?;
    check(outlets.contains("400"), outlets)
}
