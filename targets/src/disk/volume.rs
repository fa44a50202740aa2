//! A file system in memory whose crash semantics are exact.
//!
//! Names and bytes each have two states: as they are now, and as they have
//! reached the medium. `fsync` of a file moves its bytes over, and not its name;
//! `fsync` of a folder moves every name over at once, as the journal of a file
//! system does. A power cut leaves the second state alone.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;

use super::content::Content;
pub use super::content::SECTOR;
use super::error::DiskError;

/// What space is given out in, in bytes.
const BLOCK: u64 = 4096;

/// The number of a file or folder.
pub type Ino = u64;

/// The folder that all others are in.
pub const ROOT: Ino = 1;

/// A file or folder.
#[derive(Clone, Debug)]
struct Inode {
    mode: u16,
    open: u32,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    File(Content),
    Folder {
        now: BTreeMap<String, Ino>,
        kept: BTreeMap<String, Ino>,
    },
}

/// What a file or folder looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its number.
    pub ino: Ino,
    /// It is a folder.
    pub folder: bool,
    /// Bytes in it.
    pub len: u64,
    /// Permissions, as `chmod` has them.
    pub mode: u16,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// What it names.
    pub shape: Shape,
}

/// What a power cut took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Bytes, in sectors, that were written and had not reached the medium.
    pub unsynced: u64,
    /// Names that were made, changed or removed and had not.
    pub names: u64,
}

/// The file system.
#[derive(Clone, Debug)]
pub struct Volume {
    capacity: u64,
    inodes: BTreeMap<Ino, Inode>,
    last: Ino,
}

impl Volume {
    /// An empty one of so many bytes.
    pub fn new(capacity: u64) -> Self {
        let root = Inode {
            mode: 0o755,
            open: 1,
            body: Body::Folder {
                now: BTreeMap::new(),
                kept: BTreeMap::new(),
            },
        };
        Self {
            capacity,
            inodes: BTreeMap::from([(ROOT, root)]),
            last: ROOT,
        }
    }

    /// Bytes that it can hold.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Bytes in use, in whole blocks.
    pub fn used(&self) -> u64 {
        let of = |inode: &Inode| match &inode.body {
            Body::File(content) => blocks(content.len()) * BLOCK,
            Body::Folder { .. } => 0,
        };
        self.inodes.values().map(of).sum()
    }

    fn inode(&self, ino: Ino) -> Result<&Inode, DiskError> {
        self.inodes.get(&ino).ok_or(DiskError::NotFound)
    }

    fn inode_mut(&mut self, ino: Ino) -> Result<&mut Inode, DiskError> {
        self.inodes.get_mut(&ino).ok_or(DiskError::NotFound)
    }

    fn names(&self, folder: Ino) -> Result<&BTreeMap<String, Ino>, DiskError> {
        match &self.inode(folder)?.body {
            Body::Folder { now, .. } => Ok(now),
            Body::File(_) => Err(DiskError::NotFolder),
        }
    }

    fn names_mut(&mut self, folder: Ino) -> Result<&mut BTreeMap<String, Ino>, DiskError> {
        match &mut self.inode_mut(folder)?.body {
            Body::Folder { now, .. } => Ok(now),
            Body::File(_) => Err(DiskError::NotFolder),
        }
    }

    fn content(&self, file: Ino) -> Result<&Content, DiskError> {
        match &self.inode(file)?.body {
            Body::File(content) => Ok(content),
            Body::Folder { .. } => Err(DiskError::IsFolder),
        }
    }

    fn content_mut(&mut self, file: Ino) -> Result<&mut Content, DiskError> {
        match &mut self.inode_mut(file)?.body {
            Body::File(content) => Ok(content),
            Body::Folder { .. } => Err(DiskError::IsFolder),
        }
    }

    /// What a number stands for.
    pub fn shape(&self, ino: Ino) -> Result<Shape, DiskError> {
        let inode = self.inode(ino)?;
        let (folder, len) = match &inode.body {
            Body::File(content) => (false, content.len()),
            Body::Folder { .. } => (true, 0),
        };
        Ok(Shape {
            ino,
            folder,
            len,
            mode: inode.mode,
        })
    }

