//! How alike two texts are.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};
use datafusion::common::{Result, exec_err};

use super::texts;

fn pairs<'a>(
    arrays: &'a [ArrayRef],
) -> Result<impl Iterator<Item = Option<(&'a str, &'a str)>> + 'a> {
    let [left, right] = arrays else {
        return exec_err!("two texts are needed");
    };
    Ok(texts(left)
        .iter()
        .zip(texts(right).iter())
        .map(|(left, right)| left.zip(right)))
}

/// Jaro's similarity, from 0 to 1.
pub(crate) fn jaro(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let alike = pairs(arrays)?.map(|pair| pair.map(|(left, right)| strsim::jaro(left, right)));
    Ok(Arc::new(alike.collect::<Float64Array>()))
}

/// Jaro's similarity with Winkler's weight on the beginning.
pub(crate) fn jaro_winkler(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let alike =
        pairs(arrays)?.map(|pair| pair.map(|(left, right)| strsim::jaro_winkler(left, right)));
    Ok(Arc::new(alike.collect::<Float64Array>()))
}

/// How many characters are to be put in, taken out, changed or exchanged with their neighbours.
pub(crate) fn damerau_levenshtein(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let steps = pairs(arrays)?.map(|pair| {
        let (left, right) = pair?;
        i64::try_from(strsim::damerau_levenshtein(left, right)).ok()
    });
    Ok(Arc::new(steps.collect::<Int64Array>()))
}

/// In how many places texts of one length differ.
pub(crate) fn hamming(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let mut counts = Vec::with_capacity(arrays.first().map_or(0, |first| first.len()));
    for pair in pairs(arrays)? {
        counts.push(match pair {
            None => None,
            Some((left, right)) => match strsim::hamming(left, right) {
                Ok(count) => i64::try_from(count).ok(),
                Err(_) => {
                    return exec_err!(
                        "`hamming` compares texts of one length; '{left}' and '{right}' differ in theirs"
                    );
                }
            },
        });
    }
    Ok(Arc::new(Int64Array::from(counts)))
}

/// The share of characters that two texts have in common among all that one of them has.
pub(crate) fn jaccard(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let mut shares = Vec::with_capacity(arrays.first().map_or(0, |first| first.len()));
    for pair in pairs(arrays)? {
        shares.push(match pair {
            None => None,
            Some((left, right)) if left.is_empty() || right.is_empty() => {
                return exec_err!(
                    "`jaccard` compares texts that are not empty: '{left}', '{right}'"
                );
            }
            Some((left, right)) => {
                let left: HashSet<char> = left.chars().collect();
                let right: HashSet<char> = right.chars().collect();
                let both = left.intersection(&right).count();
                let all = left.union(&right).count();
                Some(both as f64 / all as f64)
            }
        });
    }
    Ok(Arc::new(Float64Array::from(shares)))
}
