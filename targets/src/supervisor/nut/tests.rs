use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use tokio::sync::mpsc::Receiver;

use super::*;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(super) fn users() -> Vec<NutUser> {
    let with = |name: &str, upsmon, actions: &[&str], commands: &[&str]| NutUser {
        name: name.into(),
        password: "pw".into(),
        upsmon,
        actions: actions.iter().map(|a| a.to_string()).collect(),
        instcmds: commands.iter().map(|c| c.to_string()).collect(),
    };
    vec![
        with("admin", None, &["SET"], &["ALL"]),
        with("pri", Some(NutRole::Primary), &[], &[]),
        with("sec", Some(NutRole::Secondary), &[], &["beeper.mute"]),
        with("fsd", None, &["fsd"], &[]),
    ]
}

pub(super) fn ups(name: &str) -> Device {
    let mut device = Device::new(name, "Rack \"A\" \\ left");
    device.link = Link::Up;
    device.put("ups.status", "OL");
    device.put("battery.charge", "100");
    device.define(
        "battery.charge.low",
        Variable {
            value: "20".into(),
            writable: true,
            ranges: vec![Range { min: 0, max: 100 }],
            ..Variable::default()
        },
    );
    device.define(
        "input.sensitivity",
        Variable {
            value: "high".into(),
            writable: true,
            text: Some(8),
            choices: vec!["high".into(), "low".into()],
            ..Variable::default()
        },
    );
    device.set_commands(vec!["load.off".into(), "beeper.mute".into()]);
    device
}

struct Talk {
    bank: SharedBank,
    orders: Receiver<Order>,
    session: Session,
}

impl Talk {
    fn new() -> Self {
        let mut stale = ups("stale");
        stale.link = Link::Stale;
        let mut down = ups("down");
        down.link = Link::Down;
        let (bank, orders) = SharedBank::new(vec![ups("ups1"), stale, down], users(), 7);
        Self {
            bank,
            orders,
            session: Session::new(1, PEER),
        }
    }

    fn as_user(name: &str) -> Self {
        let mut talk = Self::new();
        assert_eq!(talk.say(&format!("USERNAME {name}")), "OK\n");
        assert_eq!(talk.say("PASSWORD pw"), "OK\n");
        talk
    }

    fn say(&mut self, line: &str) -> String {
        self.session.line(&mut self.bank.lock(), line).text
    }

    fn transcript(&mut self, lines: &[&str]) -> String {
        let mut text = String::new();
        for line in lines {
            let _ = writeln!(text, "C {line}");
            for reply in self.say(line).lines() {
                let _ = writeln!(text, "S {reply}");
            }
        }
        text
    }
}

