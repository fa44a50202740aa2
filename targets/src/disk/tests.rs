//! The file system in memory against an oracle that keeps every state a file
//! may be left in.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::units::{PerUnit, Span};

const CAPACITY: u64 = 1 << 20;

fn file(volume: &mut Volume, name: &str) -> Ino {
    match volume.find(ROOT, name) {
        Ok(shape) => shape.ino,
        Err(_) => volume.make(ROOT, name, false, 0o644).expect("made").ino,
    }
}

fn text(volume: &Volume, name: &str) -> Option<Vec<u8>> {
    let shape = volume.find(ROOT, name).ok()?;
    volume.read(shape.ino, 0, usize::MAX).ok()
}

#[test]
fn what_was_not_flushed_is_gone_and_what_was_stays() {
    let mut volume = Volume::new(CAPACITY);
    let log = file(&mut volume, "log");
    volume.write(log, 0, b"first").expect("written");
    volume.sync(log).expect("flushed");
    volume.sync_names();
    volume.write(log, 5, b" second").expect("written");
    let loss = volume.cut(None);
    assert_eq!(text(&volume, "log").as_deref(), Some(&b"first"[..]));
    assert_eq!(
        loss,
        Loss {
            unsynced: 12,
            names: 0
        }
    );
}

#[test]
fn a_name_is_lost_until_its_folder_is_flushed() {
    let mut volume = Volume::new(CAPACITY);
    let log = file(&mut volume, "log");
    volume.write(log, 0, b"all of it").expect("written");
    volume.sync(log).expect("flushed");
    let mut before = volume.clone();
    assert_eq!(before.cut(None).names, 1);
    assert_eq!(text(&before, "log"), None);
    volume.sync_names();
    volume.cut(None);
    assert_eq!(text(&volume, "log").as_deref(), Some(&b"all of it"[..]));
}

#[test]
fn a_rename_holds_once_its_folder_is_flushed() {
    let mut volume = Volume::new(CAPACITY);
    for (name, bytes) in [("state", b"old"), ("state.new", b"new")] {
        let ino = file(&mut volume, name);
        volume.write(ino, 0, bytes).expect("written");
        volume.sync(ino).expect("flushed");
    }
    volume.sync_names();
    volume
        .rename((ROOT, "state.new"), (ROOT, "state"))
        .expect("renamed");
    assert_eq!(text(&volume, "state").as_deref(), Some(&b"new"[..]));
    let mut early = volume.clone();
    early.cut(None);
    assert_eq!(text(&early, "state").as_deref(), Some(&b"old"[..]));
    assert_eq!(text(&early, "state.new").as_deref(), Some(&b"new"[..]));
    volume.sync_names();
    volume.cut(None);
    assert_eq!(text(&volume, "state").as_deref(), Some(&b"new"[..]));
    assert_eq!(text(&volume, "state.new"), None);
}

#[test]
fn a_torn_cut_leaves_some_sectors_and_not_others() {
    let mut volume = Volume::new(CAPACITY);
    let log = file(&mut volume, "log");
    volume.sync_names();
    volume.write(log, 0, &[7; 64 * 512]).expect("written");
    volume.cut(Some(&mut ChaCha8Rng::seed_from_u64(1)));
    let left = text(&volume, "log").expect("there");
    let whole = left.chunks(512).filter(|s| *s == [7; 512]).count();
    let empty = left.chunks(512).filter(|s| *s == [0; 512]).count();
    assert!((16..48).contains(&whole), "{whole} of 64 sectors");
    assert!(whole > 0 && empty > 0 && whole + empty == left.len() / 512);
}

#[test]
fn a_full_volume_takes_no_new_block() {
    let mut volume = Volume::new(3 * 4096);
    let log = file(&mut volume, "log");
    volume.write(log, 0, &[1; 4096 * 2 + 1]).expect("fits");
    volume.write(log, 4096 * 2 + 1, &[1; 4095]).expect("fits");
    let full = volume.write(log, 4096 * 3, &[1]);
    assert_eq!(full, Err(DiskError::NoSpace));
    volume.remove(ROOT, "log", false).expect("removed");
    assert_eq!(volume.used(), 0);
}

#[test]
fn a_drive_fails_as_it_is_told_and_no_longer() {
    let drive = Drive::new(CAPACITY, 1);
    let log = drive
        .names(|volume| Ok(volume.make(ROOT, "log", false, 0o644)?.ino))
        .expect("made");
    let full = drive.fail(DiskFault::Full);
    assert_eq!(drive.write(log, 0, b"x"), Err(DiskError::NoSpace));
    drive.mend(full);
    drive.write(log, 0, b"x").expect("written");
    let failing = drive.fail(DiskFault::Errors {
        on: DiskOp::Fsync,
        probability: PerUnit(1.0),
    });
    assert_eq!(drive.sync(Some(log)), Err(DiskError::Io));
    drive.write(log, 1, b"y").expect("writing goes on");
    drive.mend(failing);
    let slow = drive.fail(DiskFault::Slow {
        by: Span::from_millis(3),
    });
    assert_eq!(drive.delay(), Span::from_millis(3).duration());
    drive.mend(slow);
    let forgets = drive.fail(DiskFault::ForgetsFsync);
    drive.sync(Some(log)).expect("acknowledged");
    assert_eq!(drive.cut().unsynced, 2);
    drive.mend(forgets);
}

