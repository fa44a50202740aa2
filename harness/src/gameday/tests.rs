//! The page's server over real sockets, without a run behind it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use ridethrough_targets::units::Span;

use super::hub::Place;
use super::{Desk, DeskParts, Front, Hub, Role, Tokens, open, routes};
use crate::engine::{Podium, PodiumRules};
use crate::plan::plan_file;
use crate::record::{Body, Event, Human, HumanAct};

struct Day {
    desk: Arc<Desk>,
    front: Front,
}

fn day(blind: bool) -> Day {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (_, plan) = plan_file(&root.join("tests/cli/data/gameday.yaml")).expect("a plan");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let ip = listener.local_addr().expect("an address").ip();
    let desk = Desk::new(DeskParts {
        plan: &plan,
        podium: Podium::new(PodiumRules {
            hold_all: false,
            limit: Span::from_secs(60),
            by_itself: None,
        }),
        stop: CancellationToken::new(),
        tokens: Tokens::new([None, None, None], ip).expect("tokens"),
        blind,
    });
    let router = routes(Arc::clone(&desk));
    let front = open(listener, router, async {}).expect("a server");
    Day { desk, front }
}

impl Day {
    fn token(&self, role: Role) -> &str {
        self.desk.tokens.of(role).unwrap_or_default()
    }

    fn form(&self, act: &str, role: Role, more: &str, headers: &str) -> String {
        let body = format!("token={}&{more}", self.token(role));
        let length = body.len();
        let host = self.front.address;
        ask(
            self.front.address,
            &format!(
                "POST /do/{act} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n{headers}\
                 connection: close\r\n\r\n{body}"
            ),
        )
    }

