//! Promises about the power of a site as readable words.

use crate::playbook::NoCommonModeAssert;

pub(super) fn no_common_mode(a: &NoCommonModeAssert) -> String {
    let racks = match &a.racks[..] {
        [] => "a rack with two cords".into(),
        racks => racks.join(", "),
    };
    let except = match &a.except[..] {
        [] => String::new(),
        names => format!(" but {}", names.join(", ")),
    };
    format!("no single component{except} drops every cord of {racks}")
}
