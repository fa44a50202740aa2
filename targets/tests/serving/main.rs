//! Clients that others wrote, against the reference stack on loopback.
//!
//! Whether a client is there is decided when the cases are listed: a missing one
//! is shown as ignored with the way to get it, and is a failure where `CI=true`.

mod curl;
mod openai;
mod stack;

use libtest_mimic::{Arguments, Failed, Trial};

type Case = (&'static str, fn() -> Result<(), Failed>);

fn main() {
    let mut arguments = Arguments::from_args();
    // They wait for peers most of the time.
    arguments.test_threads.get_or_insert(6);
    let mut trials = Vec::new();
    for (peer, missing, cases) in [
        ("curl", curl::missing(), curl::CASES),
        ("openai", openai::missing(), openai::CASES),
    ] {
        trials.extend(cases.iter().map(|case| trial(peer, missing, case)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(peer: &str, missing: Option<&'static str>, (name, run): &Case) -> Trial {
    let run = *run;
    let Some(install) = missing else {
        return Trial::test(format!("{peer}: {name}"), run);
    };
    let name = format!("{peer}: {name} (no {peer} here: {install})");
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        return Trial::test(name, move || {
            Err(Failed::from(format!("missing: {install}")))
        });
    }
    Trial::test(name, run).with_ignored_flag(true)
}
