//! From what was seen to what became of the request: a pure function.

use super::content::Defect;
use super::dialect::Dialect;
use super::expected::Basis;
use super::fate::Fate;
use super::observe::Observations;
use super::row::Termination;

/// A fate, and in words what it was decided from (empty for a good one).
pub type Verdict = (Fate, String);

/// Decides the fate of a request, in the order transport, HTTP, error in the
/// answer, protocol, content. An answer that was only slow is whole: bounds on
/// its times are assertions of their own.
pub fn classify(seen: &Observations, dialect: Dialect) -> Verdict {
    let bad = transport(seen)
        .or_else(|| http(seen))
        .or_else(|| in_band(seen))
        .or_else(|| protocol(seen, dialect))
        .or_else(|| content(seen, dialect));
    match bad {
        Some((fate, detail)) => (fate, format!("{detail}{}", progress(seen, fate))),
        None => (whole(seen), String::new()),
    }
}

fn whole(seen: &Observations) -> Fate {
    if seen.attempts > 1 {
        Fate::Retried
    } else if seen.replicas > 1 {
        Fate::Resumed
    } else {
        Fate::Completed
    }
}

/// How far the answer had come, for fates that broke it off.
fn progress(seen: &Observations, fate: Fate) -> String {
    match fate {
        Fate::Shed | Fate::Gap | Fate::Duplicated | Fate::Restarted | Fate::Corrupted => {
            String::new()
        }
        _ => {
            let also = match &seen.defect {
                Some(defect) => format!("; {}", describe(defect, &seen.basis)),
                None => String::new(),
            };
            format!(" ({}{also})", so_far(seen))
        }
    }
}

fn so_far(seen: &Observations) -> String {
    match &seen.basis {
        Basis::Tokens => format!("{} of {} tokens", seen.tokens, seen.asked),
        Basis::Recorded {
            reached, length, ..
        } => format!("{reached} of {length} characters"),
        Basis::Structure if seen.tokens == 1 => "1 piece of text".into(),
        Basis::Structure => format!("{} pieces of text", seen.tokens),
    }
}

fn transport(seen: &Observations) -> Option<Verdict> {
    let (fate, what) = match seen.termination {
        Termination::Clean => return None,
        Termination::EofBeforeHeaders => (Fate::Truncated, "closed before any response"),
        Termination::EofInBody => (Fate::Truncated, "closed inside the body"),
        Termination::Reset => (Fate::Reset, "connection reset"),
        Termination::Refused => (Fate::Refused, "connection refused"),
        Termination::Unreachable => (Fate::Unreachable, "no route to the host"),
        Termination::TcpTimeout => (Fate::TimedOut, "the connection timed out"),
        Termination::ClientTimeout => (Fate::TimedOut, "the client gave up"),
        Termination::RunEnded => (Fate::Hung, "still open when the run ended"),
        Termination::Garbage => (Fate::Unknown, "not understood as HTTP"),
    };
    Some((
        fate,
        if seen.transport.is_empty() {
            what.into()
        } else {
            format!("{what}: {}", seen.transport)
        },
    ))
}

fn http(seen: &Observations) -> Option<Verdict> {
    let Some(status) = seen.status else {
        return Some((Fate::Unknown, "no response".into()));
    };
    if status == 200 {
        return None;
    }
    let said = match &seen.error {
        Some(error) => format!("HTTP {status}: {error}"),
        None => format!("HTTP {status}"),
    };
    let shed = matches!(status, 429 | 503) && seen.retry_after && seen.tokens == 0;
    Some((if shed { Fate::Shed } else { Fate::Unknown }, said))
}

fn in_band(seen: &Observations) -> Option<Verdict> {
    let error = seen.error.as_ref()?;
    let after = if seen.done { ", then [DONE]" } else { "" };
    Some((
        Fate::Truncated,
        format!("an error in the answer{after}: {error}"),
    ))
}

