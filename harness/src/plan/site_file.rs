//! A site's file, checked as the plant checks it.

use std::path::Path;

use ridethrough_targets::emulator::stand_ins;
use ridethrough_targets::plant::{Plant, Site};

use super::check::check_site;
use crate::playbook::{PlaybookErrors, load_site};

/// Reads a site and checks that it can be, with stand-in machines in its racks.
///
/// # Errors
/// Everything that is wrong with it, each at its place.
pub fn site_file(path: &Path) -> Result<Site, PlaybookErrors> {
    let loaded = load_site(path)?;
    let site = &loaded.playbook.site;
    let wrong = Plant::new(site, &stand_ins(site)).err().unwrap_or_default();
    match PlaybookErrors::collect(check_site(&loaded, &wrong), &loaded.sources) {
        Some(errors) => Err(errors),
        None => Ok(site.clone()),
    }
}
