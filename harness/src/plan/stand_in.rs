//! `${ip:gpu-1}` and `${cache}` in the text of a service that nobody here wrote.
//!
//! Programs and their configurations have `${…}` of their own: what is none of
//! ours stays as it is.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use indexmap::IndexMap;

/// What stand-ins may name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ground {
    /// The machines of the stack.
    pub(crate) nodes: IndexMap<String, Ipv4Addr>,
    /// The user's cache folder.
    pub(crate) cache: PathBuf,
}

/// How the address of a machine begins.
const IP: &str = "${ip:";
/// The user's cache folder.
const CACHE: &str = "${cache}";

/// A text with every stand-in filled in; one that names no machine stays.
pub(crate) fn filled(text: &str, ground: &Ground) -> String {
    let mut out = text.replace(CACHE, &ground.cache.to_string_lossy());
    for node in named(text) {
        if let Some(ip) = ground.nodes.get(node) {
            out = out.replace(&format!("{IP}{node}}}"), &ip.to_string());
        }
    }
    out
}

/// The machines that a text names.
pub(crate) fn named(text: &str) -> Vec<&str> {
    let parts = text.split(IP).skip(1);
    parts
        .filter_map(|part| Some(part.split_once('}')?.0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground() -> Ground {
        Ground {
            nodes: IndexMap::from([("gpu-1".to_string(), Ipv4Addr::new(10, 77, 0, 2))]),
            cache: PathBuf::from("/c"),
        }
    }

    #[test]
    fn addresses_and_the_cache_are_filled_in() {
        let text = "${cache}/bin/x --to ${ip:gpu-1}:8001 --also ${ip:gpu-1}";
        let out = filled(text, &ground());
        assert_eq!(out, "/c/bin/x --to 10.77.0.2:8001 --also 10.77.0.2");
    }

    #[test]
    fn what_is_not_ours_stays() {
        let text = "log_format x '$remote_addr ${request}'; ${HOME} ${ip:";
        assert_eq!(filled(text, &ground()), text);
        assert_eq!(filled("${ip:gpu-9}", &ground()), "${ip:gpu-9}");
    }

    #[test]
    fn the_machines_that_a_text_names() {
        assert_eq!(named("${ip:a} and ${ip:b}, ${ip"), ["a", "b"]);
    }
}
