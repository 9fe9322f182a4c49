//! Small cases with known answers; comparisons with other implementations are in `tests/encoders.rs`.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, StringArray};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};

use super::{Fit, FitColumns};
use crate::category::CategoryType;
use crate::fitted::{Fitted, OnNull, OnUnseen, Policy};
use crate::kind::{EncoderKind, Smooth};

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn mean(smooth: Smooth) -> EncoderKind {
    EncoderKind::Target {
        smooth,
        min_samples: 0.0,
    }
}

#[track_caller]
fn encoded(fitted: &Fitted, column: &ArrayRef) -> Vec<Option<f64>> {
    let result = fitted
        .encode(column, Some(CategoryType::Text), Policy::default())
        .unwrap();
    result.as_primitive::<Float64Type>().iter().collect()
}

fn fit(kind: EncoderKind, parts: &[FitColumns]) -> Fitted {
    let mut all = Fit::new(&kind, Some(CategoryType::Text));
    for part in parts {
        let mut one = Fit::new(&kind, Some(CategoryType::Text));
        one.update(part).unwrap();
        all.merge(&one).unwrap();
    }
    all.finish().unwrap()
}

fn rows(values: &[(Option<&str>, Option<f64>, Option<f64>)]) -> FitColumns {
    let column: Vec<_> = values.iter().map(|row| row.0).collect();
    let target: Vec<_> = values.iter().map(|row| row.1).collect();
    let weight: Vec<_> = values.iter().map(|row| row.2).collect();
    FitColumns {
        value: texts(&column),
        target: Some(numbers(&target)),
        weight: Some(numbers(&weight)),
    }
}

#[test]
fn target_means_are_smoothed() {
    let all = rows(&[
        (Some("a"), Some(1.0), Some(1.0)),
        (Some("a"), Some(0.0), Some(3.0)),
        (Some("b"), Some(2.0), Some(2.0)),
        (None, Some(5.0), Some(2.0)),
        (Some("c"), None, Some(9.0)),
        (Some("d"), Some(9.0), Some(0.0)),
        (Some("d"), Some(9.0), None),
    ]);
    // The mean of all is (1 + 0 + 4 + 10) / 8 = 1.875.
    let fitted = fit(mean(Smooth::Rows(4.0)), &[all]);
    let column = texts(&[
        Some("a"),
        Some("b"),
        None,
        Some("c"),
        Some("d"),
        Some("new"),
    ]);
    let expected = [
        (1.0 + 4.0 * 1.875) / 8.0,
        (4.0 + 4.0 * 1.875) / 6.0,
        (10.0 + 4.0 * 1.875) / 6.0,
        1.875,
        1.875,
        1.875,
    ];
    for (found, expected) in encoded(&fitted, &column).into_iter().zip(expected) {
        let found = found.unwrap();
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} and not {expected}"
        );
    }
}

#[test]
fn parts_make_the_whole_whatever_their_order_and_offset() {
    let first = rows(&[
        (Some("a"), Some(1e15 + 1.0), Some(1.0)),
        (Some("b"), Some(1e15 + 2.0), Some(1.0)),
    ]);
    let second = rows(&[
        (Some("b"), Some(1e15 + 4.0), Some(1.0)),
        (Some("a"), Some(1e15 + 9.0), Some(1.0)),
    ]);
    let column = texts(&[Some("a"), Some("b"), Some("c")]);
    let one = fit(mean(Smooth::Auto), &[first.clone(), second.clone()]);
    let other = fit(mean(Smooth::Auto), &[second, first]);
    assert_eq!(encoded(&one, &column), encoded(&other, &column));
    // Variance 9.5; a: mean 5, squares 32, share 9.5 * 2 / (19 + 16); b: mean 3, squares 2.
    let a = 19.0 / 35.0 * 5.0 + 16.0 / 35.0 * 4.0;
    let b = 19.0 / 20.0 * 3.0 + 1.0 / 20.0 * 4.0;
    assert_eq!(
        encoded(&one, &column),
        [Some(1e15 + a), Some(1e15 + b), Some(1e15 + 4.0)]
    );
}

#[test]
fn negative_weights_are_refused() {
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let mut fit = Fit::new(&EncoderKind::Frequency, Some(CategoryType::Text));
        let error = fit.update(&rows(&[(Some("a"), Some(1.0), Some(weight))]));
        assert!(error.unwrap_err().to_string().contains("is not a weight"));
    }
}

#[test]
fn rare_categories_give_way_to_a_label() {
    let kind = EncoderKind::Rare {
        min_share: 0.25,
        max_categories: Some(2),
        label: "other".to_owned(),
    };
    let column = texts(&[
        Some("b"),
        Some("b"),
        Some("a"),
        Some("a"),
        Some("c"),
        Some("c"),
        Some("d"),
        None,
        None,
    ]);
    let columns = FitColumns {
        value: column,
        target: None,
        weight: None,
    };
    let fitted = fit(kind, &[columns]);
    let column = texts(&[Some("a"), Some("b"), Some("c"), Some("d"), Some("e"), None]);
    let result = fitted
        .encode(&column, Some(CategoryType::Text), Policy::default())
        .unwrap();
    assert_eq!(
        &result,
        &texts(&[
            Some("a"),
            Some("b"),
            Some("other"),
            Some("other"),
            Some("other"),
            None
        ])
    );
}

