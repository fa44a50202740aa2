//! What the switch costs, on Linux.

#[cfg(linux_worlds)]
mod linux;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    #[cfg(linux_worlds)]
    linux::main()?;
    Ok(())
}
