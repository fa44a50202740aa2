//! Requests in columns, as many of them and of their tokens as a page can hold.

use serde::Serialize;
use serde_json::{Value, json};

use ridethrough_targets::clock::Micros;

use super::follow::word;
use super::pack::{Packed, growing};
use super::words::Words;
use crate::judge::{RunFacts, Tried};
use crate::load::{Group, LedgerRow};

/// At most so many requests are shown one by one.
const SHOWN: usize = 20_000;
/// Bytes of all token times, before base64.
const TOKEN_BYTES: usize = 2_400_000;
/// How finely token times are told, in microseconds: the first of these at
/// which all of them fit.
const UNITS: [Micros; 3] = [100, 1_000, 5_000];
/// Characters of a detail.
const DETAIL: usize = 240;

/// Requests by intended send time, each a place in every column.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Requests {
    /// How many the run had.
    pub(crate) total: usize,
    /// How many are here: where not all are, those that went worst.
    pub(crate) shown: usize,
    /// How many are here without their tokens' times.
    pub(crate) without_tokens: usize,
    /// The unit of token times in microseconds.
    unit_us: Micros,
    /// A number where the id is `<load>-<number>`, else the id.
    ids: Vec<Value>,
    /// When it was meant to be sent, growing.
    at: String,
    /// The other columns, packed; times count from the intended send, and those
    /// that may be missing have 1 added.
    columns: Vec<(&'static str, String)>,
    /// Bytes of each request's token times, then these: steps of steps.
    lengths: String,
    tokens: String,
    /// By place: what was seen, where the fate is not a good one.
    details: Vec<(usize, String)>,
    /// By place: who made its tokens, where it was not one replica from the first.
    served: Vec<(usize, Vec<Value>)>,
    /// By place: the gateway's attempts, where it was not one good one.
    attempts: Vec<(usize, Vec<Value>)>,
}

/// The columns of a run's requests; names in them are places in `words`.
pub(crate) fn requests(facts: &RunFacts, words: &mut Words) -> Requests {
    let rows = chosen(&facts.rows);
    let (unit_us, lengths, tokens, without_tokens) = tokens(&rows);
    let mut made = Requests {
        total: facts.rows.len(),
        shown: rows.len(),
        without_tokens,
        unit_us,
        ids: rows.iter().map(|row| id(row)).collect(),
        at: growing(rows.iter().map(|row| row.scheduled_us)),
        columns: columns(&rows, words),
        lengths,
        tokens,
        ..Requests::default()
    };
    for (place, row) in rows.iter().enumerate() {
        if !row.detail.is_empty() {
            let detail = row.detail.chars().take(DETAIL).collect();
            made.details.push((place, detail));
        }
        if row.served_by.len() > 1 {
            let parts = row.served_by.iter();
            let parts = parts.map(|(by, from)| json!([words.of(by), from]));
            made.served.push((place, parts.collect()));
        }
        let tried = facts.attempts.of(&row.id);
        if tried.len() > 1 || row.group() != Group::Whole {
            let tried = tried.iter().map(|t| attempt(t, row, words)).collect();
            made.attempts.push((place, tried));
        }
    }
    made
}

/// All, or those that went worst, in order of their sending.
fn chosen(rows: &[LedgerRow]) -> Vec<&LedgerRow> {
    let mut chosen: Vec<&LedgerRow> = rows.iter().collect();
    if chosen.len() > SHOWN {
        chosen.sort_by_key(|row| std::cmp::Reverse(badness(row)));
        chosen.truncate(SHOWN);
        chosen.sort_by(|a, b| (a.scheduled_us, &a.id).cmp(&(b.scheduled_us, &b.id)));
    }
    chosen
}

/// How much there is to see in a request.
fn badness(row: &LedgerRow) -> (u8, bool, Micros) {
    let group = match row.group() {
        Group::Torn => 4,
        Group::Corrupted => 3,
        Group::Lost => 2,
        Group::Shed => 1,
        Group::Whole => 0,
    };
    let silence = row.silence_max_us().unwrap_or(0);
    (group, row.served_by.len() > 1, silence)
}

fn id(row: &LedgerRow) -> Value {
    let number = row.id.strip_prefix(&*row.load);
    let number = number.and_then(|rest| rest.strip_prefix('-'));
    let number = number.and_then(|n| Some((n, n.parse::<u32>().ok()?)));
    match number {
        Some((text, n)) if n.to_string() == text => n.into(),
        _ => row.id.clone().into(),
    }
}

