use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;

use super::*;
use crate::judge::testkit::Record;
use crate::record::{PACKED, PLAIN, RecordWriter, read_record};

const DAY: u64 = 24 * 3_600;

/// A run's folder that was written on a day.
fn run(root: &Path, name: &str, day: u64, verdict: Option<&str>) -> PathBuf {
    let folder = root.join(name);
    fs::create_dir_all(folder.join("logs")).expect("a folder");
    fs::write(folder.join("logs/gpu-1.log"), "a log").expect("a log");
    let record = folder.join(PLAIN);
    let mut writer = RecordWriter::create(&record).expect("a record");
    for event in Record::outage().events() {
        let written = writer.write(event.t_us, &event.source, event.body);
        written.expect("written");
    }
    drop(writer);
    let file = fs::File::options()
        .append(true)
        .open(&record)
        .expect("a file");
    file.set_modified(UNIX_EPOCH + Duration::from_secs(day * DAY))
        .expect("a time");
    if let Some(verdict) = verdict {
        let text = format!("{{\"verdict\": \"{verdict}\"}}");
        fs::write(folder.join("summary.json"), text).expect("a summary");
    }
    folder
}

fn now(day: u64) -> Timestamp {
    Timestamp::from_second((day * DAY) as i64).expect("a time")
}

fn keep(count: usize) -> Retention {
    Retention {
        keep: Some(count),
        plain: 100,
        ..Retention::default()
    }
}

fn names(folders: &[PathBuf]) -> Vec<String> {
    let name = |path: &PathBuf| {
        path.file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    folders.iter().map(name).collect()
}

#[test]
fn the_newest_and_the_last_that_failed_stay() {
    let root = tempfile::tempdir().expect("a folder");
    for (name, day, verdict) in [
        ("a", 1, "fail"),
        ("b", 2, "fail"),
        ("c", 3, "pass"),
        ("d", 4, "pass"),
        ("e", 5, "pass"),
    ] {
        run(root.path(), name, day, Some(verdict));
    }
    let done = prune(root.path(), keep(2), now(6)).expect("done");
    assert_eq!(names(&done.removed), ["c", "a"]);
    assert_eq!(names(&done.failing), ["b"]);
    assert_eq!(done.kept, 3);
    let all = Retention {
        failing_too: true,
        ..keep(2)
    };
    assert_eq!(
        names(&prune(root.path(), all, now(6)).expect("done").removed),
        ["b"]
    );
    let days = Retention {
        days: Some(1),
        plain: 100,
        ..Retention::default()
    };
    let done = prune(root.path(), days, now(6)).expect("done");
    assert_eq!(names(&done.removed), ["d"]);
}

/// A killed harness leaves no summary: such a run has failed, and may still go on.
#[test]
fn a_run_that_may_go_on_is_left_alone() {
    let root = tempfile::tempdir().expect("a folder");
    run(root.path(), "going-on", 5, None);
    let done = prune(root.path(), keep(0), now(5)).expect("done");
    assert_eq!(
        (done.removed.len(), &*done.left[0].1),
        (0, "it may still go on")
    );
    let done = prune(root.path(), keep(0), now(6)).expect("done");
    assert_eq!(names(&done.failing), ["going-on"]);
}

/// What is not certainly ours is not touched, whatever it is called.
#[test]
fn what_is_not_ours_stays() {
    let root = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let theirs = run(elsewhere.path(), "theirs", 1, Some("pass"));
    for (name, text) in [
        ("prose", "my own"),
        ("empty", ""),
        ("other", "{\"kind\":\"note\"}\n"),
    ] {
        fs::create_dir(root.path().join(name)).expect("a folder");
        fs::write(root.path().join(name).join(PLAIN), text).expect("a file");
    }
    let newer = run(root.path(), "newer", 1, Some("pass"));
    let text = fs::read_to_string(newer.join(PLAIN)).expect("a record");
    fs::write(
        newer.join(PLAIN),
        text.replacen("\"schema\":1", "\"schema\":2", 1),
    )
    .expect("newer");
    fs::write(root.path().join("history.sqlite"), "x").expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(&theirs, root.path().join("link")).expect("a link");
        let linked = root.path().join("linked-record");
        fs::create_dir(&linked).expect("a folder");
        symlink(theirs.join(PLAIN), linked.join(PLAIN)).expect("a link");
        let ours = run(root.path(), "ours", 1, Some("pass"));
        symlink(&theirs, ours.join("out")).expect("a link");
    }
    let count = || fs::read_dir(root.path()).expect("entries").count();
    let before = count();
    let done = prune(root.path(), keep(0), now(9)).expect("done");
    assert_eq!(done.left.len(), 4, "{:?}", done.left);
    if cfg!(unix) {
        assert_eq!(names(&done.removed), ["ours"]);
        assert_eq!(count(), before - 1);
    }
    assert!(theirs.join(PLAIN).exists() && theirs.join("logs/gpu-1.log").exists());
}

#[test]
fn a_compressed_record_is_the_record_and_as_old() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = run(root.path(), "a", 1, Some("pass"));
    let before = read_record(folder.join(PLAIN)).expect("a record");
    // What a program that died has left is in nobody's way.
    fs::write(folder.join(format!("{PACKED}.half")), "half").expect("a file");
    let all = Retention {
        plain: 0,
        ..keep(1)
    };
    let done = prune(root.path(), all, now(2)).expect("done");
    assert_eq!(
        (names(&done.compressed), done.failed.len()),
        (vec!["a".to_string()], 0)
    );
    assert!(done.freed > 0 && !folder.join(PLAIN).exists());
    assert_eq!(read_record(folder.join(PACKED)).expect("a record"), before);
    // Its age is that of the run, and it is compressed once.
    let days = Retention {
        days: Some(3),
        ..Retention::default()
    };
    assert!(
        prune(root.path(), days, now(2))
            .expect("done")
            .compressed
            .is_empty()
    );
    assert_eq!(
        names(&prune(root.path(), days, now(9)).expect("done").removed),
        ["a"]
    );
}

#[test]
fn nothing_is_done_where_it_is_only_asked() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = run(root.path(), "a", 1, Some("pass"));
    let only_asked = Retention {
        dry_run: true,
        ..keep(0)
    };
    let done = prune(root.path(), only_asked, now(2)).expect("done");
    assert_eq!(names(&done.removed), ["a"]);
    assert!(done.freed > 0 && folder.join(PLAIN).exists());
    assert!(prune(&root.path().join("nothing"), keep(1), now(2)).is_err());
}