#[test]
fn reading_transcript() {
    let text = Talk::new().transcript(&[
        "STARTTLS",
        "PROTVER",
        "NETVER",
        "LIST UPS",
        "LIST VAR ups1",
        "get var UPS1 UPS.STATUS",
        "GET VAR nobody server.version",
        "GET TYPE ups1 battery.charge.low",
        "GET TYPE ups1 input.sensitivity",
        "GET TYPE ups1 battery.charge",
        "GET DESC ups1 ups.status",
        "GET DESC ups1 no.such",
        "GET CMDDESC ups1 load.off",
        "GET UPSDESC ups1",
        "LIST RW ups1",
        "LIST CMD ups1",
        "LIST ENUM ups1 input.sensitivity",
        "LIST RANGE ups1 battery.charge.low",
        "LIST CLIENT ups1",
        "GET NUMLOGINS ups1",
        "LOGOUT",
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn upsmon_transcript() {
    let text = Talk::as_user("pri").transcript(&[
        "LOGIN ups1",
        "LOGIN ups1",
        "PRIMARY ups1",
        "MASTER ups1",
        "GET NUMLOGINS ups1",
        "LIST CLIENT ups1",
        "GET VAR ups1 ups.mode.buzzwords",
        "FSD ups1",
        "GET VAR ups1 ups.status",
        "GET VAR ups1 battery.charge",
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn tracking_follows_an_order_to_its_end() {
    let mut talk = Talk::as_user("admin");
    assert_eq!(talk.say("GET TRACKING"), "OFF\n");
    assert_eq!(talk.say("INSTCMD ups1 LOAD.off"), "OK\n");
    let order = talk.orders.try_recv().unwrap();
    assert_eq!((order.id, order.device.as_str()), (None, "ups1"));
    assert_eq!(talk.say("GET TRACKING 1"), "ERR FEATURE-NOT-CONFIGURED\n");
    assert_eq!(talk.say("SET TRACKING ON"), "OK\n");
    assert_eq!(talk.say("GET TRACKING"), "ON\n");
    let reply = talk.say("SET VAR UPS1 Battery.Charge.Low \"30\"");
    let id = reply
        .trim()
        .strip_prefix("OK TRACKING ")
        .unwrap()
        .to_string();
    assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 4);
    let order = talk.orders.try_recv().unwrap();
    assert_eq!(
        order.kind,
        OrderKind::Set {
            variable: "battery.charge.low".into(),
            value: "30".into()
        }
    );
    assert_eq!(talk.say(&format!("GET TRACKING {id}")), "PENDING\n");
    talk.bank.lock().finish(order.id, Tracked::Success);
    assert_eq!(talk.say(&format!("GET TRACKING {id}")), "SUCCESS\n");
    assert_eq!(talk.say("GET TRACKING nonsense"), "ERR UNKNOWN\n");
}

#[test]
fn a_full_queue_of_orders_is_said() {
    let mut talk = Talk::as_user("admin");
    let replies: Vec<String> = (0..65).map(|_| talk.say("INSTCMD ups1 load.off")).collect();
    assert!(replies[..64].iter().all(|r| r == "OK\n"));
    assert_eq!(replies[64], "ERR INSTCMD-FAILED\n");
}

/// Each line fails on its first check; the later ones would fail too.
#[test]
fn order_of_errors() {
    let long = format!("SET VAR ups1 input.sensitivity {}", "x".repeat(9));
    let cases: &[(&str, &str, &str)] = &[
        ("", "NONSENSE", "UNKNOWN-COMMAND"),
        ("", "", "UNKNOWN-COMMAND"),
        ("", "# comment", "UNKNOWN-COMMAND"),
        ("", "GET VAR \"ups1", "INVALID-ARGUMENT"),
        ("", "GET", "INVALID-ARGUMENT"),
        ("", "GET VAR ups1", "INVALID-ARGUMENT"),
        ("", "GET VAR nobody no.such", "UNKNOWN-UPS"),
        ("", "GET VAR stale no.such", "DATA-STALE"),
        ("", "GET VAR down no.such", "DRIVER-NOT-CONNECTED"),
        ("", "GET VAR ups1 no.such", "VAR-NOT-SUPPORTED"),
        ("", "GET VAR nobody server.other", "VAR-NOT-SUPPORTED"),
        ("", "GET NUMLOGINS stale", "DATA-STALE"),
        ("", "LIST", "INVALID-ARGUMENT"),
        ("", "LIST THINGS ups1", "INVALID-ARGUMENT"),
        ("", "LIST VAR nobody", "UNKNOWN-UPS"),
        ("", "LIST CMD down", "DRIVER-NOT-CONNECTED"),
        ("", "LIST ENUM ups1 no.such", "VAR-NOT-SUPPORTED"),
        ("", "LOGIN", "USERNAME-REQUIRED"),
        ("", "USERNAME", "INVALID-ARGUMENT"),
        ("admin", "USERNAME x", "ALREADY-SET-USERNAME"),
        ("admin", "PASSWORD x", "ALREADY-SET-PASSWORD"),
        ("admin", "LOGIN", "INVALID-ARGUMENT"),
        ("admin", "LOGIN nobody", "UNKNOWN-UPS"),
        ("admin", "LOGIN stale", "ACCESS-DENIED"),
        ("sec", "PRIMARY ups1", "ACCESS-DENIED"),
        ("sec", "FSD ups1", "ACCESS-DENIED"),
        ("sec", "FSD nobody", "UNKNOWN-UPS"),
        ("sec", "SET VAR ups1 no.such 1", "ACCESS-DENIED"),
        ("sec", "SET VAR stale no.such 1", "DATA-STALE"),
        ("admin", "SET VAR ups1 no.such 1", "VAR-NOT-SUPPORTED"),
        ("admin", "SET VAR ups1 ups.status OB", "READONLY"),
        ("admin", &long, "TOO-LONG"),
        (
            "admin",
            "SET VAR ups1 input.sensitivity HIGH",
            "INVALID-VALUE",
        ),
        (
            "admin",
            "SET VAR ups1 battery.charge.low 101",
            "INVALID-VALUE",
        ),
        (
            "admin",
            "SET VAR ups1 battery.charge.low -1",
            "INVALID-VALUE",
        ),
        ("admin", "SET TRACKING MAYBE", "INVALID-ARGUMENT"),
        (
            "admin",
            "SET VAR ups1 battery.charge.low",
            "INVALID-ARGUMENT",
        ),
        ("sec", "INSTCMD ups1 no.such", "CMD-NOT-SUPPORTED"),
        ("sec", "INSTCMD ups1 load.off", "ACCESS-DENIED"),
        ("sec", "INSTCMD stale no.such", "DATA-STALE"),
        ("sec", "INSTCMD ups1", "INVALID-ARGUMENT"),
    ];
    for (user, line, code) in cases {
        let mut talk = match *user {
            "" => Talk::new(),
            user => Talk::as_user(user),
        };
        assert_eq!(talk.say(line), format!("ERR {code}\n"), "{user}: {line}");
    }
}

#[test]
fn wrong_passwords_show_only_when_needed() {
    let mut talk = Talk::new();
    assert_eq!(talk.say("USERNAME pri"), "OK\n");
    assert_eq!(talk.say("LOGIN ups1"), "ERR PASSWORD-REQUIRED\n");
    assert_eq!(talk.say("PASSWORD wrong"), "OK\n");
    assert_eq!(talk.say("LOGIN ups1"), "ERR ACCESS-DENIED\n");
}

#[test]
fn login_does_not_look_at_staleness() {
    let mut talk = Talk::as_user("sec");
    assert_eq!(talk.say("LOGIN stale"), "OK\n");
    assert_eq!(talk.bank.lock().logins("stale"), 1);
    talk.session.end(&mut talk.bank.lock());
    assert_eq!(talk.bank.lock().logins("stale"), 0);
    let mut talk = Talk::as_user("fsd");
    assert_eq!(talk.say("FSD ups1"), "OK FSD-SET\n");
}

fn line_like() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "GET",
        "LIST",
        "SET",
        "VAR",
        "TYPE",
        "UPS",
        "RW",
        "CMD",
        "ENUM",
        "RANGE",
        "TRACKING",
        "ON",
        "LOGIN",
        "FSD",
        "PRIMARY",
        "INSTCMD",
        "USERNAME",
        "PASSWORD",
        "pri",
        "admin",
        "pw",
        "ups1",
        "stale",
        "down",
        "ups.status",
        "battery.charge.low",
        "load.off",
        "\"",
        "\\",
        "\"a b\"",
        "é",
        "99999999999999999999",
        "-",
        "#",
        "NUMLOGINS",
        "STARTTLS",
        "LOGOUT",
        "",
    ]);
    prop::collection::vec(word, 0..7).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_lines_get_whole_lines_back(lines in prop::collection::vec(prop_oneof![line_like(), any::<String>()], 0..30)) {
        let mut talk = Talk::new();
        for line in lines {
            let reply = talk.say(&line);
            prop_assert!(reply.ends_with('\n'));
            let first = reply.lines().next().unwrap_or_default();
            if first.starts_with("BEGIN") {
                prop_assert!(reply.lines().last().unwrap_or_default().starts_with("END"));
            } else {
                prop_assert_eq!(reply.lines().count(), 1, "{:?} -> {:?}", line, reply);
            }
            if first.starts_with("ERR") {
                prop_assert!(!first[4..].is_empty());
            }
        }
    }

    #[test]
    fn quoted_words_come_back(words in prop::collection::vec("\\PC*", 0..5)) {
        let line: Vec<String> = words.iter().map(|w| quote(w)).collect();
        prop_assert_eq!(split(&line.join(" ")), Some(words));
    }
}
