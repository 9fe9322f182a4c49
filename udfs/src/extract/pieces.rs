//! `extract_dates` and `extract_duration`: pieces of texts of any kind.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Date32Builder, ListBuilder, StringArray};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_err};

use super::date::dates;
use super::duration::{Topic, duration};
use super::{ExtractArguments, ExtractBehaviour, text_type};
use crate::registry::{Behaviour, Function};
use crate::types::check_count;

pub(super) static DATES: Function = Function {
    name: "extract_dates",
    usage: "extract_dates(text)",
    summary: "Returns the dates of a text in their order: 4-20-18, 07/13/2018, JULY 26, 2018, 26 July 2018, 2018-07-26; a year of two digits from 69 on is of the last century.",
    nulls: "NULL if text is NULL, an empty list without a date; days that no calendar has are left out.",
    examples: &[
        "SELECT extract_dates('From Friday, July 13, 2018 to 11:59 p.m., Thursday, July 26, 2018');",
    ],
    parameters: &["text"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| {
            check_count("extract_dates", types, 1..=1)?;
            Ok(vec![text_type("extract_dates", &types[0])?])
        },
        returns: |_| {
            Ok(DataType::List(
                Field::new_list_field(DataType::Date32, true).into(),
            ))
        },
        compute: compute_dates,
    }),
};

fn compute_dates(arguments: &ExtractArguments<'_>) -> Result<ArrayRef> {
    let texts = arguments.texts()?;
    let mut lists = ListBuilder::new(Date32Builder::new());
    for row in 0..arguments.rows {
        let text = texts.get(row);
        for date in text.iter().flat_map(|text| dates(text)) {
            lists.values().append_value(date.days);
        }
        lists.append(text.is_some());
    }
    Ok(Arc::new(lists.finish()))
}

pub(super) static DURATION: Function = Function {
    name: "extract_duration",
    usage: "extract_duration(text [, 'experience' | 'education'])",
    summary: "Returns the first length of time of a text as it is written, such as Two years: any, or one of experience, or one of education.",
    nulls: "NULL if an argument is NULL or there is none.",
    examples: &[
        "SELECT extract_duration('A four-year college and two years of full-time paid experience', 'experience');",
    ],
    parameters: &["text", "topic"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| {
            check_count("extract_duration", types, 1..=2)?;
            let mut coerced = vec![text_type("extract_duration", &types[0])?];
            coerced.extend(types.get(1).map(|_| DataType::Utf8));
            Ok(coerced)
        },
        returns: |_| Ok(DataType::Utf8),
        compute: compute_duration,
    }),
};

fn compute_duration(arguments: &ExtractArguments<'_>) -> Result<ArrayRef> {
    let texts = arguments.texts()?;
    let topics = arguments
        .columns
        .get(1)
        .map(|topics| topics.as_string::<i32>());
    let mut found = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let topic = match topics {
            None => Some(Topic::Any),
            Some(topics) if topics.is_null(row) => None,
            Some(topics) => match Topic::named(topics.value(row)) {
                Some(topic) => Some(topic),
                None => {
                    return exec_err!(
                        "`extract_duration` knows lengths of `experience` and of `education`, not of `{}`",
                        topics.value(row)
                    );
                }
            },
        };
        let text = texts.get(row);
        found.push(
            text.zip(topic)
                .and_then(|(text, topic)| duration(&text, topic)),
        );
    }
    Ok(Arc::new(StringArray::from(found)))
}
