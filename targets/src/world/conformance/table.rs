//! The table, as data.
//!
//! Its source is what Linux peers were measured to see when the switch port of
//! a host goes down before the host dies. The order is the point: a host that
//! is killed first still sends FIN and RST, which no power cut does.

use serde::{Deserialize, Serialize};

/// What happens to the server's node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The port goes dark, then every process dies.
    PowerCut,
    /// The processes die while the kernel lives.
    Sigkill,
    /// The processes stop while the kernel lives.
    Hang,
    /// A power cut, and the next boot soon after.
    Reboot,
}

/// Who looks at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Reads a stream; keepalive is off.
    Reader,
    /// Reads a stream with keepalive after 1 s, every 1 s, 3 times.
    ReaderKeepalive,
    /// Writes; the kernel's defaults.
    Writer,
    /// Writes with a `TCP_USER_TIMEOUT` of 3 s.
    WriterTimeout,
    /// Connects right after the fault.
    ConnectAtOnce,
    /// Connects when the peer's neighbour entry has had time to fail, or the
    /// next boot has had time to listen.
    ConnectLater,
}

impl Column {
    /// The columns that hold a connection open across the fault.
    pub const STREAMS: [Self; 4] = [
        Self::Reader,
        Self::ReaderKeepalive,
        Self::Writer,
        Self::WriterTimeout,
    ];
}

/// How a connection, or the attempt at one, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The attempt brought a connection.
    Connected,
    /// End of stream: a FIN came.
    Eof,
    /// A RST came (`ECONNRESET`, or `EPIPE` where a FIN came before it).
    Reset,
    /// `ETIMEDOUT`.
    TimedOut,
    /// `ECONNREFUSED`.
    Refused,
    /// `EHOSTUNREACH`.
    Unreachable,
    /// Any other error.
    Other,
}

/// What a cell of the table demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing at all until the end of the observation.
    Silence,
    /// One of these ends, in this window of milliseconds: after the fault, or
    /// for an attempt to connect after it began.
    Ends {
        /// The ends that are right.
        how: &'static [End],
        /// Not before.
        from_ms: u64,
        /// Not after.
        to_ms: u64,
    },
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// The fault.
    pub fault: Fault,
    /// What each column must see; columns that are not listed are free.
    pub cells: &'static [(Column, Expect)],
}

/// What a cell came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The column.
    pub column: Column,
    /// What had to be seen.
    pub expected: Expect,
    /// What was seen, in words.
    pub observed: String,
    /// Whether that is right.
    pub holds: bool,
}

const fn ends(how: &'static [End], from_ms: u64, to_ms: u64) -> Expect {
    Expect::Ends {
        how,
        from_ms,
        to_ms,
    }
}

/// What every world must reproduce.
pub const TABLE: [Row; 4] = [
    Row {
        name: "power_cut",
        fault: Fault::PowerCut,
        cells: &[
            (Column::Reader, Expect::Silence),
            (Column::ReaderKeepalive, ends(&[End::TimedOut], 2500, 6000)),
            (Column::Writer, Expect::Silence),
            (Column::WriterTimeout, ends(&[End::TimedOut], 2500, 6000)),
            (Column::ConnectAtOnce, Expect::Silence),
            (Column::ConnectLater, ends(&[End::Unreachable], 0, 4000)),
        ],
    },
    Row {
        name: "sigkill",
        fault: Fault::Sigkill,
        cells: &[
            (Column::Reader, ends(&[End::Eof], 0, 1000)),
            (Column::ReaderKeepalive, ends(&[End::Eof], 0, 1000)),
            (Column::Writer, ends(&[End::Reset], 0, 1000)),
            (Column::WriterTimeout, ends(&[End::Reset], 0, 1000)),
            (Column::ConnectAtOnce, ends(&[End::Refused], 0, 500)),
            (Column::ConnectLater, ends(&[End::Refused], 0, 500)),
        ],
    },
    Row {
        name: "hang",
        fault: Fault::Hang,
        cells: &[
            (Column::Reader, Expect::Silence),
            (Column::ReaderKeepalive, Expect::Silence),
            (Column::Writer, Expect::Silence),
            (Column::WriterTimeout, Expect::Silence),
            (Column::ConnectAtOnce, ends(&[End::Connected], 0, 500)),
            (Column::ConnectLater, ends(&[End::Connected], 0, 500)),
        ],
    },
    Row {
        name: "reboot",
        fault: Fault::Reboot,
        cells: &[
            (Column::Reader, Expect::Silence),
            // The new kernel resets a probe; a slow boot lets it time out.
            (
                Column::ReaderKeepalive,
                ends(&[End::Reset, End::TimedOut], 500, 6000),
            ),
            (Column::Writer, ends(&[End::Reset], 500, 6000)),
            (
                Column::WriterTimeout,
                ends(&[End::Reset, End::TimedOut], 500, 6000),
            ),
            (Column::ConnectLater, ends(&[End::Connected], 0, 500)),
        ],
    },
];
