//! Says whether the worlds that need Linux are built.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(linux_worlds)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RIDETHROUGH_PORTABLE");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    // On Linux too, one can build what every other system gets.
    let portable = std::env::var_os("RIDETHROUGH_PORTABLE").is_some();
    if linux && !portable {
        println!("cargo::rustc-cfg=linux_worlds");
    }
}
