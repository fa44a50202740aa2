//! When requests are sent, and how long they are: drawn from a seed before the
//! run begins, so that nothing the target does can change it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

use ridethrough_targets::clock::Micros;

use crate::playbook::{Arrivals, LoadSpec, OracleSpec, Range};

/// Most requests that one load may plan.
pub const MAX_REQUESTS: usize = 5_000_000;

/// One request to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When it is sent, after the load's start.
    pub at_us: Micros,
    /// Prompt length in tokens.
    pub prompt_tokens: u32,
    /// Tokens asked for.
    pub output_tokens: u32,
    /// The seed it carries.
    pub seed: u64,
    /// Its place among the prompts whose answers are recorded, if they are.
    pub prompt: Option<u32>,
}

/// Why a schedule cannot be drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// The rate is not a positive number.
    #[error("load {load:?}: a rate of {rate}/s sends nothing")]
    Rate {
        /// The load.
        load: String,
        /// Its rate per second.
        rate: f64,
    },
    /// More than [`MAX_REQUESTS`].
    #[error("load {load:?}: more than {MAX_REQUESTS} requests")]
    TooMany {
        /// The load.
        load: String,
    },
}

/// Draws the schedule of one load over `duration_us`. Every load has a random
/// stream of its own, named by the load, so adding one changes no other.
///
/// # Errors
/// [`ScheduleError`].
pub fn draw(
    spec: &LoadSpec,
    seed: u64,
    duration_us: Micros,
) -> Result<Vec<Planned>, ScheduleError> {
    let (rate, poisson) = match &spec.arrivals {
        Arrivals::Constant { rate } => (rate.get(), false),
        Arrivals::Poisson { rate } => (rate.get(), true),
    };
    if !(rate.is_finite() && rate > 0.0) {
        return Err(ScheduleError::Rate {
            load: spec.name.clone(),
            rate,
        });
    }
    let mut rng = stream(seed, &spec.name);
    let prompts = prompts(spec, seed);
    let mut planned = Vec::new();
    let mut at_s = 0.0;
    loop {
        // Evenly spaced times are computed from their index: sums drift.
        at_s = if poisson {
            at_s - (1.0 - unit(&mut rng)).ln() / rate
        } else {
            planned.len() as f64 / rate
        };
        let at_us = (at_s * 1e6).round();
        if at_us >= duration_us as f64 {
            return Ok(planned);
        }
        if planned.len() >= MAX_REQUESTS {
            return Err(ScheduleError::TooMany {
                load: spec.name.clone(),
            });
        }
        let drawn = Planned {
            at_us: at_us as Micros,
            prompt_tokens: within(&mut rng, spec.prompt_tokens),
            output_tokens: within(&mut rng, spec.output_tokens),
            seed: rng.next_u64() >> UNUSED_BITS,
            prompt: None,
        };
        planned.push(one_of(&prompts, drawn));
    }
}

/// The prompts whose answers are recorded, at time 0; none where none are. They
/// have a random stream of their own too.
pub fn prompts(spec: &LoadSpec, seed: u64) -> Vec<Planned> {
    let Some(OracleSpec::Recorded(recorded)) = spec.oracle else {
        return Vec::new();
    };
    let mut rng = stream(seed, &format!("{}/prompts", spec.name));
    let prompt = |n| Planned {
        at_us: 0,
        prompt_tokens: within(&mut rng, spec.prompt_tokens),
        output_tokens: within(&mut rng, spec.output_tokens),
        seed: rng.next_u64() >> UNUSED_BITS,
        prompt: Some(n),
    };
    (0..recorded.prompts).map(prompt).collect()
}

/// A request as it was drawn, or one of the recorded prompts in its place.
fn one_of(prompts: &[Planned], drawn: Planned) -> Planned {
    let Some(last) = u32::try_from(prompts.len())
        .ok()
        .and_then(|n| n.checked_sub(1))
    else {
        return drawn;
    };
    let mut rng = ChaCha8Rng::seed_from_u64(drawn.seed);
    let chosen = within(&mut rng, Range { min: 0, max: last });
    Planned {
        at_us: drawn.at_us,
        ..prompts[chosen as usize]
    }
}

/// A request's seed has 53 bits: some gateways read it as a signed number and turn
/// a larger one away, others as a floating-point one and would round it.
const UNUSED_BITS: u32 = 11;

fn stream(seed: u64, load: &str) -> ChaCha8Rng {
    let mut sha = Sha256::new();
    sha.update(seed.to_be_bytes());
    sha.update(load.as_bytes());
    ChaCha8Rng::from_seed(sha.finalize().into())
}

/// Uniform in `0.0..1.0`, 53 bits.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Uniform in a closed range (the bias of the multiplication is below 2^-31).
fn within(rng: &mut ChaCha8Rng, range: Range) -> u32 {
    let width = u64::from(range.max.saturating_sub(range.min)) + 1;
    let offset = ((u128::from(rng.next_u64()) * u128::from(width)) >> 64) as u64;
    range.min.saturating_add(offset as u32)
}

#[cfg(test)]
mod tests;
