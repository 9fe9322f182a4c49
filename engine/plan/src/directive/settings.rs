//! SET(name = value) in a hint: settings of DataFusion's for one statement alone.
//!
//! They count for the whole statement, wherever in it they stand, and are set before it is planned.

use std::ops::Range;

use datafusion::execution::SessionState;
use lakesh_memory::planning::adjust;
use lakesh_text::failure::Failure;
use lakesh_text::input::Substituted;

use super::comment::{Argument, HintComments, parse};
use super::usage::{HintSource, HintUses};

/// The setting of ours that counts for one statement too.
const THREADS: &str = "lakesh.threads";

/// Applies the settings of a statement's hints to the state that it runs with.
pub fn apply_settings(
    statement: &Substituted,
    state: &mut SessionState,
    limit: u64,
    uses: &HintUses,
) {
    let comments = HintComments::find(&statement.text);
    let mut all: Vec<Range<usize>> = comments.of_select.into_values().flatten().collect();
    all.sort_by_key(|range| range.start);
    for comment in all {
        let (hints, _) = parse(&statement.text, comment);
        let sets = hints
            .iter()
            .filter(|hint| hint.name.eq_ignore_ascii_case("set"));
        for argument in sets.flat_map(|hint| &hint.arguments) {
            if let Err(reason) = set(argument, state, limit) {
                let text = &statement.text[argument.at.clone()];
                let source = HintSource::Statement(statement);
                uses.add(text, argument.at.clone(), &source).refuse(reason);
            }
        }
    }
}

fn set(argument: &Argument, state: &mut SessionState, limit: u64) -> Result<(), String> {
    let Some(value) = &argument.value else {
        return Err("a setting is written name = value".to_owned());
    };
    let name = full_name(&argument.text, state)?;
    if name == THREADS {
        let threads = value.parse::<usize>().ok().filter(|threads| *threads > 0);
        let threads = threads.ok_or("a whole number from 1 is expected")?;
        *state.config_mut() = adjust(state.config().clone(), limit, threads);
        return Ok(());
    }
    let options = state.config_mut().options_mut();
    options
        .set(&name, value)
        .map_err(|error| Failure::from_error(error).message)
}

/// Finds the setting that a name or the last part of one stands for.
fn full_name(name: &str, state: &SessionState) -> Result<String, String> {
    if name.starts_with("datafusion.runtime.") || name.starts_with("runtime.") {
        return Err(format!(
            "`{name}` belongs to the session and cannot be set for one query"
        ));
    }
    if name == THREADS || name == "threads" {
        return Ok(THREADS.to_owned());
    }
    if name.starts_with("lakesh.") {
        return Err(format!(
            "`{name}` cannot be set for one query; use SET {name} = …"
        ));
    }
    let suffix = format!(".{name}");
    let mut known = state
        .config_options()
        .entries()
        .into_iter()
        .map(|entry| entry.key)
        .filter(|key| !key.starts_with("datafusion.runtime."))
        .filter(|key| key == name || key.ends_with(&suffix));
    match (known.next(), known.next()) {
        (Some(only), None) => Ok(only),
        (Some(one), Some(other)) => Err(format!("it may mean `{one}` or `{other}`")),
        (None, _) => Err(format!("setting `{name}` not found")),
    }
}
