//! Each kernel against brute force over the frame, in integers of 128 bits where rounding matters.

use std::ops::Range;

use super::{Extremes, Line, Mergeable, Moments, OrderStatistics, Point, Shape, TwoStack};
use crate::number::Twofold;
use crate::testing::Random;

/// Values as eighths, so that everything is exact in integers: at 1e15 doubles are an eighth apart.
type Eighths = i128;

/// Data that sums lose digits on.
fn columns(random: &mut Random, rows: usize) -> Vec<Vec<Option<Eighths>>> {
    let offset = 8_000_000_000_000_000;
    let spike = 80_000_000_000_000_000;
    let mut small = Vec::new();
    let mut shifted = Vec::new();
    let mut spiked = Vec::new();
    let mut constant = Vec::new();
    for _ in 0..rows {
        let value = random.below(2001) as i128 - 1000;
        let missing = random.one_in(6);
        let of = |value: i128| (!missing).then_some(value);
        small.push(of(value));
        shifted.push(of(offset + value));
        spiked.push(of(match random.below(30) {
            0 => spike,
            1 => -spike,
            _ => value,
        }));
        constant.push(of(offset + 3));
    }
    vec![small, shifted, spiked, constant]
}

fn number(eighths: Eighths) -> f64 {
    let value = eighths as f64 / 8.0;
    assert_eq!((value * 8.0) as i128, eighths, "a double holds the value");
    value
}

fn frames(rows: usize, width: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    (0..rows).map(move |row| (row, (row + 1).saturating_sub(width)..row + 1))
}

#[track_caller]
fn close(found: f64, expected: f64, scale: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= 1e-13 * scale.abs().max(expected.abs()),
        "{found} instead of {expected}"
    );
}

const WIDTHS: [usize; 6] = [1, 2, 3, 7, 20, 50];

#[test]
fn moments_of_sliding_frames_are_exact() {
    let mut random = Random(1);
    for (column, width) in columns(&mut random, 400)
        .into_iter()
        .flat_map(|column| WIDTHS.map(|width| (column.clone(), width)))
    {
        let mut rows = TwoStack::<Moments>::new(true);
        for (row, frame) in frames(column.len(), width) {
            rows.expire(frame.start as u64);
            if let Some(value) = column[row] {
                rows.push(row as u64, number(value).into());
            }
            let values: Vec<i128> = column[frame].iter().copied().flatten().collect();
            let n = values.len() as i128;
            let sum: i128 = values.iter().sum();
            let squares: i128 = values.iter().map(|value| value * value).sum();
            let summary = rows.summary();
            assert_eq!(summary.count, n as f64);
            if let Some(value) = column[row] {
                let distance = summary.distance(number(value).into()).unwrap();
                let spread = values.iter().max().unwrap() - values.iter().min().unwrap();
                close(
                    distance,
                    (n * value - sum) as f64 / (8 * n) as f64,
                    spread as f64 / 8.0,
                );
            }
            let variance = (n > 1).then(|| (n * squares - sum * sum) as f64 / (n * (n - 1)) as f64);
            match (summary.deviation(), variance) {
                (None, None) => {}
                (Some(found), Some(variance)) => close(found, variance.sqrt() / 8.0, 0.0),
                different => panic!("{different:?}"),
            }
        }
    }
}

#[test]
fn slopes_of_sliding_frames_are_exact() {
    let mut random = Random(2);
    for (column, width) in columns(&mut random, 300)
        .into_iter()
        .flat_map(|column| WIDTHS.map(|width| (column.clone(), width)))
    {
        // Nanoseconds since 1970, some milliseconds apart: more digits than a double has.
        let mut time = 1_700_000_000_000_000_000_i128;
        let times: Vec<i128> = (0..column.len())
            .map(|_| {
                time += random.below(5_000_000) as i128;
                time
            })
            .collect();
        let mut rows = TwoStack::<Line>::new(true);
        for (row, frame) in frames(column.len(), width) {
            rows.expire(frame.start as u64);
            if let Some(value) = column[row] {
                let at = Twofold::from(times[row]);
                let value = number(value).into();
                rows.push(row as u64, Point { at, value });
            }
            let begin = times[frame.start];
            let points: Vec<(i128, i128)> = frame
                .filter_map(|row| Some((times[row] - begin, column[row]?)))
                .collect();
            let n = points.len() as i128;
            let at: i128 = points.iter().map(|(at, _)| at).sum();
            let value: i128 = points.iter().map(|(_, value)| value).sum();
            let products: i128 = points.iter().map(|(at, value)| at * value).sum();
            let squares: i128 = points.iter().map(|(at, _)| at * at).sum();
            let spread = n * squares - at * at;
            match rows.summary().slope() {
                None => assert!(n < 2 || spread == 0),
                Some(slope) => {
                    let expected = (n * products - at * value) as f64 / spread as f64 / 8.0;
                    // Products of both signs cancel; their size is that of both deviations.
                    let squares: i128 = points.iter().map(|(_, value)| value * value).sum();
                    let other = (n * squares - value * value) as f64;
                    close(slope, expected, (other / spread as f64).sqrt() / 8.0);
                }
            }
        }
    }
}

