//! The same playbook, seed and version give the same record, byte for byte.

use ridethrough::playbook::WorldKind;

use crate::case::Case;

/// Runs a case twice on virtual time: the verdict must be right, and the two
/// records the same.
pub(crate) fn twice(case: &Case) -> Result<(), String> {
    let first = case.run(WorldKind::Virtual)?;
    if let Err(problem) = case.judge(&first) {
        return Err(first.complaint(&problem));
    }
    let second = case.run(WorldKind::Virtual)?;
    same(&first.record()?, &second.record()?)
}

/// Two records are one, or where they part.
pub(crate) fn same(first: &[u8], second: &[u8]) -> Result<(), String> {
    if first == second {
        return Ok(());
    }
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.lines().map(str::to_string).collect()
    };
    let (first, second) = (lines(first), lines(second));
    let at = first
        .iter()
        .zip(&second)
        .take_while(|(a, b)| a == b)
        .count();
    let line = |of: &[String]| of.get(at).cloned().unwrap_or_else(|| "(nothing)".into());
    Err(format!(
        "two runs of one seed part at line {}:\n  {}\n  {}",
        at + 1,
        line(&first),
        line(&second)
    ))
}
