//! Which known names look like one that is not known.

/// Names less alike than this are not worth suggesting.
const THRESHOLD: f64 = 0.6;

/// Returns the candidate that a mistyped name most likely means, if any is close enough.
pub fn closest<'name>(
    name: &str,
    candidates: impl IntoIterator<Item = &'name str>,
) -> Option<&'name str> {
    closest_few(name, candidates, 1).pop()
}

/// Returns the candidates that look like a name, best first, at most `limit`.
///
/// Case does not count; a candidate that begins with the name (of three letters at least) is close too.
pub fn closest_few<'name>(
    name: &str,
    candidates: impl IntoIterator<Item = &'name str>,
    limit: usize,
) -> Vec<&'name str> {
    let wanted = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (similarity(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= THRESHOLD)
        .collect();
    scored.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    scored.truncate(limit);
    scored.into_iter().map(|(_, candidate)| candidate).collect()
}

fn similarity(wanted: &str, candidate: &str) -> f64 {
    let (wanted, candidate) = without_common_ends(wanted, candidate);
    let distance = strsim::normalized_damerau_levenshtein(wanted, candidate);
    if wanted.chars().count() >= 3 && candidate.starts_with(wanted) {
        distance.max(THRESHOLD)
    } else {
        distance
    }
}

/// Takes off the qualifier in front and the suffix behind that both have: `lakesh.`, `.parquet`.
fn without_common_ends<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    let (one, other) = match (one.rsplit_once('.'), other.rsplit_once('.')) {
        (Some((one_stem, one_end)), Some((other_stem, other_end))) if one_end == other_end => {
            (one_stem, other_stem)
        }
        _ => (one, other),
    };
    match (one.rsplit_once('.'), other.rsplit_once('.')) {
        (Some((one_start, one_name)), Some((other_start, other_name)))
            if one_start == other_start =>
        {
            (one_name, other_name)
        }
        _ => (one, other),
    }
}

#[cfg(test)]
mod tests {
    use super::{closest, closest_few};

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["sales", "sale_items_of_all_years", "Orders", "x", "sails"];
        let cases: [(&str, &[&str]); 6] = [
            ("sale", &["sales", "sails", "sale_items_of_all_years"]),
            ("salse", &["sales", "sails"]),
            ("orders", &["Orders"]),
            ("ordres", &["Orders"]),
            ("y", &[]),
            ("", &[]),
        ];
        for (name, expected) in cases {
            assert_eq!(closest_few(name, names, 3), expected, "{name}");
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["fare_amount", "tip_amount", "note", "id", "trips.parquet"];
        for (name, expected) in [
            ("fare_amont", Some("fare_amount")),
            ("FARE_AMOUNT", Some("fare_amount")),
            ("ntoe", Some("note")),
            ("TRIP.parquet", Some("trips.parquet")),
            ("none.parquet", None),
            ("quite-different", None),
            ("zebra", None),
            ("x", None),
        ] {
            assert_eq!(closest(name, names), expected, "{name}");
        }
    }
}
