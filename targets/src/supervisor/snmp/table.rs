//! A device's objects: a sorted table of object identifiers and values.

use super::set::Setter;
use super::value::Value;

/// One instance of an object.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) oid: Vec<u32>,
    pub(super) value: Value,
    /// What setting it does, where it can be set.
    pub(super) setter: Option<Setter>,
}

/// Why there is no value (RFC 3416, section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// There is no such object.
    Object,
    /// The object is known; this instance of it is not there.
    Instance,
}

/// Every object of one device.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    objects: Vec<Vec<u32>>,
}

impl Table {
    /// Sorted, as GETNEXT wants it.
    pub(super) fn new(builder: Builder) -> Self {
        let Builder {
            mut entries,
            mut objects,
            ..
        } = builder;
        entries.sort_by(|a, b| a.oid.cmp(&b.oid));
        entries.dedup_by(|a, b| a.oid == b.oid);
        objects.sort();
        objects.dedup();
        Self { entries, objects }
    }

    /// Exactly this instance.
    pub(super) fn get(&self, oid: &[u32]) -> Result<&Entry, Missing> {
        let found = self
            .entries
            .binary_search_by(|entry| entry.oid.as_slice().cmp(oid));
        match found {
            Ok(at) => Ok(&self.entries[at]),
            Err(_) if self.knows(oid) => Err(Missing::Instance),
            Err(_) => Err(Missing::Object),
        }
    }

    /// The first instance after this name.
    pub(super) fn next(&self, oid: &[u32]) -> Option<&Entry> {
        let at = self
            .entries
            .partition_point(|entry| entry.oid.as_slice() <= oid);
        self.entries.get(at)
    }

    /// Some object is this name or a beginning of it.
    fn knows(&self, oid: &[u32]) -> bool {
        let after = self.objects.partition_point(|o| o.as_slice() <= oid);
        let before = after.checked_sub(1).and_then(|at| self.objects.get(at));
        before.is_some_and(|object| oid.starts_with(object))
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// A table on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Builder {
    base: Vec<u32>,
    entries: Vec<Entry>,
    objects: Vec<Vec<u32>>,
}

impl Builder {
    /// What follows is below this name.
    pub(super) fn under(&mut self, base: &[u32]) {
        self.base = base.to_vec();
    }

    fn name(&self, tail: &[u32]) -> Vec<u32> {
        let mut oid = self.base.clone();
        oid.extend_from_slice(tail);
        oid
    }

    fn put(&mut self, object: Vec<u32>, index: &[u32], value: Value, setter: Option<Setter>) {
        let mut oid = object.clone();
        oid.extend_from_slice(index);
        self.objects.push(object);
        self.entries.push(Entry { oid, value, setter });
    }

    /// A scalar; without a value only its object is known.
    pub(super) fn scalar(&mut self, tail: &[u32], value: impl Into<Option<Value>>) {
        let object = self.name(tail);
        match value.into() {
            Some(value) => self.put(object, &[0], value, None),
            None => self.objects.push(object),
        }
    }

    /// A scalar that can be set.
    pub(super) fn set(&mut self, tail: &[u32], setter: Setter, value: Value) {
        let object = self.name(tail);
        self.put(object, &[0], value, Some(setter));
    }

    /// One cell of a table's column; without a value only the column is known.
    pub(super) fn cell(&mut self, column: &[u32], index: &[u32], value: impl Into<Option<Value>>) {
        let object = self.name(column);
        match value.into() {
            Some(value) => self.put(object, index, value, None),
            None => self.objects.push(object),
        }
    }

    /// A cell that can be set.
    pub(super) fn set_cell(
        &mut self,
        column: &[u32],
        index: &[u32],
        setter: Setter,
        value: Option<Value>,
    ) {
        let object = self.name(column);
        match value {
            Some(value) => self.put(object, index, value, Some(setter)),
            None => self.objects.push(object),
        }
    }
}