    /// What a name stands for.
    pub fn find(&self, folder: Ino, name: &str) -> Result<Shape, DiskError> {
        let ino = self.names(folder)?.get(name).ok_or(DiskError::NotFound)?;
        self.shape(*ino)
    }

    /// Every name of a folder, in order.
    pub fn list(&self, folder: Ino) -> Result<Vec<Entry>, DiskError> {
        let named = |(name, ino): (&String, &Ino)| {
            let shape = self.shape(*ino)?;
            let name = name.clone();
            Ok(Entry { name, shape })
        };
        self.names(folder)?.iter().map(named).collect()
    }

    /// Makes an empty file or folder.
    pub fn make(
        &mut self,
        parent: Ino,
        name: &str,
        folder: bool,
        mode: u16,
    ) -> Result<Shape, DiskError> {
        if self.names(parent)?.contains_key(name) {
            return Err(DiskError::Exists);
        }
        let body = match folder {
            false => Body::File(Content::default()),
            true => Body::Folder {
                now: BTreeMap::new(),
                kept: BTreeMap::new(),
            },
        };
        self.last += 1;
        let ino = self.last;
        let open = 0;
        self.inodes.insert(ino, Inode { mode, open, body });
        self.names_mut(parent)?.insert(name.into(), ino);
        self.shape(ino)
    }

    /// Sets permissions.
    pub fn set_mode(&mut self, ino: Ino, mode: u16) -> Result<(), DiskError> {
        self.inode_mut(ino)?.mode = mode;
        Ok(())
    }

    /// A handle on a number: it stays while one is open.
    pub fn open(&mut self, ino: Ino) -> Result<(), DiskError> {
        self.inode_mut(ino)?.open += 1;
        Ok(())
    }

    /// Gives a handle back.
    pub fn close(&mut self, ino: Ino) {
        if let Some(inode) = self.inodes.get_mut(&ino) {
            inode.open = inode.open.saturating_sub(1);
        }
        self.forget_lost();
    }

    /// Reads at most so many bytes.
    pub fn read(&self, file: Ino, offset: u64, most: usize) -> Result<Vec<u8>, DiskError> {
        Ok(self.content(file)?.read(offset, most).to_vec())
    }

    /// Writes all of it, or nothing where it does not fit.
    pub fn write(&mut self, file: Ino, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let end = offset.checked_add(bytes.len() as u64);
        let end = end.ok_or(DiskError::Invalid)?;
        self.fits(file, end)?;
        self.content_mut(file)?.write(offset, bytes);
        Ok(())
    }

    /// Cuts a file off or fills it up with zeros.
    pub fn set_len(&mut self, file: Ino, len: u64) -> Result<(), DiskError> {
        self.fits(file, len)?;
        self.content_mut(file)?.set_len(len);
        Ok(())
    }

    /// Whether a file reaches into blocks that it does not have when it ends
    /// there.
    pub fn grows(&self, file: Ino, end: u64) -> Result<bool, DiskError> {
        Ok(blocks(end) > blocks(self.content(file)?.len()))
    }

    fn fits(&self, file: Ino, end: u64) -> Result<(), DiskError> {
        if !self.grows(file, end)? {
            return Ok(());
        }
        let more = blocks(end) - blocks(self.content(file)?.len());
        let free = self.capacity.saturating_sub(self.used());
        match more.checked_mul(BLOCK) {
            Some(bytes) if bytes <= free => Ok(()),
            _ => Err(DiskError::NoSpace),
        }
    }

    /// Takes a file or an empty folder away.
    pub fn remove(&mut self, parent: Ino, name: &str, folder: bool) -> Result<(), DiskError> {
        let shape = self.find(parent, name)?;
        match (shape.folder, folder) {
            (true, false) => return Err(DiskError::IsFolder),
            (false, true) => return Err(DiskError::NotFolder),
            (true, true) if !self.names(shape.ino)?.is_empty() => return Err(DiskError::NotEmpty),
            _ => {}
        }
        self.names_mut(parent)?.remove(name);
        self.forget_lost();
        Ok(())
    }

