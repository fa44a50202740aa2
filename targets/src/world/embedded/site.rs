//! The warden, and the init of the site that it starts.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::ExitCode;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use super::channel;
use super::kernel::{self, Forked};
use super::message::{BootOrder, FromSite, SiteOrder};
use super::node;
use super::refused::{Need, made};
use super::setup::{self, Doing};

/// The warden: enters a user namespace if told to, starts the site's init as
/// pid 1 of a new pid namespace, and ends with it.
pub(super) fn warden_main() -> ExitCode {
    match warden() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("warden: {error}");
            ExitCode::FAILURE
        }
    }
}

fn warden() -> Result<(), String> {
    let control = take_control().doing("take the control socket")?;
    let first = channel::receive(control.as_fd()).doing("read the order")?;
    let Some((order, _)) = first else {
        return Ok(());
    };
    let order: SiteOrder = order;
    if let Err(error) = setup::enter_user(order.user) {
        let _ = channel::send(control.as_fd(), &FromSite::Broken(error.clone()), &[]);
        return Err(error);
    }
    let (alive, life) = nix::unistd::pipe2(OFlag::O_CLOEXEC).doing("make a pipe")?;
    let flags = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS;
    match made(Need::Namespaces, kernel::fork_into(flags)).doing("start the init of the site") {
        Ok(Forked::Child) => {
            drop(life);
            site_main(&control, &alive, &order)
        }
        Ok(Forked::Parent(pidfd)) => {
            drop((control, alive));
            let mut ended = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
            while poll(&mut ended, PollTimeout::NONE) == Err(nix::errno::Errno::EINTR) {}
            drop(life);
            Ok(())
        }
        Err(error) => {
            let _ = channel::send(control.as_fd(), &FromSite::Broken(error.clone()), &[]);
            Err(error)
        }
    }
}

/// The control socket comes as standard input.
fn take_control() -> io::Result<OwnedFd> {
    let control = io::stdin().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    Ok(control)
}

/// Pid 1 of the site: forks a node's init for every order, and ends when the
/// harness or the warden is gone.
fn site_main(control: &OwnedFd, alive: &OwnedFd, order: &SiteOrder) -> ! {
    let ready = set_pdeathsig(Signal::SIGKILL)
        .doing("bind its life to the warden's")
        .and_then(|()| kernel::reap_by_itself(true).doing("ignore its children's deaths"))
        .and_then(|()| setup::site(order));
    let word = match ready {
        Ok(notes) => FromSite::Ready(notes),
        Err(error) => FromSite::Broken(error),
    };
    let broken = matches!(word, FromSite::Broken(_));
    if channel::send(control.as_fd(), &word, &[]).is_err() || broken {
        std::process::exit(1);
    }
    loop {
        let mut wait = [
            PollFd::new(control.as_fd(), PollFlags::POLLIN),
            PollFd::new(alive.as_fd(), PollFlags::POLLIN),
        ];
        if poll(&mut wait, PollTimeout::NONE).is_err() {
            continue;
        }
        if wait[1].any() == Some(true) {
            std::process::exit(0);
        }
        match channel::receive::<BootOrder>(control.as_fd()) {
            Ok(Some((order, fds))) => boot(control, order, fds),
            Ok(None) => std::process::exit(0),
            Err(error) => {
                eprintln!("site: {error}");
                std::process::exit(1);
            }
        }
    }
}

fn boot(control: &OwnedFd, order: BootOrder, fds: Vec<OwnedFd>) {
    let id = order.id;
    let forked = setup::next_clock(order.clock_offset_ns).and_then(|()| {
        made(
            Need::Namespaces,
            kernel::fork_into(CloneFlags::CLONE_NEWPID),
        )
        .doing("start the node's init")
    });
    let sent = match forked {
        Ok(Forked::Child) => {
            let keep: Vec<_> = fds.iter().map(AsRawFd::as_raw_fd).collect();
            if kernel::close_others(&keep).is_err() {
                std::process::exit(1);
            }
            node::main(order, fds)
        }
        Ok(Forked::Parent(pidfd)) => {
            channel::send(control.as_fd(), &FromSite::Forked(id), &[pidfd.as_fd()])
        }
        Err(error) => channel::send(control.as_fd(), &FromSite::Refused(id, error), &[]),
    };
    if sent.is_err() {
        std::process::exit(1);
    }
}
