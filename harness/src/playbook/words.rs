//! Words for messages: lists, names of types, guesses at what was meant.

/// `a, b and c`.
pub(crate) fn list<S: AsRef<str>>(items: &[S], last: &str) -> String {
    let quoted: Vec<_> = items.iter().map(|i| format!("`{}`", i.as_ref())).collect();
    match quoted.as_slice() {
        [] => "none".into(),
        [one] => one.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

/// The names that exist, at most twelve of them.
pub(crate) fn names<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.into_iter().collect();
    if all.len() > 12 {
        format!("{} and {} more", all[..11].join(", "), all.len() - 11)
    } else if all.is_empty() {
        "none".into()
    } else {
        all.join(", ")
    }
}

/// The candidate that was most likely meant, if one is close enough and closer
/// than all others.
pub(crate) fn closest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase().replace(['-', ' '], "_");
    let mut best: Option<(usize, &str)> = None;
    let mut tie = false;
    for candidate in candidates {
        let plain = candidate.to_lowercase().replace('-', "_");
        let distance = strsim::osa_distance(&written, &plain);
        let allowed = match written.chars().count().max(plain.chars().count()) {
            0..=2 => 1,
            3..=5 => 2,
            n => n / 3 + 1,
        };
        let starts = plain.len() >= 3
            && written.len() >= 3
            && (plain.starts_with(&written) || written.starts_with(&plain));
        // A name of one or two letters is close to every other one.
        let shares = plain.chars().any(|c| written.contains(c));
        if !shares || distance > allowed && !starts {
            continue;
        }
        match best {
            Some((d, _)) if d < distance => {}
            Some((d, other)) if d == distance => tie |= other != candidate,
            _ => (best, tie) = (Some((distance, candidate)), false),
        }
    }
    best.filter(|_| !tie).map(|(_, candidate)| candidate)
}

/// `did you mean `x`?`
pub(crate) fn did_you_mean<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    closest(written, candidates).map(|found| format!("did you mean `{found}`?"))
}

/// What a type is called in messages: `FaultKind` is a `fault`.
pub(crate) fn noun(type_name: Option<&str>) -> String {
    let Some(name) = type_name else {
        return "value".into();
    };
    match name {
        "FaultKind" => "fault".into(),
        "Assertion" => "assertion".into(),
        "Arrivals" => "kind of arrivals".into(),
        "WorldKind" => "world".into(),
        "NodeTarget" | "PowerTarget" => "target".into(),
        "SupplyKind" => "supply".into(),
        "UpsClass" => "UPS class".into(),
        "KnownBad" => "known-bad mode".into(),
        _ => {
            let mut words = String::new();
            for c in name.chars() {
                if c.is_uppercase() && !words.is_empty() {
                    words.push(' ');
                }
                words.extend(c.to_lowercase());
            }
            words
        }
    }
}

/// `a fault`, `an assertion`.
pub(crate) fn a(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}
