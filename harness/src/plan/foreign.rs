//! Services that nobody here wrote, as a world is told of them.

use indexmap::IndexMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ridethrough_targets::service::{ImageBuild, Program, ServiceFile};

use crate::playbook::{FileSpec, ServiceDef, StackSpec};

use super::address;
use super::stand_in::{Ground, filled};

/// What a service runs, with every stand-in filled in; `None` where it is one of
/// ours.
pub(super) fn program(name: &str, service: &ServiceDef, stack: &StackSpec) -> Option<Program> {
    let ground = ground(stack);
    let fill = |text: &String| filled(text, &ground);
    let argv = service.command.as_ref();
    let argv = argv.map(|argv| argv.iter().map(fill).collect::<Vec<_>>());
    let env = service.env.iter().map(|(k, v)| (k.clone(), fill(v)));
    let env = env.collect();
    let file = |(path, file): (&String, &FileSpec)| {
        let text = match file {
            FileSpec::Text(text) => fill(text),
            // Its text took its place when the playbook was read.
            FileSpec::From(_) => String::new(),
        };
        let path = path.clone();
        ServiceFile { path, text }
    };
    let files = service.files.iter().map(file).collect();
    if service.is_container() {
        let build = service.build.as_ref().map(|build| ImageBuild {
            context: PathBuf::from(&build.context),
            dockerfile: build.dockerfile.as_ref().map(PathBuf::from),
        });
        let built = || format!("ridethrough/{}/{name}", word(&stack.name));
        return Some(Program::Image {
            image: service.image.clone().unwrap_or_else(built),
            build,
            argv,
            env,
            files,
        });
    }
    Some(Program::Command {
        argv: argv?,
        env,
        files,
    })
}

/// A program of this machine that a service needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// The service.
    pub service: String,
    /// The program, by name or path.
    pub program: String,
    /// How to get it, if the stack says so.
    pub install: Option<String>,
}

/// Every program of this machine that a stack needs, in its order.
pub fn needed(stack: &StackSpec) -> Vec<Needed> {
    let ground = ground(stack);
    let own = stack.services.iter().filter(|(_, s)| !s.is_container());
    own.filter_map(|(name, service)| {
        let first = service.command.as_ref()?.first()?;
        let needs = service.needs.as_ref();
        let program = needs.and_then(|needs| needs.program.as_ref());
        // One of its own files is there when it is.
        let given = service.files.contains_key(first);
        let program = program.or(Some(first).filter(|_| !given))?;
        Some(Needed {
            service: name.clone(),
            program: filled(program, &ground),
            install: needs.map(|needs| filled(&needs.install, &ground)),
        })
    })
    .collect()
}

/// What stand-ins of a stack may name.
pub(super) fn ground(stack: &StackSpec) -> Ground {
    let nodes = stack.nodes.keys().enumerate();
    let nodes: IndexMap<String, Ipv4Addr> = nodes
        .map(|(index, name)| (name.clone(), address::machine(index)))
        .collect();
    Ground {
        nodes,
        cache: cache(),
    }
}

/// The user's cache folder, as the XDG specification finds it.
fn cache() -> PathBuf {
    let absolute = |name| {
        let value = std::env::var_os(name).map(PathBuf::from);
        value.filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(|| Path::new("/var/cache").to_path_buf())
}

/// A name as it may stand in that of an image.
fn word(name: &str) -> String {
    let letter = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_lowercase(),
        false => '-',
    };
    name.chars().map(letter).collect()
}