    /// Gives a file or folder another name, over a file or an empty folder.
    pub fn rename(&mut self, from: (Ino, &str), to: (Ino, &str)) -> Result<(), DiskError> {
        let shape = self.find(from.0, from.1)?;
        if shape.folder && self.is_within(to.0, shape.ino)? {
            return Err(DiskError::Invalid);
        }
        match self.find(to.0, to.1) {
            Ok(there) if there.ino == shape.ino => return Ok(()),
            Ok(there) if there.folder != shape.folder => {
                return Err(match there.folder {
                    true => DiskError::IsFolder,
                    false => DiskError::NotFolder,
                });
            }
            Ok(there) if there.folder && !self.names(there.ino)?.is_empty() => {
                return Err(DiskError::NotEmpty);
            }
            Ok(_) | Err(DiskError::NotFound) => {}
            Err(error) => return Err(error),
        }
        self.names_mut(to.0)?.insert(to.1.into(), shape.ino);
        self.names_mut(from.0)?.remove(from.1);
        self.forget_lost();
        Ok(())
    }

    /// Whether a folder is another, or in it.
    fn is_within(&self, folder: Ino, other: Ino) -> Result<bool, DiskError> {
        if folder == other {
            return Ok(true);
        }
        for entry in self.list(other)? {
            if entry.shape.folder && self.is_within(folder, entry.shape.ino)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `fsync` of a file: its bytes reach the medium.
    pub fn sync(&mut self, file: Ino) -> Result<(), DiskError> {
        self.content_mut(file)?.sync();
        Ok(())
    }

    /// `fsync` of a folder: every name reaches the medium.
    pub fn sync_names(&mut self) {
        for inode in self.inodes.values_mut() {
            if let Body::Folder { now, kept } = &mut inode.body {
                kept.clone_from(now);
            }
        }
        self.forget_lost();
    }

    /// Power goes; no handle is left. See the [module](self).
    pub fn cut(&mut self, mut torn: Option<&mut dyn Rng>) -> Loss {
        let mut loss = Loss::default();
        for (ino, inode) in &mut self.inodes {
            inode.open = u32::from(*ino == ROOT);
            match &mut inode.body {
                Body::File(content) => {
                    loss.unsynced += content.unsynced();
                    match &mut torn {
                        Some(random) => content.cut(Some(&mut **random)),
                        None => content.cut(None),
                    }
                }
                Body::Folder { now, kept } => {
                    loss.names += changed(now, kept);
                    now.clone_from(kept);
                }
            }
        }
        self.forget_lost();
        loss
    }

    /// How many sectors of a stretch of a file a cut would leave as they are,
    /// were the file's name to stay.
    pub fn outlives(
        &self,
        file: Ino,
        (from, to): (u64, u64),
        torn: Option<&mut dyn Rng>,
    ) -> Result<u32, DiskError> {
        let now = self.content(file)?;
        let mut after = now.clone();
        after.cut(torn);
        Ok(now.whole(&after, from, to))
    }

    /// Lets go of what has neither a name, now or on the medium, nor a handle.
    fn forget_lost(&mut self) {
        loop {
            let mut named = BTreeSet::from([ROOT]);
            for inode in self.inodes.values() {
                if let Body::Folder { now, kept } = &inode.body {
                    named.extend(now.values().chain(kept.values()));
                }
            }
            let before = self.inodes.len();
            self.inodes
                .retain(|ino, inode| inode.open > 0 || named.contains(ino));
            if self.inodes.len() == before {
                return;
            }
        }
    }
}

fn blocks(len: u64) -> u64 {
    len.div_ceil(BLOCK)
}

/// Names that stand for something else in one than in the other.
fn changed(now: &BTreeMap<String, Ino>, kept: &BTreeMap<String, Ino>) -> u64 {
    let names: BTreeSet<&String> = now.keys().chain(kept.keys()).collect();
    let differs = |name: &&&String| now.get(**name) != kept.get(**name);
    names.iter().filter(differs).count() as u64
}
