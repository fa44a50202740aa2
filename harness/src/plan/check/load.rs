pub(super) fn check(_c: &mut super::checker::Checker<'_>) {}
