//! The sign of each kind of failed telemetry, as a client can see it.

use std::time::Duration;

use serde_json::Value as Json;

use ridethrough_targets::telemetry::Distortion;
use ridethrough_targets::units::Span;

/// What a client must see.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sign {
    /// Fresh answers, all of them what the meters show.
    True,
    /// As [`Sign::True`], each time, for as long as one looks: for what comes and
    /// goes with this period.
    Always(Span),
    /// The agent says that it has lost the device.
    Stale,
    /// Nothing comes.
    Silent,
    /// Answers come, and take this much longer.
    Slow(Span),
    /// A variable shows this where the meters show something else.
    Lie(String, Json),
    /// A variable shows so many times what the meters show.
    Scale(String, f64),
    /// The meters move and what is shown does not.
    Still,
    /// What the meters show is shown this much later.
    Late(Span),
    /// The agent has the device and has it not, with this period.
    Flapping(Span),
    /// What is shown moves against what the meters show.
    Backwards,
}

impl Sign {
    pub(super) fn of(how: &Distortion) -> Self {
        match how {
            Distortion::Stale => Self::Stale,
            Distortion::Frozen => Self::Still,
            Distortion::Delayed { by } => Self::Late(*by),
            Distortion::Lie { variable, value } => Self::Lie(variable.clone(), value.clone()),
            Distortion::Scale { variable, factor } => Self::Scale(variable.clone(), *factor),
            Distortion::Slow { by } => Self::Slow(*by),
            Distortion::Lost => Self::Silent,
            Distortion::Flapping { period } => Self::Flapping(*period),
            Distortion::OutOfOrder => Self::Backwards,
        }
    }

    /// Whether it shows only when something happens at the device.
    pub(super) fn needs_occasion(&self) -> bool {
        matches!(
            self,
            Self::Still | Self::Late(_) | Self::Backwards | Self::Lie(..) | Self::Scale(..)
        )
    }

    /// How much longer it takes to show than others.
    pub(super) fn span(&self) -> Duration {
        match self {
            Self::Slow(by) | Self::Late(by) => by.duration() * 2,
            Self::Flapping(period) | Self::Always(period) => period.duration() * 3,
            _ => Duration::ZERO,
        }
    }

    /// How long one answer is waited for: an agent may be slow at every request
    /// of a question.
    pub(super) fn wait(&self) -> Span {
        match self {
            Self::Slow(by) => Span::from_micros(by.micros() * 40 + Self::patience().micros()),
            _ => Self::patience(),
        }
    }

    /// How long an answer is waited for that nothing makes late.
    pub(super) fn patience() -> Span {
        Span::from_secs(1)
    }

    /// How often the device is asked.
    pub(super) fn every(&self) -> Duration {
        match self {
            Self::Flapping(period) | Self::Always(period) if *period > Span::default() => {
                (period.duration() / 8).clamp(Duration::from_millis(5), Duration::from_millis(250))
            }
            _ => Duration::from_millis(50),
        }
    }

    /// What is wrong where it was never seen.
    pub(super) fn missing(&self) -> String {
        match self {
            Self::True | Self::Always(_) => "it does not show what the meters show".into(),
            Self::Stale => "it shows data as if they were fresh".into(),
            Self::Silent => "it still answers".into(),
            Self::Slow(by) => format!("its answers do not take {by} longer"),
            Self::Lie(variable, value) => format!("`{variable}` never showed {value} untruly"),
            Self::Scale(variable, factor) => {
                format!("`{variable}` never showed {factor} times what the meters show")
            }
            Self::Still => {
                "the occasion never came: nothing that it shows has moved at the meters".into()
            }
            Self::Late(by) => format!(
                "the occasion never came: nothing moved at the meters and was shown {by} later"
            ),
            Self::Flapping(period) => {
                format!("it did not come and go with a period of {period}")
            }
            Self::Backwards => {
                "the occasion never came: nothing that it shows has moved backwards".into()
            }
        }
    }
}
