//! Who asks, and whether they may.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::config::RedfishRole;
use super::error::Refusal;
use super::state::State;
use crate::clock::Micros;

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
    let text = String::from_utf8(base64(code.trim())?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.into(), password.into()))
}

fn base64(code: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut have) = (0u32, 0);
    for c in code.trim_end_matches('=').bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push((bits >> have) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::basic;

    #[test]
    fn basic_credentials_are_read() {
        let read = basic(b"Basic c3VwZXJ2aXNvcjpwOnc=").unwrap();
        assert_eq!(read, ("supervisor".into(), "p:w".into()));
        for nonsense in ["Basic", "Basic ###", "Bearer c3VwZXI=", "Basic YQ==", ""] {
            assert_eq!(basic(nonsense.as_bytes()), None, "{nonsense}");
        }
    }
}
