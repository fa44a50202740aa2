//! What a node is made of.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::WorldError;
use super::volume::VolumeSpec;
use crate::service::Program;

/// One host of the stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeSpec {
    /// Its host name, known to every node.
    pub name: String,
    /// Its address on the fabric.
    pub ip: Ipv4Addr,
    /// What it runs.
    pub services: Vec<ServiceSpec>,
}

impl NodeSpec {
    /// Whether it is somebody else's container.
    pub fn is_guest(&self) -> bool {
        let mut programs = self.services.iter().map(|service| &service.program);
        programs.any(|program| matches!(program, Program::Guest { .. }))
    }

    /// The node's hardware address, the same at every boot: locally
    /// administered, ending in the IPv4 address.
    pub fn mac(&self) -> [u8; 6] {
        let [a, b, c, d] = self.ip.octets();
        [0x02, 0x72, a, b, c, d]
    }
}

/// One service of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Its name, unique on the node.
    pub name: String,
    /// What runs.
    pub program: Program,
    /// Its seed.
    pub seed: u64,
    /// Its volume, if it has one.
    #[serde(default)]
    pub volume: Option<VolumeSpec>,
}

impl ServiceSpec {
    /// For worlds without a container engine.
    pub(crate) fn refuse_image(&self) -> Result<(), WorldError> {
        match &self.program {
            Program::Image { .. } | Program::Guest { .. } => Err(WorldError::Missing {
                what: format!("service `{}` is a container", self.name),
                remedy: "run it with `--world docker`".into(),
            }),
            _ => Ok(()),
        }
    }
}
