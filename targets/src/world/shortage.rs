//! What a machine can run short of, and how that is measured.

use serde::{Deserialize, Serialize};

use crate::units::{PerUnit, Span};

/// Something that a machine's services get less of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortage {
    /// The processor is taken away for a share of every period, from all
    /// services at once, as a hypervisor does that gives it to others (steal
    /// time).
    Cpu {
        /// The share that is taken, 0 to 1.
        stolen: PerUnit,
        /// How long a turn is.
        period: Span,
    },
    /// No more than this much further memory can be had by all services
    /// together; who asks for more is killed by the kernel.
    Memory {
        /// In bytes.
        leave_bytes: u64,
    },
    /// No service can open more than this many further file descriptors.
    Files {
        /// How many.
        leave: u32,
    },
}

impl Shortage {
    /// What is short, as a word.
    pub fn of(&self) -> &'static str {
        match self {
            Self::Cpu { .. } => "processor",
            Self::Memory { .. } => "memory",
            Self::Files { .. } => "file descriptors",
        }
    }
}

/// A question to a machine about what it can still get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inquiry {
    /// What descriptors each service has and may have.
    Files,
    /// How far the monotonic clock of services is ahead of the machine's.
    Clock,
    /// Whether a process of this machine gets so many bytes of memory.
    Memory {
        /// In bytes.
        bytes: u64,
    },
}

/// The answer to an [`Inquiry`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supply {
    /// To [`Inquiry::Files`], in the order of the services' starts.
    Files(Vec<FileUse>),
    /// To [`Inquiry::Clock`], in microseconds.
    Clock(i64),
    /// To [`Inquiry::Memory`]: it got them, or was killed for asking.
    Memory(bool),
}

/// The descriptors of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUse {
    /// The service.
    pub service: String,
    /// How many it has open.
    pub open: u64,
    /// How many it may have open.
    pub limit: u64,
}

impl FileUse {
    /// How many more it may open.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.open)
    }
}