#[test]
fn policies_decide_on_null_and_the_unseen() {
    let columns = FitColumns {
        value: texts(&[Some("a"), None]),
        target: None,
        weight: None,
    };
    let fitted = fit(EncoderKind::Frequency, &[columns]);
    let column = texts(&[Some("a"), None, Some("x")]);
    let with = |on_unseen, on_null| {
        fitted
            .encode(
                &column,
                Some(CategoryType::Text),
                Policy { on_unseen, on_null },
            )
            .map(|values| {
                values
                    .as_primitive::<Float64Type>()
                    .iter()
                    .collect::<Vec<_>>()
            })
    };
    assert_eq!(
        with(OnUnseen::Default, OnNull::Category).unwrap(),
        [Some(0.5), Some(0.5), Some(0.0)]
    );
    assert_eq!(
        with(OnUnseen::Null, OnNull::Null).unwrap(),
        [Some(0.5), None, None]
    );
    let error = with(OnUnseen::Error, OnNull::Category).unwrap_err();
    assert!(error.to_string().contains("`x` was not seen"), "{error}");
}

fn bins(
    kind: EncoderKind,
    values: &[Option<f64>],
    weight: Option<&[Option<f64>]>,
) -> Result<Fitted, datafusion::common::DataFusionError> {
    let mut fit = Fit::new(&kind, None);
    fit.update(&FitColumns {
        value: numbers(values),
        target: None,
        weight: weight.map(numbers),
    })?;
    fit.finish()
}

#[track_caller]
fn bin_numbers(fitted: &Fitted, values: &[Option<f64>]) -> Vec<Option<i64>> {
    let result = fitted
        .encode(&numbers(values), None, Policy::default())
        .unwrap();
    let result: &Int64Array = result.as_primitive::<Int64Type>();
    assert_eq!(result.len(), values.len());
    result.iter().collect()
}

#[test]
fn bins_are_left_closed_and_open_at_the_ends() {
    let values: Vec<_> = (0..=8).map(|value| Some(f64::from(value))).collect();
    let fitted = bins(EncoderKind::QuantileBins { bins: 4 }, &values, None).unwrap();
    let column = [
        Some(-9.0),
        Some(1.9),
        Some(2.0),
        Some(4.0),
        Some(6.0),
        Some(f64::INFINITY),
        Some(f64::NAN),
        None,
    ];
    let expected = [
        Some(0),
        Some(0),
        Some(1),
        Some(2),
        Some(3),
        Some(3),
        None,
        None,
    ];
    assert_eq!(bin_numbers(&fitted, &column), expected);
    let fitted = bins(EncoderKind::UniformBins { bins: 2 }, &values, None).unwrap();
    assert_eq!(
        bin_numbers(&fitted, &[Some(3.9), Some(4.0)]),
        [Some(0), Some(1)]
    );
}

#[test]
fn equal_edges_become_one_and_a_constant_is_refused() {
    let values = [1.0, 1.0, 1.0, 1.0, 2.0, 3.0].map(Some);
    let fitted = bins(EncoderKind::QuantileBins { bins: 5 }, &values, None).unwrap();
    assert_eq!(fitted.value_count(), 2);
    for kind in [
        EncoderKind::QuantileBins { bins: 3 },
        EncoderKind::UniformBins { bins: 3 },
    ] {
        let error = bins(kind.clone(), &[Some(7.0), Some(7.0), None], None).unwrap_err();
        assert!(error.to_string().contains("`7` in every row"), "{error}");
        let error = bins(kind, &[None], None).unwrap_err();
        assert!(error.to_string().contains("no values"), "{error}");
    }
}

#[test]
fn weights_count_as_repeated_rows() {
    let values = [1.0, 2.0, 3.0, 4.0].map(Some);
    let weights = [1.0, 4.0, 0.0, 1.0].map(Some);
    let kind = EncoderKind::QuantileBins { bins: 2 };
    let fitted = bins(kind, &values, Some(&weights)).unwrap();
    assert_eq!(
        bin_numbers(&fitted, &[Some(1.9), Some(2.0)]),
        [Some(0), Some(1)]
    );
}

#[test]
fn what_is_stored_comes_back() {
    let all = rows(&[
        (Some("ü"), Some(0.1), Some(0.3)),
        (None, Some(0.7), Some(1.0)),
        (Some(""), Some(3.0), Some(1.0)),
    ]);
    let fitted = fit(mean(Smooth::Auto), &[all]);
    let back = Fitted::from_bytes(&fitted.to_bytes().unwrap()).unwrap();
    let column = texts(&[Some("ü"), None, Some(""), Some("new")]);
    assert_eq!(encoded(&back, &column), encoded(&fitted, &column));
    let values: Vec<_> = (0..=8).map(|value| Some(f64::from(value) / 3.0)).collect();
    let fitted = bins(EncoderKind::QuantileBins { bins: 4 }, &values, None).unwrap();
    let back = Fitted::from_bytes(&fitted.to_bytes().unwrap()).unwrap();
    assert_eq!(bin_numbers(&back, &values), bin_numbers(&fitted, &values));
    assert_eq!(back.value_count(), 4);
    assert!(back.default_text().is_none());
}