#[test]
fn what_is_no_number_touches_only_its_frames() {
    for stray in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut rows = TwoStack::<Moments>::new(true);
        for row in 0..40_u64 {
            rows.expire((row + 1).saturating_sub(5));
            let value = if row % 13 == 4 { stray } else { row as f64 };
            rows.push(row, value.into());
            let inside = (row.saturating_sub(4)..=row).any(|row| row % 13 == 4);
            let mean = rows.summary().mean().unwrap();
            assert_eq!(!mean.is_finite(), inside, "row {row}: {mean}");
            if inside {
                assert_eq!(mean.to_bits(), stray.to_bits());
            }
        }
    }
    let mut both = Moments::default();
    both.add(f64::INFINITY.into());
    both.add(f64::NEG_INFINITY.into());
    assert!(both.mean().unwrap().is_nan());
}

#[test]
fn extremes_and_ranks_are_those_of_the_frame() {
    let mut random = Random(3);
    for (values, width) in [
        (5_u64, 7_usize),
        (1000, 40),
        (1_000_000, 500),
        (50, 1000),
        (1_000_000, 3000),
    ] {
        let keys: Vec<i64> = (0..4000).map(|_| random.below(values) as i64).collect();
        let mut extremes = Extremes::new(true);
        let mut ranks = OrderStatistics::default();
        for (row, frame) in frames(keys.len(), width) {
            extremes.expire(frame.start as u64);
            if row >= width {
                ranks.remove(keys[row - width]);
            }
            extremes.push(row as u64, keys[row]);
            ranks.insert(keys[row]);
            if row % 17 != 0 {
                continue;
            }
            let mut sorted = keys[frame].to_vec();
            sorted.sort_unstable();
            assert_eq!(
                extremes.bounds(),
                Some((sorted[0], sorted[sorted.len() - 1]))
            );
            let standing = ranks.standing(keys[row]);
            let below = sorted.partition_point(|key| *key < keys[row]);
            let upto = sorted.partition_point(|key| *key <= keys[row]);
            assert_eq!(standing.below, below as u64);
            assert_eq!(standing.equal, (upto - below) as u64);
            assert_eq!(ranks.len(), sorted.len() as u64);
            sorted.truncate(below);
            sorted.dedup();
            assert_eq!(standing.distinct_below, sorted.len() as u64);
        }
    }
}

#[test]
fn keys_that_drift_leave_no_empty_blocks_behind() {
    let mut ranks = OrderStatistics::default();
    for key in 0..20_000_i64 {
        ranks.insert(key);
        if key >= 300 {
            ranks.remove(key - 300);
        }
        assert_eq!(ranks.standing(key).below, key.min(299) as u64);
    }
    assert!(ranks.size() < 100_000, "{}", ranks.size());
    for key in 19_700..20_000 {
        ranks.remove(key);
    }
    assert!(ranks.is_empty());
    assert_eq!(ranks.standing(1).below, 0);
}

#[test]
fn rows_that_never_leave_are_not_kept() {
    let mut moments = TwoStack::<Moments>::new(false);
    let mut extremes = Extremes::new(false);
    for row in 0..100_000_u64 {
        moments.push(row, (row as f64).into());
        extremes.push(row, row);
    }
    assert_eq!(moments.summary().mean(), Some(49_999.5));
    assert_eq!(extremes.bounds(), Some((0, 99_999)));
    assert!(moments.size() + extremes.size() < 1000);
}

#[test]
fn shapes_are_exact_whatever_way_they_are_merged() {
    let mut random = Random(4);
    for column in columns(&mut random, 30) {
        let values: Vec<i128> = column.into_iter().flatten().collect();
        let weights: Vec<u64> = values.iter().map(|_| 1 + random.below(4)).collect();
        let mut weighted = Shape::default();
        let mut halves = [Shape::default(), Shape::default()];
        for (place, (value, weight)) in values.iter().zip(&weights).enumerate() {
            let value = Twofold::from(number(*value));
            weighted.add((value, *weight as f64));
            for _ in 0..*weight {
                halves[place % 2].add((value, 1.0));
            }
        }
        let repeated = halves[0].merge(&halves[1]);
        let n: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        let sum: i128 = weighted_sum(&values, &weights, |value| value);
        // Deviations times n, in doubles: the mean is exact, and no digits cancel any more.
        let power = |power: i32| -> f64 {
            let pairs = values.iter().zip(&weights);
            pairs
                .map(|(value, weight)| ((n * value - sum) as f64).powi(power) * *weight as f64)
                .sum()
        };
        if power(2) == 0.0 {
            assert_eq!((weighted.skewness(), repeated.skewness()), (None, None));
            continue;
        }
        let n = n as f64;
        let skewness = n.sqrt() * power(3) / power(2).powf(1.5);
        let kurtosis = n * power(4) / power(2).powi(2) - 3.0;
        for shape in [&weighted, &repeated] {
            close(shape.skewness().unwrap() / 10.0, skewness / 10.0, 1.0);
            close(shape.kurtosis().unwrap() / 10.0, kurtosis / 10.0, 1.0);
        }
    }
}

fn weighted_sum(values: &[i128], weights: &[u64], term: impl Fn(i128) -> i128) -> i128 {
    let pairs = values.iter().zip(weights);
    pairs
        .map(|(value, weight)| term(*value) * i128::from(*weight))
        .sum()
}
