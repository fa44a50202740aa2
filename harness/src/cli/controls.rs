//! Controls that ran along with their playbook, told in its report.

use std::path::Path;

use super::main::complain;
use super::report::{PageError, rewrite};
use crate::outcome::write_told;
use crate::report::{ControlSummary, Told, came};

/// A playbook that has run, and what its controls came to by now.
pub(super) struct Tried {
    told: Told,
}

impl Tried {
    pub(super) fn new(told: &Told) -> Self {
        Self { told: told.clone() }
    }

    /// One more control has run.
    pub(super) fn control(&mut self, name: &str, told: &Told) {
        self.told.summary.controls.push(ControlSummary {
            name: name.into(),
            good: told.good().is_ok(),
            came: came(&told.summary),
            folder: told.folder.clone(),
        });
    }

    /// Tells of the controls in the summary and on the page of their playbook. True
    /// where that was done.
    pub(super) fn finish(self) -> bool {
        if self.told.summary.controls.is_empty() {
            return true;
        }
        let done = self.write();
        if let Err(error) = &done {
            complain(&format!("{}: {error}", self.told.folder));
        }
        done.is_ok()
    }

    fn write(&self) -> Result<(), PageError> {
        let folder = Path::new(&self.told.folder);
        write_told(folder, &self.told)?;
        let page = folder.join("report.html");
        rewrite(folder, &page, Some(&self.told.repeat))
    }
}
