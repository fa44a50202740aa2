//! From what was seen to what became of the request: a pure function.

use super::content::Defect;
use super::dialect::Dialect;
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
                Some(defect) => format!("; {}", describe(defect)),
                None => String::new(),
            };
            format!(" ({} of {} tokens{also})", seen.tokens, seen.asked)
        }
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
        return Some((fate, describe(defect)));
    }
    if let Some(rest) = &seen.rest {
        return Some((Fate::Truncated, format!("ended inside a token, {rest:?}")));
    }
    if seen.tokens < seen.asked {
        let finish = seen.finish.as_deref().unwrap_or("none");
        return Some((
            Fate::Truncated,
            format!("ended early, finish_reason {finish}"),
        ));
    }
    let counted = seen.usage?;
    (dialect.usage == Some(true) && counted != seen.tokens).then(|| {
        (
            Fate::Unknown,
            format!("usage says {counted} tokens, another number came"),
        )
    })
}

fn describe(defect: &Defect) -> String {
    match defect {
        Defect::Corrupted(what) => what.clone(),
        Defect::Restarted(after) => format!("began again from token 0 after {after}"),
        Defect::Duplicated(n) => format!("token {n} came twice"),
        Defect::Gap(from, to) if from + 1 == *to => format!("token {from} is missing"),
        Defect::Gap(from, to) => format!("tokens {from} to {} are missing", to - 1),
    }
}

#[cfg(test)]
mod tests;
