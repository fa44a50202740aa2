//! What gateways tried, request by request.

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::Attempt;

/// An attempt, and whose it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The node of the gateway that made it.
    pub gateway: String,
    /// The attempt.
    pub attempt: Attempt,
}

/// Every attempt of a record, by request, those of one request in order of
/// time. One sorted list: a map with a list for each request would take three
/// times the memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attempts {
    sorted: Vec<Tried>,
}

impl Attempts {
    /// Puts attempts in order; each comes with its event's time and number.
    pub(super) fn sort(mut found: Vec<(Micros, u64, Tried)>) -> Self {
        found.sort_by(|(t, seq, a), (other_t, other_seq, b)| {
            let requests = a.attempt.request.cmp(&b.attempt.request);
            requests.then((t, seq).cmp(&(other_t, other_seq)))
        });
        Self {
            sorted: found.into_iter().map(|(.., tried)| tried).collect(),
        }
    }

    /// The attempts at one request; empty where there was none.
    pub fn of(&self, request: &str) -> &[Tried] {
        let name = |tried: &Tried| tried.attempt.request.as_str().cmp(request);
        let start = self.sorted.partition_point(|tried| name(tried).is_lt());
        let rest = self.sorted.get(start..).unwrap_or_default();
        let length = rest.partition_point(|tried| name(tried).is_eq());
        &rest[..length]
    }

    /// Every attempt.
    pub fn iter(&self) -> impl Iterator<Item = &Tried> {
        self.sorted.iter()
    }
}
