use super::*;

async fn snapshot(name: &str, paths: &[&str]) {
    let site = Site::start();
    site.settle().await;
    let mut documents = Vec::new();
    for path in paths {
        documents.push(site.get(path).await);
    }
    insta::with_settings!({omit_expression => true}, {
        insta::assert_json_snapshot!(name, documents);
    });
}

#[tokio::test(start_paused = true)]
async fn a_pdu_behind_a_ups() {
    let pdu = "/PowerEquipment/RackPDUs/pdu-a";
    let parts = [
        "",
        "/Mains/1",
        "/Branches/1",
        "/Outlets/1",
        "/Metrics",
        "/Sensors/Voltage",
    ];
    let paths = parts.map(|part| format!("{pdu}{part}"));
    snapshot("pdu", &paths.each_ref().map(String::as_str)).await;
}

#[tokio::test(start_paused = true)]
async fn a_transfer_switch() {
    let ats = "/PowerEquipment/TransferSwitches/ats-a";
    snapshot("transfer", &[ats, &format!("{ats}/Mains/2")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_system() {
    let supply = "/Chassis/gpu-1/PowerSubsystem/PowerSupplies/2";
    let metrics = "/Chassis/gpu-1/EnvironmentMetrics";
    snapshot(
        "system",
        &["/Systems/gpu-1", "/Chassis/gpu-1", supply, metrics],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_shelf_and_a_storage_system() {
    let battery = "/PowerSubsystem/Batteries/1";
    let shelf = format!("/Chassis/shelf-1{battery}");
    let bess = format!("/Chassis/bess-1{battery}/Metrics");
    snapshot(
        "shelves",
        &["/PowerEquipment/PowerShelves/bess-1", &shelf, &bess],
    )
    .await;
}