    fn get(&self, path: &str) -> String {
        let host = self.front.address;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        ask(host, &head)
    }
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it listens");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn code(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

fn note(seq: u64, text: &str) -> Event {
    Event {
        seq,
        t_us: seq,
        source: "engine".into(),
        body: Body::Note { text: text.into() },
    }
}

#[test]
fn a_role_may_do_what_it_is_for_and_no_more() {
    let day = day(false);
    assert_eq!(code(&day.get("/")), "200");
    assert_eq!(code(&day.get("/?token=wrong-wrong")), "401");
    assert_eq!(
        code(&day.form("release", Role::Scribe, "fault=0", "")),
        "403"
    );
    // Nobody is asked anything yet.
    assert_eq!(
        code(&day.form("release", Role::Conductor, "fault=0", "")),
        "409"
    );
    assert_eq!(
        code(&day.form("release", Role::Conductor, "fault=x", "")),
        "400"
    );
    assert_eq!(code(&day.form("dance", Role::Conductor, "", "")), "404");
    // Whoever only looks has no token, and without one nothing is done.
    assert_eq!(code(&day.form("stop", Role::Watch, "", "")), "401");
    assert!(!day.desk.stop.is_cancelled());
    // As a browser without scripts sends it.
    let answer = day.form("stop", Role::Scribe, "", "accept: text/html\r\n");
    assert_eq!(code(&answer), "303", "{answer}");
    assert!(day.desk.stop.is_cancelled());
}

#[test]
fn pages_of_others_can_do_nothing() {
    let day = day(false);
    for headers in [
        "origin: http://evil.example\r\n",
        "origin: null\r\n",
        "sec-fetch-site: cross-site\r\n",
    ] {
        let answer = day.form("stop", Role::Conductor, "", headers);
        assert_eq!(code(&answer), "403", "{headers}");
    }
    assert_eq!(code(&day.get("/do/stop")), "405");
    // A name that leads here and is not ours (DNS rebinding).
    let head = "GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(code(&ask(day.front.address, head)), "421");
    assert!(!day.desk.stop.is_cancelled());
    let own = format!(
        "origin: http://{}\r\nsec-fetch-site: same-origin\r\n",
        day.front.address
    );
    assert_eq!(code(&day.form("stop", Role::Conductor, "", &own)), "200");
}

#[test]
fn rubbish_gets_an_answer_and_takes_nothing_down() {
    let day = day(false);
    let host = day.front.address;
    let large = "x".repeat(100_000);
    let length = large.len();
    let answer = ask(
        host,
        &format!(
            "POST /do/note HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{large}"
        ),
    );
    assert_eq!(code(&answer), "413", "{answer}");
    let long = format!(
        "GET /{} HTTP/1.1\r\nhost: {host}\r\n\r\n",
        "a".repeat(40_000)
    );
    assert!(["431", "414"].contains(&code(&ask(host, &long))));
    for bad in [
        "\u{0}\u{1}\r\n\r\n",
        "GET\r\n\r\n",
        "BREW / HTTP/9.9\r\n\r\n",
    ] {
        let answer = ask(host, bad);
        assert!(answer.is_empty() || code(&answer) == "400", "{answer}");
    }
    assert_eq!(code(&day.get("/?token=%zz")), "400");
    assert_eq!(code(&day.get("/nothing")), "404");
    let answer = day.form("note", Role::Scribe, "text=early", "");
    assert_eq!(code(&answer), "409", "{answer}");
    assert_eq!(code(&day.get("/")), "200");
}

#[test]
fn a_blind_crew_gets_none_of_the_truth() {
    let day = day(true);
    let fault = serde_json::json!({
        "seq": 0, "t_us": 0, "source": "engine", "kind": "fault_injected", "fault": 0,
        "fault_kind": "utility_outage", "target": "grid", "nodes": [], "ups": [],
        "requested_us": 0, "injected_us": 0, "until_us": 1, "requested": {},
    });
    day.desk
        .hub
        .take(&serde_json::from_value(fault).expect("an event"));
    day.desk.hub.take(&note(1, "secret-note"));
    let human = Human {
        role: "conductor".into(),
        name: String::new(),
        act: HumanAct::Noticed { fault: Some(0) },
    };
    day.desk.hub.take(&Event {
        seq: 2,
        t_us: 2,
        source: "crew".into(),
        body: Body::Human(human),
    });
    let told = |everything: bool| {
        let batch = day.desk.hub.after(&mut Place::default(), everything);
        batch.lines.join("\n")
    };
    assert!(told(true).contains("utility_outage") && told(true).contains("secret-note"));
    assert_eq!(told(false).matches("kind").count(), 1, "{}", told(false));
    assert!(told(false).contains("\"fault\":null"));
    let page = day.get("/");
    assert!(
        !page.contains(">a game day<") && !page.contains("ups-a"),
        "the page tells"
    );
    assert_eq!(code(&day.get("/metrics")), "403");
    let token = day.token(Role::Conductor);
    assert_eq!(code(&day.get(&format!("/metrics?token={token}"))), "200");
}

#[test]
fn a_browser_goes_on_where_it_was() {
    let day = day(false);
    for seq in 0..3 {
        day.desk.hub.take(&note(seq, &format!("note {seq}")));
    }
    let stream = |last: &str| {
        let mut stream = TcpStream::connect(day.front.address).expect("a connection");
        let host = day.front.address;
        let head = format!("GET /events HTTP/1.1\r\nhost: {host}\r\n{last}\r\n");
        stream.write_all(head.as_bytes()).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_millis(1_500)))
            .expect("a timeout");
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    };
    let all = stream("");
    assert!(
        all.contains("event: anew") && all.contains("event: desk"),
        "{all}"
    );
    assert!(all.contains("note 0") && all.contains("id: 2\n"), "{all}");
    let rest = stream("last-event-id: 1\r\n");
    assert!(!rest.contains("anew") && !rest.contains("note 1"), "{rest}");
    assert!(rest.contains("note 2"), "{rest}");
}

#[test]
fn whoever_is_too_slow_begins_anew_with_what_lasts() {
    let hub = Hub::new(false);
    let mut place = Place {
        next: 1,
        catching_up: false,
    };
    hub.take(&note(0, "kept"));
    let progress = |seq| Event {
        body: Body::Progress {
            values: [("in_flight".to_string(), 1.0)].into(),
        },
        ..note(seq, "")
    };
    for seq in 1..60_000 {
        hub.take(&progress(seq));
    }
    let first = hub.after(&mut place, true);
    assert!(first.anew, "it had a hole");
    assert!(first.lines[0].contains("kept"), "{}", first.lines[0]);
    assert!(
        first.lines[1].contains("\"seq\":10000"),
        "{}",
        first.lines[1]
    );
    let mut count = first.lines.len();
    loop {
        let next = hub.after(&mut place, true);
        assert!(!next.anew);
        if next.lines.is_empty() {
            break;
        }
        count += next.lines.len();
    }
    assert_eq!(count, 50_001);
    assert_eq!(hub.missed(), 0);
    hub.take(&progress(60_005));
    assert_eq!(hub.missed(), 5, "the way here was too narrow");
}
