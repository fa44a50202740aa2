//! The switch, on Linux.

#[cfg(linux_worlds)]
mod linux;

fn main() {
    #[cfg(linux_worlds)]
    linux::main();
}
