//! Which pairs of nodes are probed.

/// Pairs probed for one fault; more would only repeat the same rule.
const PAIRS_MAX: usize = 4;

/// The pairs of a link that are probed: each node of either side at least once,
/// as far as the bound allows.
pub(crate) fn pairs(a: &[String], b: &[String]) -> Vec<(String, String)> {
    let longer = a.len().max(b.len());
    if a.is_empty() || b.is_empty() {
        return Vec::new();
    }
    let mut pairs: Vec<(String, String)> = (0..longer)
        .map(|i| (a[i % a.len()].clone(), b[i % b.len()].clone()))
        .filter(|(from, to)| from != to)
        .collect();
    pairs.truncate(PAIRS_MAX);
    pairs
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn every_node_of_the_longer_side_is_probed() {
        let a = vec!["gw".to_string()];
        let b = vec!["g1".to_string(), "g2".into(), "g3".into()];
        assert_eq!(pairs(&a, &b).len(), 3);
        assert_eq!(pairs(&b, &a).len(), 3);
        assert!(pairs(&a, &[]).is_empty());
        assert!(pairs(&a, &a).is_empty());
    }
}
