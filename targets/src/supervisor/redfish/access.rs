//! Who asks, and whether they may.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::config::RedfishRole;
use super::error::Refusal;
use super::state::State;
use crate::clock::Micros;

/// Reads base64 with and without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// The id of the account.
    pub(super) account: String,
    pub(super) role: RedfishRole,
    /// The id of the session, where there is one.
    pub(super) session: Option<String>,
}

impl Caller {
    /// Whether it has a privilege.
    pub(super) fn may(&self, privilege: &str) -> bool {
        self.role.privileges().contains(&privilege)
    }
}

/// Finds out who asks, by session token or by name and password.
pub(super) fn caller(
    state: &mut State,
    headers: &HeaderMap,
    now_us: Micros,
) -> Result<Caller, Refusal> {
    state.expire(now_us);
    if let Some(token) = headers.get("x-auth-token") {
        let mut sessions = state.sessions.iter_mut();
        let found = sessions.find(|(_, s)| s.token.as_bytes() == token.as_bytes());
        let (id, session) = found.ok_or_else(|| Refusal::unauthorized("NoValidSession"))?;
        session.used_us = now_us;
        let (id, account) = (id.clone(), session.account.clone());
        let role = role(state, &account).ok_or_else(|| Refusal::unauthorized("NoValidSession"))?;
        return Ok(Caller {
            account,
            role,
            session: Some(id),
        });
    }
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Err(Refusal::unauthorized("NoValidSession"));
    };
    let (name, password) =
        basic(value.as_bytes()).ok_or_else(|| Refusal::unauthorized("AccessDenied"))?;
    log_in(state, &name, &password).ok_or_else(|| Refusal::unauthorized("AccessDenied"))
}

/// The account of a name and a password.
pub(super) fn log_in(state: &State, name: &str, password: &str) -> Option<Caller> {
    let (id, account) = state.accounts.iter().find(|(_, a)| a.name == name)?;
    (account.enabled && account.password == password).then(|| Caller {
        account: id.clone(),
        role: account.role,
        session: None,
    })
}

fn role(state: &State, account: &str) -> Option<RedfishRole> {
    let account = state.accounts.get(account)?;
    account.enabled.then_some(account.role)
}

/// Reads `Basic <base64 of name:password>`.
fn basic(value: &[u8]) -> Option<(String, String)> {
    let value = std::str::from_utf8(value).ok()?;
    let (scheme, code) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(LENIENT.decode(code.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.into(), password.into()))
}

/// Writes `Basic <base64 of name:password>`.
pub(in crate::supervisor) fn written(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::{basic, written};

    #[test]
    fn basic_credentials_are_read() {
        let read = basic(b"Basic c3VwZXJ2aXNvcjpwOnc=").unwrap();
        assert_eq!(read, ("supervisor".into(), "p:w".into()));
        assert_eq!(written("supervisor", "p:w"), "Basic c3VwZXJ2aXNvcjpwOnc=");
        for nonsense in ["Basic", "Basic ###", "Bearer c3VwZXI=", "Basic YQ==", ""] {
            assert_eq!(basic(nonsense.as_bytes()), None, "{nonsense}");
        }
    }
}
