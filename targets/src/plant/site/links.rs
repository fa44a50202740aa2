//! What feeds what on a site.

use super::top::Site;

impl Site {
    /// Every component that others feed, with each of its inputs: transfer
    /// switches, UPSs with their bypass, BESSs, PDUs and cooling units.
    pub fn inputs(&self) -> Vec<(&str, Vec<&str>)> {
        let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, it) in &self.transfers {
            all.push((name, it.from.iter().map(String::as_str).collect()));
        }
        for (name, it) in &self.ups {
            let mut from = vec![it.from.as_str()];
            from.extend(it.bypass_from.as_deref());
            all.push((name, from));
        }
        for (name, it) in &self.bess {
            all.push((name, vec![&it.from]));
        }
        for (name, it) in &self.pdus {
            all.push((name, vec![&it.from]));
        }
        for (name, it) in &self.cooling {
            all.push((name, vec![&it.from]));
        }
        all
    }
}
