//! NUT drivers of a site, for an `upsd` on this machine.

#[cfg(unix)]
pub(super) use there::serve;

#[cfg(unix)]
mod there {
    use tokio::task::JoinSet;

    use ridethrough_targets::supervisor::NutAgentConfig;
    use ridethrough_targets::supervisor::driver::{DriverSockets, run_driver_on};
    use ridethrough_targets::telemetry::Board;

    use super::super::args::EmulateArgs;

    /// Serves a driver for each device, where that is asked for, until the set is
    /// dropped; what `upsd` has to be told.
    ///
    /// # Errors
    /// The first socket that cannot be had, and why.
    pub(in super::super) async fn serve(
        tasks: &mut JoinSet<()>,
        args: &EmulateArgs,
        board: &Board,
    ) -> Result<Option<String>, String> {
        let Some(folder) = &args.nut_driver else {
            return Ok(None);
        };
        let open = DriverSockets::open(board, folder).await;
        let sockets = open.map_err(|error| format!("cannot serve nut-driver at {error}"))?;
        let conf = sockets.ups_conf();
        let battery_v = NutAgentConfig::default().battery_nominal_v;
        tasks.spawn(run_driver_on(board.clone(), battery_v, sockets));
        let folder = folder.display();
        Ok(Some(format!(
            "  nut-driver  NUT_STATEPATH={folder} upsd -u USER, where USER may connect to the \
             sockets; its ups.conf:\n{}",
            conf.trim_end()
        )))
    }
}

/// Where there are no Unix sockets, nothing asks for drivers.
#[cfg(not(unix))]
pub(super) async fn serve(
    _tasks: &mut tokio::task::JoinSet<()>,
    _args: &super::args::EmulateArgs,
    _board: &ridethrough_targets::telemetry::Board,
) -> Result<Option<String>, String> {
    Ok(None)
}
