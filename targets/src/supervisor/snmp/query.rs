//! GET, GETNEXT and GETBULK over a table (RFC 3416, section 4.2), and their
//! answers in the words of SNMPv1 (RFC 3584, section 4.3).

use rasn_snmp::v2::{BulkPdu, Pdu, VarBind, VarBindValue};

use super::table::{Entry, Missing, Table};
use super::value::{bind, size};

/// Which rules an answer follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// What a query is asked of.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) table: &'a Table,
    pub(super) uptime: u64,
    pub(super) version: Version,
    /// Bytes that its variables may take.
    pub(super) room: usize,
}

impl Scope<'_> {
    fn shown(&self, entry: &Entry) -> VarBind {
        bind(&entry.oid, entry.value.syntax(self.uptime))
    }

    fn next(&self, name: &[u32]) -> Option<VarBind> {
        self.table.next(name).map(|entry| self.shown(entry))
    }

    /// The answer to GET.
    pub(super) fn get(&self, pdu: &Pdu) -> Pdu {
        let one = |asked: &VarBind| match self.table.get(&asked.name) {
            Ok(entry) => self.shown(entry),
            Err(missing) => VarBind {
                name: asked.name.clone(),
                value: match missing {
                    Missing::Object => VarBindValue::NoSuchObject,
                    Missing::Instance => VarBindValue::NoSuchInstance,
                },
            },
        };
        self.all(pdu, one)
    }

    /// The answer to GETNEXT.
    pub(super) fn get_next(&self, pdu: &Pdu) -> Pdu {
        self.all(pdu, |asked| self.next(&asked.name).unwrap_or(end(asked)))
    }

    /// One variable for each that was asked. SNMPv1 knows no exceptions: the
    /// first one makes the whole answer an error.
    fn all(&self, pdu: &Pdu, one: impl Fn(&VarBind) -> VarBind) -> Pdu {
        let mut shown = Vec::with_capacity(pdu.variable_bindings.len());
        for (at, asked) in (1..).zip(&pdu.variable_bindings) {
            let bind = one(asked);
            if self.version == Version::V1 && !matches!(bind.value, VarBindValue::Value(_)) {
                return failed(pdu, Pdu::ERROR_STATUS_NO_SUCH_NAME, at);
            }
            shown.push(bind);
        }
        Pdu {
            request_id: pdu.request_id,
            error_status: Pdu::ERROR_STATUS_NO_ERROR,
            error_index: 0,
            variable_bindings: shown,
        }
    }

    /// The answer to GETBULK: as many variables as fit into a message.
    pub(super) fn get_bulk(&self, pdu: &BulkPdu) -> Pdu {
        let asked = &pdu.variable_bindings;
        let single = usize::try_from(pdu.non_repeaters).unwrap_or(usize::MAX);
        let (single, repeated) = asked.split_at(single.min(asked.len()));
        let mut filled = Filled {
            room: self.room,
            shown: Vec::new(),
        };
        let fits = single
            .iter()
            .all(|asked| filled.push(self.next(&asked.name).unwrap_or(end(asked))));
        if fits && !repeated.is_empty() {
            self.repeat(repeated, pdu.max_repetitions, &mut filled);
        }
        Pdu {
            request_id: pdu.request_id,
            error_status: Pdu::ERROR_STATUS_NO_ERROR,
            error_index: 0,
            variable_bindings: filled.shown,
        }
    }

    /// Every column's next row, again and again: until the message is full or
    /// every column is at the end of the table.
    fn repeat(&self, columns: &[VarBind], repetitions: u32, filled: &mut Filled) {
        let mut row = columns.to_vec();
        for _ in 0..repetitions {
            let mut over = true;
            for cell in &mut row {
                let next = self.next(&cell.name).unwrap_or(end(cell));
                over &= next.value == VarBindValue::EndOfMibView;
                *cell = next.clone();
                if !filled.push(next) {
                    return;
                }
            }
            if over {
                return;
            }
        }
    }
}

struct Filled {
    room: usize,
    shown: Vec<VarBind>,
}

impl Filled {
    /// False where it does not fit any more.
    fn push(&mut self, bind: VarBind) -> bool {
        let Some(room) = self.room.checked_sub(size(&bind)) else {
            return false;
        };
        self.room = room;
        self.shown.push(bind);
        true
    }
}

fn end(asked: &VarBind) -> VarBind {
    VarBind {
        name: asked.name.clone(),
        value: VarBindValue::EndOfMibView,
    }
}

/// The request's own variables with an error; `index` counts from 1.
pub(super) fn failed(pdu: &Pdu, status: u32, index: u32) -> Pdu {
    Pdu {
        request_id: pdu.request_id,
        error_status: status,
        error_index: index,
        variable_bindings: pdu.variable_bindings.clone(),
    }
}

/// The answer where the answer is too big: SNMPv1 repeats the request, SNMPv2
/// says nothing more (RFC 3416, section 4.2.1).
pub(super) fn too_big(version: Version, request_id: i32, asked: &[VarBind]) -> Pdu {
    Pdu {
        request_id,
        error_status: Pdu::ERROR_STATUS_TOO_BIG,
        error_index: 0,
        variable_bindings: match version {
            Version::V1 => asked.to_vec(),
            Version::V2 => Vec::new(),
        },
    }
}