fn columns(rows: &[&LedgerRow], words: &mut Words) -> Vec<(&'static str, String)> {
    let since = |row: &LedgerRow, t_us: Micros| t_us.saturating_sub(row.scheduled_us);
    let maybe = |row: &LedgerRow, t_us: Option<Micros>| {
        t_us.map_or(0, |t_us| since(row, t_us).saturating_add(1))
    };
    let mut columns: Vec<(&'static str, Packed)> = [
        "sent",
        "end",
        "connected",
        "headers",
        "error",
        "silence",
        "load",
        "class",
        "fate",
        "group",
        "ended",
        "by",
        "prompt",
        "asked",
        "tokens",
        "status",
        "tries",
    ]
    .map(|name| (name, Packed::default()))
    .into();
    for row in rows {
        let first = match &row.served_by[..] {
            [(by, 0), ..] => words.of(by) + 1,
            _ => 0,
        };
        let values = [
            since(row, row.sent_us),
            since(row, row.end_us),
            maybe(row, row.connected_us),
            maybe(row, row.headers_us),
            maybe(row, row.first_error_us),
            row.silence_max_us().map_or(0, |us| us.saturating_add(1)),
            words.of(&row.load),
            words.of(&row.class),
            words.of(&word(&row.fate)),
            words.of(&word(&row.group())),
            words.of(&word(&row.termination)),
            first,
            u64::from(row.prompt_tokens),
            u64::from(row.output_tokens),
            u64::from(row.tokens),
            u64::from(row.status.unwrap_or(0)),
            u64::from(row.attempts),
        ];
        for ((_, column), value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    let text = |(name, column): (_, Packed)| (name, column.text());
    columns.into_iter().map(text).collect()
}

/// `[index, gateway, replica, start, end, from token, tokens, how]`.
fn attempt(tried: &Tried, row: &LedgerRow, words: &mut Words) -> Value {
    let a = &tried.attempt;
    let since = |t_us: Micros| t_us.saturating_sub(row.scheduled_us);
    json!([
        a.index,
        words.of(&tried.gateway),
        words.of(&a.replica),
        since(a.start_us),
        since(a.end_us),
        a.from_token,
        a.tokens,
        words.of(&word(&a.end)),
    ])
}

/// The unit, lengths and bytes of all token times, and how many requests are
/// without theirs.
fn tokens(rows: &[&LedgerRow]) -> (Micros, String, String, usize) {
    for unit in UNITS {
        if let Some((lengths, bytes)) = all_tokens(rows, unit) {
            return (unit, lengths.text(), bytes.text(), 0);
        }
    }
    worst_tokens(rows)
}

/// Nothing where they do not fit.
fn all_tokens(rows: &[&LedgerRow], unit: Micros) -> Option<(Packed, Packed)> {
    let (mut lengths, mut bytes) = (Packed::default(), Packed::default());
    for row in rows {
        let before = bytes.len();
        push_tokens(&mut bytes, row, unit);
        lengths.push((bytes.len() - before) as u64);
        if bytes.len() > TOKEN_BYTES {
            return None;
        }
    }
    Some((lengths, bytes))
}

/// Those of the requests that went worst, as many as fit.
fn worst_tokens(rows: &[&LedgerRow]) -> (Micros, String, String, usize) {
    let unit = UNITS[UNITS.len() - 1];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(badness(rows[*place])));
    let (mut room, mut kept) = (TOKEN_BYTES, vec![false; rows.len()]);
    let mut scratch = Packed::default();
    for place in order {
        scratch.truncate(0);
        push_tokens(&mut scratch, rows[place], unit);
        if scratch.len() > room {
            break;
        }
        room -= scratch.len();
        kept[place] = true;
    }
    let (mut lengths, mut bytes) = (Packed::default(), Packed::default());
    for (row, keep) in rows.iter().zip(&kept) {
        let before = bytes.len();
        if *keep {
            push_tokens(&mut bytes, row, unit);
        }
        lengths.push((bytes.len() - before) as u64);
    }
    let had = rows.iter().zip(&kept);
    let without = had.filter(|(row, keep)| !**keep && !row.token_us.is_empty());
    (unit, lengths.text(), bytes.text(), without.count())
}

/// The first token's time from the intended send, then how each gap differs from
/// the one before. Whole times are rounded, not gaps, so that nothing drifts.
fn push_tokens(bytes: &mut Packed, row: &LedgerRow, unit: Micros) {
    let (mut now, mut last, mut gap) = (0u64, 0i64, 0i64);
    for (n, step) in row.token_us.iter().enumerate() {
        now = now.saturating_add(step);
        let at = now.saturating_sub(row.scheduled_us);
        let at = i64::try_from((at + unit / 2) / unit).unwrap_or(i64::MAX / 4);
        if n == 0 {
            bytes.push_signed(at);
        } else {
            bytes.push_signed(at - last - gap);
            gap = at - last;
        }
        last = at;
    }
}

#[cfg(test)]
mod tests {
    use super::{Words, all_tokens, requests, worst_tokens};
    use crate::judge::RunFacts;
    use crate::judge::testkit::Record;

    #[test]
    fn a_steady_stream_takes_a_byte_a_token() {
        let facts = RunFacts::of(Record::clean().events());
        let rows: Vec<_> = facts.rows.iter().collect();
        let (_, bytes) = all_tokens(&rows, 100).expect("it fits");
        let tokens: usize = rows.iter().map(|row| row.token_us.len()).sum();
        assert!(bytes.len() < tokens * 5 / 4, "{} for {tokens}", bytes.len());
    }

    #[test]
    fn what_went_wrong_keeps_its_tokens() {
        let record = Record::loss().with(|r| r.tear("chat-20"));
        let facts = RunFacts::of(record.events());
        let rows: Vec<_> = facts.rows.iter().collect();
        let (unit, lengths, tokens, without) = worst_tokens(&rows);
        assert_eq!((unit, without), (5_000, 0));
        assert!(!lengths.is_empty() && !tokens.is_empty());
        let made = requests(&facts, &mut Words::default());
        assert_eq!((made.total, made.shown), (140, 140));
        assert_eq!(made.details.len(), 1);
        assert!(made.attempts.iter().any(|(_, tried)| !tried.is_empty()));
        assert_eq!(made.ids[0], 0);
    }
}
