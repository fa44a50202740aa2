//! What a run is about to leave on the disk, so that one that never began can
//! take it back.

use std::path::{Path, PathBuf};

/// What a run's folder gets before its world stands.
const EARLY: [&str; 4] = [
    "logs",
    "ridethrough-world",
    "playbook.yaml",
    "capture.pcapng",
];

/// What was not there before a run.
pub(crate) struct Footprint {
    /// The run's folder, or what is new in one that was there.
    own: Vec<PathBuf>,
    /// New folders above it, the innermost first. Other runs may use them.
    above: Vec<PathBuf>,
}

impl Footprint {
    /// Looks before anything is made.
    pub(crate) fn before(out: &Path) -> Self {
        let new = |path: &PathBuf| path.symlink_metadata().is_err();
        let here = vec![out.to_path_buf()];
        let inside = EARLY.iter().map(|name| out.join(name));
        let own = if here.iter().all(new) {
            here
        } else {
            inside.filter(new).collect()
        };
        let above = out.ancestors().skip(1).map(Path::to_path_buf);
        let above = above.filter(|path| !path.as_os_str().is_empty());
        Self {
            own,
            above: above.take_while(new).collect(),
        }
    }

    /// Takes back what is new. What cannot be removed stays: the reason why
    /// nothing started is told anyhow, and matters more.
    pub(crate) fn undo(self) {
        for path in self.own {
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
        }
        // Fails, as it must, where another run is at home by now.
        for path in self.above {
            if std::fs::remove_dir(&path).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn early(out: &Path) {
        std::fs::create_dir_all(out.join("logs")).expect("a folder");
        std::fs::write(out.join("playbook.yaml"), "name: x").expect("a file");
    }

    #[test]
    fn a_new_folder_goes_with_the_new_ones_above_it() {
        let root = tempfile::tempdir().expect("a folder");
        let out = root.path().join("runs/one");
        let before = Footprint::before(&out);
        early(&out);
        before.undo();
        assert!(!root.path().join("runs").exists() && root.path().exists());
    }

    #[test]
    fn a_folder_that_was_there_keeps_what_was_in_it() {
        let root = tempfile::tempdir().expect("a folder");
        let mine = root.path().join("logs");
        std::fs::create_dir(&mine).expect("a folder");
        let before = Footprint::before(root.path());
        early(root.path());
        before.undo();
        assert!(mine.exists() && !root.path().join("playbook.yaml").exists());
    }

    #[test]
    fn a_neighbour_that_came_meanwhile_stays() {
        let root = tempfile::tempdir().expect("a folder");
        let (out, other) = (root.path().join("runs/one"), root.path().join("runs/two"));
        let before = Footprint::before(&out);
        early(&out);
        early(&other);
        before.undo();
        assert!(!out.exists() && other.join("logs").exists());
    }
}
