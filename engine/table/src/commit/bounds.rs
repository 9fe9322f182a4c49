//! The bounds that a commit writes hold, or there are none.
//!
//! deltalake-core 1.1.3 writes the bounds of DECIMAL through doubles and 64-bit integers, which from 16
//! digits on makes other numbers of them, and for floats the largest value that is no NaN. Other
//! readers leave files out by what stands there. So such bounds are taken out of an entry before it is
//! written. The smallest value of a float stays: NaN ranks above all numbers.

use bytes::Bytes;
use deltalake::table::state::DeltaTableState;
use serde_json::Value;

/// How many digits a double holds whatever they are.
const DIGITS_OF_DOUBLE: u32 = 15;

/// A column, or a field of one, whose bounds are taken out.
#[derive(Debug, PartialEq)]
struct Loose {
    path: Vec<String>,
    /// Whether the lower bound holds.
    has_minimum: bool,
}

/// Returns an entry without bounds that may not hold; `None` if it has none of them.
pub(super) fn honest(entry: &Bytes, base: Option<&DeltaTableState>) -> Option<Bytes> {
    let actions: Vec<&[u8]> = entry.split(|byte| *byte == b'\n').collect();
    let schema = new_schema(&actions).or_else(|| known_schema(base?))?;
    let mut loose = Vec::new();
    collect(&schema, &mut Vec::new(), &mut loose);
    if loose.is_empty() {
        return None;
    }
    let mut changed = false;
    let rewritten: Vec<Vec<u8>> = actions
        .into_iter()
        .map(|action| match without_bounds(action, &loose) {
            Some(rewritten) => {
                changed = true;
                rewritten
            }
            None => action.to_vec(),
        })
        .collect();
    changed.then(|| rewritten.join(&b'\n').into())
}

/// Returns the columns that an entry gives the table.
fn new_schema(actions: &[&[u8]]) -> Option<Value> {
    let metadata = actions
        .iter()
        .filter(|action| action.starts_with(b"{\"metaData\""))
        .find_map(|action| serde_json::from_slice::<Value>(action).ok())?;
    parsed(metadata.get("metaData")?)
}

/// Returns the columns that the table has.
fn known_schema(base: &DeltaTableState) -> Option<Value> {
    parsed(&serde_json::to_value(base.metadata()).ok()?)
}

fn parsed(metadata: &Value) -> Option<Value> {
    serde_json::from_str(metadata.get("schemaString")?.as_str()?).ok()
}

/// Finds the columns whose bounds may not hold, by the names under which they stand in statistics.
fn collect(schema: &Value, path: &mut Vec<String>, loose: &mut Vec<Loose>) {
    for field in schema["fields"].as_array().into_iter().flatten() {
        let physical = &field["metadata"]["delta.columnMapping.physicalName"];
        let Some(name) = physical.as_str().or_else(|| field["name"].as_str()) else {
            continue;
        };
        path.push(name.to_owned());
        match &field["type"] {
            Value::String(data_type) => {
                let is_float = matches!(data_type.as_str(), "float" | "double");
                if is_float || digits(data_type).is_some_and(|digits| digits > DIGITS_OF_DOUBLE) {
                    loose.push(Loose {
                        path: path.clone(),
                        has_minimum: is_float,
                    });
                }
            }
            nested => collect(nested, path, loose),
        }
        path.pop();
    }
}

/// Reads the digits of `decimal(38,0)`.
fn digits(data_type: &str) -> Option<u32> {
    let digits = data_type.strip_prefix("decimal(")?.split(',').next()?;
    digits.trim().parse().ok()
}

/// Rewrites one action; `None` if nothing is taken out of it.
fn without_bounds(action: &[u8], loose: &[Loose]) -> Option<Vec<u8>> {
    if !action.starts_with(b"{\"add\"") {
        return None;
    }
    let mut action: Value = serde_json::from_slice(action).ok()?;
    let stats = action.get_mut("add")?.get_mut("stats")?;
    let mut statistics: Value = serde_json::from_str(stats.as_str()?).ok()?;
    let mut changed = false;
    for column in loose {
        changed |= remove(&mut statistics["maxValues"], &column.path);
        if !column.has_minimum {
            changed |= remove(&mut statistics["minValues"], &column.path);
        }
    }
    if !changed {
        return None;
    }
    *stats = Value::String(statistics.to_string());
    Some(action.to_string().into_bytes())
}

fn remove(values: &mut Value, path: &[String]) -> bool {
    match path {
        [name] => values
            .as_object_mut()
            .is_some_and(|values| values.remove(name).is_some()),
        [name, rest @ ..] => values
            .get_mut(name)
            .is_some_and(|inner| remove(inner, rest)),
        [] => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_may_not_hold_are_not_written() {
        let schema = serde_json::json!({"type": "struct", "fields": [
            {"name": "i", "type": "long", "metadata": {}},
            {"name": "f", "type": "double", "metadata": {}},
            {"name": "d", "type": "decimal(38,2)", "metadata": {}},
            {"name": "short", "type": "decimal(15,2)", "metadata": {}},
            {"name": "s", "type": {"type": "struct", "fields": [
                {"name": "x", "type": "float", "metadata": {}}]}, "metadata": {}},
        ]});
        let values = serde_json::json!({"i": 1, "f": 1.5, "d": 1.0, "short": 2.5, "s": {"x": 1.0}});
        let stats = serde_json::json!({"numRecords": 1, "minValues": values, "maxValues": values});
        let entry = format!(
            "{}\n{}\n{{\"commitInfo\":{{}}}}",
            serde_json::json!({"metaData": {"schemaString": schema.to_string()}}),
            serde_json::json!({"add": {"path": "a", "stats": stats.to_string()}}),
        );
        let honest = honest(&entry.into(), None).unwrap();
        let lines: Vec<&[u8]> = honest.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 3);
        let add: Value = serde_json::from_slice(lines[1]).unwrap();
        let stats: Value = serde_json::from_str(add["add"]["stats"].as_str().unwrap()).unwrap();
        assert_eq!(
            stats["minValues"],
            serde_json::json!({"i": 1, "f": 1.5, "short": 2.5, "s": {"x": 1.0}})
        );
        assert_eq!(
            stats["maxValues"],
            serde_json::json!({"i": 1, "short": 2.5, "s": {}})
        );
    }
}
