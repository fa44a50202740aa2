//! One connection's side of the protocol, without input or output: a line goes
//! in, the reply comes out.

use std::net::IpAddr;

use super::bank::Bank;
use super::line::split;
use super::{act, query};

const VERSION: &str = concat!(
    "Network UPS Tools upsd 2.8.0 (ridethrough ",
    env!("CARGO_PKG_VERSION"),
    ")"
);
const HELP: &str =
    "Commands: HELP VER PROTVER GET LIST SET INSTCMD LOGIN LOGOUT USERNAME PASSWORD STARTTLS";

/// What a connection has said so far.
#[derive(Debug)]
pub struct Session {
    pub(super) connection: u64,
    pub(super) peer: IpAddr,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) tracking: bool,
}

/// The answer to a line: all its lines at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The lines, each with its `\n`.
    pub text: String,
    /// The connection ends after it.
    pub close: bool,
}

/// The words of `ERR <code>`.
pub(super) type Refusal = &'static str;
pub(super) type Answer = Result<String, Refusal>;

impl Session {
    /// A new connection; `connection` must not be that of any other one.
    pub fn new(connection: u64, peer: IpAddr) -> Self {
        Self {
            connection,
            peer,
            username: None,
            password: None,
            tracking: false,
        }
    }

    /// Answers one line, given without its line ending.
    pub fn line(&mut self, bank: &mut Bank, line: &str) -> Reply {
        let answer = match split(line) {
            Some(words) => self.words(bank, &words),
            None => Err("INVALID-ARGUMENT"),
        };
        let close = matches!(&answer, Ok(text) if text == "OK Goodbye\n");
        let text = answer.unwrap_or_else(|code| format!("ERR {code}\n"));
        Reply { text, close }
    }

    /// Forgets the connection's login.
    pub fn end(&mut self, bank: &mut Bank) {
        bank.log_out(self.connection);
    }

    fn words(&mut self, bank: &mut Bank, words: &[String]) -> Answer {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((keyword, args)) = words.split_first() else {
            return Err("UNKNOWN-COMMAND");
        };
        match keyword.to_ascii_uppercase().as_str() {
            "HELP" => Ok(format!("{HELP}\n")),
            "VER" => Ok(format!("{VERSION}\n")),
            "NETVER" | "PROTVER" => Ok("1.3\n".into()),
            "STARTTLS" => Err("FEATURE-NOT-CONFIGURED"),
            "GET" => query::get(self, bank, args),
            "LIST" => query::list(bank, args),
            "USERNAME" => put_once(&mut self.username, args, "ALREADY-SET-USERNAME"),
            "PASSWORD" => put_once(&mut self.password, args, "ALREADY-SET-PASSWORD"),
            "LOGOUT" => {
                self.end(bank);
                Ok("OK Goodbye\n".into())
            }
            verb @ ("LOGIN" | "PRIMARY" | "MASTER" | "FSD" | "SET" | "INSTCMD") => {
                if self.username.is_none() {
                    return Err("USERNAME-REQUIRED");
                }
                if self.password.is_none() {
                    return Err("PASSWORD-REQUIRED");
                }
                act::act(self, bank, verb, args)
            }
            _ => Err("UNKNOWN-COMMAND"),
        }
    }
}

fn put_once(slot: &mut Option<String>, args: &[&str], taken: Refusal) -> Answer {
    let [word] = args else {
        return Err("INVALID-ARGUMENT");
    };
    if slot.is_some() {
        return Err(taken);
    }
    *slot = Some((*word).into());
    Ok("OK\n".into())
}
