//! Plans, and playbooks that parse but cannot be.

use std::path::Path;

use insta::assert_snapshot;

use super::*;
use crate::playbook::tests::{GOOD, good};
use crate::playbook::{Loaded, load_text};

fn planned() -> Plan {
    plan(&good()).expect("a good playbook")
}
