//! Where ORDER BY puts NULL: DataFusion's setting, under a name of ours and with the values of DuckDB's.

use super::{SettingError, wrong};
use crate::{Session, read};

/// DataFusion's setting.
const INNER: &str = "datafusion.sql_parser.default_null_ordering";

/// What DuckDB, and databases that it names, call each of them.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("first", "nulls_first"),
    ("last", "nulls_last"),
    ("nulls_last_on_asc_first_on_desc", "nulls_max"),
    ("nulls_first_on_asc_last_on_desc", "nulls_min"),
    ("postgres", "nulls_max"),
    ("sqlite", "nulls_min"),
    ("mysql", "nulls_min"),
    ("spark", "nulls_min"),
];
const NAMES: [&str; 4] = ["nulls_first", "nulls_last", "nulls_max", "nulls_min"];

pub(super) fn get(session: &Session) -> String {
    let state = read(&session.state);
    let order = &state.config_options().sql_parser.default_null_ordering;
    order.clone()
}

pub(super) fn set(session: &Session, text: &str) -> Result<(), SettingError> {
    let Some(order) = order_of(text) else {
        let expected = "`nulls_first`, `nulls_last`, `nulls_max` or `nulls_min` is expected";
        return Err(wrong(
            "lakesh.default_null_order",
            text,
            expected.to_owned(),
        ));
    };
    session.set_datafusion(INNER, order)
}

pub(super) fn default(session: &Session) -> String {
    session
        .initial_setting(INNER)
        .unwrap_or_else(|| "nulls_max".to_owned())
}

fn order_of(text: &str) -> Option<&'static str> {
    let name = text.trim().to_lowercase().replace(' ', "_");
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
    let own = NAMES.iter().find(|own| **own == name);
    own.or(other.map(|(_, own)| own)).copied()
}

#[cfg(test)]
mod tests {
    use super::order_of;

    #[test]
    fn orders_of_others_are_known() {
        assert_eq!(order_of("NULLS LAST"), Some("nulls_last"));
        assert_eq!(
            order_of("nulls_last_on_asc_first_on_desc"),
            Some("nulls_max")
        );
        assert_eq!(order_of("sqlite"), Some("nulls_min"));
        assert_eq!(order_of("left"), None);
    }
}
