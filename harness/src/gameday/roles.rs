//! Who may do what: three roles, each with a token.

use std::fmt;
use std::net::IpAddr;

use sha2::{Digest, Sha256};

/// What somebody may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Watch,
    /// Write notes, mark moments, stop everything.
    Scribe,
    /// Release, leave out and inject faults.
    Conductor,
}

impl Role {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Scribe => "scribe",
            Self::Conductor => "conductor",
        }
    }
}

/// The tokens of a game day. They are shown to whoever starts it and to nobody
/// else: neither in a log nor in a record.
#[derive(Clone)]
pub struct Tokens {
    /// None: everybody may look.
    watch: Option<String>,
    scribe: String,
    conductor: String,
}

/// The least that a token of one's own may have.
const SHORTEST: usize = 8;

impl Tokens {
    /// Those that were given, and random ones for the rest. Who only looks needs
    /// none on the loopback address, unless one was given.
    ///
    /// # Errors
    /// A token that is too short, has characters that a URL would change, or is
    /// that of two roles.
    pub fn new(given: [Option<String>; 3], listen: IpAddr) -> Result<Self, String> {
        let fine = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        for token in given.iter().flatten() {
            if token.len() < SHORTEST || !token.chars().all(fine) {
                return Err(format!(
                    "a token has {SHORTEST} or more letters, digits or -_.~"
                ));
            }
        }
        let [watch, scribe, conductor] = given;
        let open = watch.is_none() && listen.is_loopback();
        let tokens = Self {
            watch: (!open).then(|| watch.unwrap_or_else(random)),
            scribe: scribe.unwrap_or_else(random),
            conductor: conductor.unwrap_or_else(random),
        };
        let watch = tokens.watch.as_ref();
        if tokens.scribe == tokens.conductor
            || watch.is_some_and(|w| *w == tokens.scribe || *w == tokens.conductor)
        {
            return Err("each role needs a token of its own".into());
        }
        Ok(tokens)
    }

    /// The role of whoever shows a token, or none. A wrong one is not the same as
    /// none: it gets nothing.
    pub fn role(&self, shown: Option<&str>) -> Option<Role> {
        let Some(shown) = shown else {
            return self.watch.is_none().then_some(Role::Watch);
        };
        // Every one is compared, whichever fits.
        let conductor = same(shown, &self.conductor);
        let scribe = same(shown, &self.scribe);
        let watch = self.watch.as_ref().is_some_and(|watch| same(shown, watch));
        match (conductor, scribe, watch) {
            (true, ..) => Some(Role::Conductor),
            (_, true, _) => Some(Role::Scribe),
            (.., true) => Some(Role::Watch),
            _ => None,
        }
    }

    /// What a role shows; nothing where it need not.
    pub fn of(&self, role: Role) -> Option<&str> {
        match role {
            Role::Watch => self.watch.as_deref(),
            Role::Scribe => Some(&self.scribe),
            Role::Conductor => Some(&self.conductor),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Takes as long whatever is the same: digests are compared, all of their bytes.
fn same(shown: &str, token: &str) -> bool {
    let (a, b) = (Sha256::digest(shown), Sha256::digest(token));
    let differ = a.iter().zip(b.iter()).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    #[test]
    fn on_the_loopback_address_everybody_may_look_and_nobody_act() {
        let tokens = Tokens::new([None, None, None], LOOPBACK).unwrap();
        assert_eq!(tokens.role(None), Some(Role::Watch));
        assert_eq!(tokens.role(Some("")), None);
        assert_eq!(tokens.role(Some("guess-guess")), None);
        for role in [Role::Scribe, Role::Conductor] {
            assert_eq!(tokens.role(tokens.of(role)), Some(role));
        }
        assert!(!format!("{tokens:?}").contains(tokens.of(Role::Scribe).unwrap()));
    }

    #[test]
    fn elsewhere_looking_needs_a_token_too() {
        let tokens = Tokens::new([None, None, None], ANY).unwrap();
        assert_eq!(tokens.role(None), None);
        assert_eq!(tokens.role(tokens.of(Role::Watch)), Some(Role::Watch));
    }

    #[test]
    fn weak_and_shared_tokens_are_refused() {
        let one = |token: &str| Some(token.to_string());
        assert!(Tokens::new([None, one("short"), None], LOOPBACK).is_err());
        assert!(Tokens::new([None, one("with a space"), None], LOOPBACK).is_err());
        let shared = [None, one("the-same-one"), one("the-same-one")];
        assert!(Tokens::new(shared, LOOPBACK).is_err());
    }
}
