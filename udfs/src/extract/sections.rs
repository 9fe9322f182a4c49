//! `sections`: a text cut at its headings.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, MapBuilder, MapFieldNames, StringBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, plan_err};

use super::lines::{lines, plain, squeezed, trimmed};
use super::{ExtractArguments, ExtractBehaviour, text_type};
use crate::registry::{Behaviour, Function};
use crate::types::check_count;

pub(super) static SECTIONS: Function = Function {
    name: "sections",
    usage: "sections(text, headings)",
    summary: "Returns what stands under each heading, as a map: a heading is a line of its own, or the begin of one with a colon behind it, in any case; what stands before the first is under ''.",
    nulls: "NULL if text or headings is NULL; a heading that is not found is not in the map, one that is found twice has both texts.",
    examples: &[
        r"SELECT sections(E'ACCOUNTANT\nDUTIES\nKeeps books.\nNotes: none', ['DUTIES', 'NOTES']);",
    ],
    parameters: &["text", "headings"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce,
        returns: |_| Ok(map_type()),
        compute,
    }),
};

fn coerce(types: &[DataType]) -> Result<Vec<DataType>> {
    check_count("sections", types, 2..=2)?;
    match &types[1] {
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Null => {}
        other => {
            return plan_err!(
                "`sections` takes a list of headings such as ['DUTIES', 'NOTES'], not {other}"
            );
        }
    }
    let headings = DataType::List(Field::new_list_field(DataType::Utf8, true).into());
    Ok(vec![text_type("sections", &types[0])?, headings])
}

fn map_type() -> DataType {
    let entries = DataType::Struct(
        vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Utf8, true),
        ]
        .into(),
    );
    DataType::Map(Field::new("entries", entries, false).into(), false)
}

fn compute(arguments: &ExtractArguments<'_>) -> Result<ArrayRef> {
    let texts = arguments.texts()?;
    let lists = arguments.columns[1].as_list::<i32>();
    let names = MapFieldNames {
        entry: "entries".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in 0..arguments.rows {
        let text = texts.get(row).filter(|_| !lists.is_null(row));
        if let Some(text) = &text {
            let headings = lists.value(row);
            let headings: Vec<_> = headings.as_string::<i32>().iter().flatten().collect();
            for (heading, body) in cut(&plain(text), &headings) {
                maps.keys().append_value(heading);
                maps.values().append_value(body);
            }
        }
        maps.append(text.is_some())?;
    }
    Ok(Arc::new(maps.finish()))
}

/// Cuts a text, in one pass over its lines; the sections come in the order of their headings in the list.
fn cut<'a>(text: &'a str, headings: &[&'a str]) -> Vec<(&'a str, Cow<'a, str>)> {
    let named = headings.iter().enumerate();
    let by_name: HashMap<_, _> = named
        .rev()
        .map(|(place, heading)| (key(heading), place + 1))
        .collect();
    let longest = headings.iter().map(|heading| heading.len()).max();
    let longest = longest.unwrap_or_default();
    let mut bodies: Vec<Option<Cow<'a, str>>> = vec![None; headings.len() + 1];
    let mut add = |place: usize, body: &'a str| {
        let Some(body) = trimmed(body).or((place > 0).then_some("")) else {
            return;
        };
        bodies[place] = Some(match bodies[place].take() {
            None => Cow::Borrowed(body),
            Some(before) => Cow::Owned(format!("{before}\n\n{body}")),
        });
    };
    let (mut current, mut start) = (0, 0);
    for line in lines(text) {
        let content = line.text.trim();
        // What is much longer than every heading can only begin with one, before a colon.
        let whole = (content.len() <= 2 * longest + 8).then(|| key(content));
        let found = whole.and_then(|name| Some((*by_name.get(&name)?, line.next)));
        let found = found.or_else(|| {
            let colon = line
                .text
                .find(':')
                .filter(|colon| *colon <= 2 * longest + 8)?;
            let place = by_name.get(&key(&line.text[..colon]))?;
            Some((*place, line.start + colon + 1))
        });
        if let Some((place, body)) = found {
            add(current, &text[start..line.start]);
            (current, start) = (place, body);
        }
    }
    add(current, &text[start..]);
    let names = std::iter::once("").chain(headings.iter().copied());
    names
        .zip(bodies)
        .filter_map(|(name, body)| Some((name, body?)))
        .collect()
}

/// What is the same of a heading however it is written.
fn key(heading: &str) -> String {
    let heading = heading.trim().trim_end_matches(':');
    squeezed(heading).to_lowercase()
}
