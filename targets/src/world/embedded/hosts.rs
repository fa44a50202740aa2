//! What the hosts of a site come to: one network, and a table of names.

use super::config::EmbeddedConfig;

impl EmbeddedConfig {
    /// The length of the longest prefix that holds all hosts, at most 24 bits.
    pub(super) fn prefix(&self) -> u8 {
        let mut hosts = self.hosts.values().map(|ip| u32::from(*ip));
        let Some(first) = hosts.next() else { return 24 };
        let differing = hosts.fold(0, |bits, host| bits | (host ^ first));
        differing.leading_zeros().min(24) as u8
    }

    /// What `/etc/hosts` says on every node whose names are served.
    pub(super) fn bare_hosts_text() -> &'static str {
        "127.0.0.1 localhost\n"
    }

    /// What it says where nodes could not be told whom to ask for names.
    pub(super) fn hosts_text(&self) -> String {
        let mut text = String::from(Self::bare_hosts_text());
        for (name, ip) in &self.hosts {
            text.extend([ip.to_string().as_str(), " ", name, "\n"]);
        }
        text
    }
}

#[cfg(test)]
mod tests;