fn protocol(seen: &Observations, dialect: Dialect) -> Option<Verdict> {
    if let Some(broken) = &seen.broken {
        return Some((Fate::Truncated, broken.clone()));
    }
    if !seen.stream {
        return None;
    }
    let missing = if dialect.finish == Some(true) && seen.finish.is_none() {
        "ended without finish_reason"
    } else if dialect.done == Some(true) && !seen.done {
        "ended without [DONE]"
    } else if dialect.usage == Some(true) && seen.usage.is_none() {
        "ended without usage"
    } else {
        return None;
    };
    Some((Fate::Truncated, missing.into()))
}

fn content(seen: &Observations, dialect: Dialect) -> Option<Verdict> {
    if let Some(defect) = &seen.defect {
        let fate = match defect {
            Defect::Corrupted(_) => Fate::Corrupted,
            Defect::Restarted(_) => Fate::Restarted,
            Defect::Duplicated(_) => Fate::Duplicated,
            Defect::Gap(..) => Fate::Gap,
        };
        return Some((fate, describe(defect, &seen.basis)));
    }
    match &seen.basis {
        Basis::Tokens => all_tokens(seen, dialect),
        Basis::Recorded {
            reached,
            length,
            finish,
            usage,
        } if reached == length => as_recorded(seen, finish.as_ref(), *usage),
        Basis::Recorded { .. } => Some((Fate::Truncated, ended_early(seen))),
        Basis::Structure if seen.tokens == 0 => {
            Some((Fate::Truncated, "ended without a word".into()))
        }
        Basis::Structure if seen.stream => miscounted(seen, dialect),
        Basis::Structure => None,
    }
}

fn all_tokens(seen: &Observations, dialect: Dialect) -> Option<Verdict> {
    if let Some(rest) = &seen.rest {
        return Some((Fate::Truncated, format!("ended inside a token, {rest:?}")));
    }
    if seen.tokens < seen.asked {
        return Some((Fate::Truncated, ended_early(seen)));
    }
    miscounted(seen, dialect)
}

fn ended_early(seen: &Observations) -> String {
    let finish = seen.finish.as_deref().unwrap_or("none");
    format!("ended early, finish_reason {finish}")
}

/// The whole text is there: its end must be as recorded too.
fn as_recorded(
    seen: &Observations,
    finish: Option<&String>,
    usage: Option<u32>,
) -> Option<Verdict> {
    if let (Some(seen), Some(recorded)) = (&seen.finish, finish)
        && seen != recorded
    {
        let what = format!("finish_reason {seen}, recorded was {recorded}");
        return Some((Fate::Unknown, what));
    }
    let (counted, recorded) = (seen.usage?, usage?);
    (counted != recorded).then(|| {
        let what = format!("usage says {counted} tokens, recorded were {recorded}");
        (Fate::Unknown, what)
    })
}

fn miscounted(seen: &Observations, dialect: Dialect) -> Option<Verdict> {
    let counted = seen.usage?;
    (dialect.counts == Some(true) && counted != seen.tokens).then(|| {
        (
            Fate::Unknown,
            format!("usage says {counted} tokens, another number came"),
        )
    })
}

fn describe(defect: &Defect, basis: &Basis) -> String {
    let tokens = *basis == Basis::Tokens;
    match defect {
        Defect::Corrupted(what) => what.clone(),
        Defect::Restarted(after) if tokens => format!("began again from token 0 after {after}"),
        Defect::Restarted(after) => {
            format!("began again from its first word after {after} characters")
        }
        Defect::Duplicated(n) if tokens => format!("token {n} came twice"),
        Defect::Duplicated(n) => format!("the text from character {n} on came twice"),
        Defect::Gap(from, to) if !tokens => {
            format!("{} characters are missing after {from}", to - from)
        }
        Defect::Gap(from, to) if from + 1 == *to => format!("token {from} is missing"),
        Defect::Gap(from, to) => format!("tokens {from} to {} are missing", to - 1),
    }
}

#[cfg(test)]
mod tests;