/// What one step does to a volume of three files.
#[derive(Clone, Debug)]
enum Step {
    Write(usize, u64, u8, usize),
    SetLen(usize, u64),
    Sync(usize),
    SyncNames,
    Rename(usize, usize),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0_u64..3000;
    prop_oneof![
        4 => (0_usize..3, place.clone(), any::<u8>(), 1_usize..1500)
            .prop_map(|(f, at, byte, len)| Step::Write(f, at, byte, len)),
        1 => (0_usize..3, place).prop_map(|(f, len)| Step::SetLen(f, len)),
        3 => (0_usize..3).prop_map(Step::Sync),
        2 => Just(Step::SyncNames),
        1 => (0_usize..3, 0_usize..3).prop_map(|(a, b)| Step::Rename(a, b)),
        1 => (0_usize..3).prop_map(Step::Remove),
    ]
}

/// Every byte value that each place of a file may have after a cut, written
/// down step by step, with no sectors: the slow and obvious way.
#[derive(Clone, Debug, Default)]
struct Oracle {
    /// By name, the file's own number.
    names: BTreeMap<usize, usize>,
    kept_names: BTreeMap<usize, usize>,
    /// By number: as it is, and as it was last flushed.
    now: Vec<Vec<u8>>,
    kept: Vec<Vec<u8>>,
}

impl Oracle {
    fn number(&mut self, name: usize) -> usize {
        let next = self.now.len();
        let number = *self.names.entry(name).or_insert(next);
        if number == next {
            self.now.push(Vec::new());
            self.kept.push(Vec::new());
        }
        number
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Write(name, at, byte, len) => {
                let number = self.number(name);
                let now = &mut self.now[number];
                let (at, end) = (at as usize, at as usize + len);
                now.resize(now.len().max(end), 0);
                now[at..end].fill(byte);
            }
            Step::SetLen(name, len) => {
                let number = self.number(name);
                self.now[number].resize(len as usize, 0);
            }
            Step::Sync(name) => {
                let number = self.number(name);
                self.kept[number] = self.now[number].clone();
            }
            Step::SyncNames => self.kept_names = self.names.clone(),
            Step::Rename(from, to) => {
                if let Some(number) = self.names.remove(&from) {
                    self.names.insert(to, number);
                }
            }
            Step::Remove(name) => drop(self.names.remove(&name)),
        }
    }
}

fn carry_out(volume: &mut Volume, step: &Step) {
    let name = |n: usize| format!("file-{n}");
    match *step {
        Step::Write(n, at, byte, len) => {
            let ino = file(volume, &name(n));
            volume.write(ino, at, &vec![byte; len]).expect("written");
        }
        Step::SetLen(n, len) => {
            let ino = file(volume, &name(n));
            volume.set_len(ino, len).expect("set");
        }
        Step::Sync(n) => {
            let ino = file(volume, &name(n));
            volume.sync(ino).expect("flushed");
        }
        Step::SyncNames => volume.sync_names(),
        Step::Rename(from, to) => drop(volume.rename((ROOT, &name(from)), (ROOT, &name(to)))),
        Step::Remove(n) => drop(volume.remove(ROOT, &name(n), false)),
    }
}

fn sector(bytes: &[u8], at: usize) -> Vec<u8> {
    let from = (at * 512).min(bytes.len());
    let to = (from + 512).min(bytes.len());
    let mut sector = bytes[from..to].to_vec();
    sector.resize(512, 0);
    sector
}

proptest! {
    #[test]
    fn a_cut_leaves_what_was_flushed(steps in prop::collection::vec(step(), 1..40)) {
        let mut volume = Volume::new(CAPACITY);
        let mut oracle = Oracle::default();
        for step in &steps {
            carry_out(&mut volume, step);
            oracle.take(step);
        }
        for n in 0..3 {
            let now = oracle.names.get(&n).map(|number| oracle.now[*number].clone());
            prop_assert_eq!(text(&volume, &format!("file-{n}")), now, "before the cut");
        }
        volume.cut(None);
        for n in 0..3 {
            let kept = oracle.kept_names.get(&n).map(|number| oracle.kept[*number].clone());
            prop_assert_eq!(text(&volume, &format!("file-{n}")), kept, "after the cut");
        }
        prop_assert_eq!(volume.cut(None), Loss::default(), "a second cut takes nothing");
    }

    #[test]
    fn a_torn_cut_leaves_each_sector_old_or_new(
        steps in prop::collection::vec(step(), 1..40),
        seed: u64,
    ) {
        let mut volume = Volume::new(CAPACITY);
        let mut oracle = Oracle::default();
        for step in &steps {
            carry_out(&mut volume, step);
            oracle.take(step);
        }
        volume.cut(Some(&mut ChaCha8Rng::seed_from_u64(seed)));
        for n in 0..3 {
            let left = text(&volume, &format!("file-{n}"));
            let Some(number) = oracle.kept_names.get(&n) else {
                prop_assert_eq!(left, None, "names are whole");
                continue;
            };
            let left = left.expect("its name was flushed");
            let (old, new) = (&oracle.kept[*number], &oracle.now[*number]);
            let longest = old.len().max(new.len());
            prop_assert!((old.len()..=longest).contains(&left.len()));
            for at in 0..left.len().div_ceil(512) {
                let is = sector(&left, at);
                prop_assert!(
                    is == sector(old, at) || is == sector(new, at),
                    "sector {} of file {} is neither", at, n
                );
            }
        }
    }
}
