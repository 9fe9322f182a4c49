//! Options of table formats and readers as data: their names, kinds, and checked values.
//!
//! It does not interpret an option; each format does that with the typed getters.

use std::collections::BTreeMap;
use std::str::FromStr;

use object_store::aws::AmazonS3ConfigKey;

use super::error::TableError;

/// What values an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A single byte such as `;` or `\t`.
    Character,
    /// Any text.
    Text,
    /// Column names with SQL types: a struct `{'a': 'BIGINT'}` or a text `a BIGINT, b VARCHAR`.
    Columns,
    /// A moment in time.
    Timestamp,
}

/// One option of a format or reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSpec {
    /// The name that documentation uses.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What values it takes.
    pub kind: OptionKind,
    /// One sentence about it.
    pub summary: &'static str,
}

impl OptionSpec {
    pub(crate) const fn new(name: &'static str, kind: OptionKind, summary: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            kind,
            summary,
        }
    }

    pub(crate) const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(crate) fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// Options that every format made of plain files understands.
pub(crate) const FILE_OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "union_by_name",
        OptionKind::Boolean,
        "Merges the columns of all files by name instead of taking those of the first file.",
    ),
    OptionSpec::new(
        "filename",
        OptionKind::Text,
        "Adds a column with the path of each row's file; `true`, or the column's name.",
    ),
    OptionSpec::new(
        "hive_partitioning",
        OptionKind::Text,
        "Reads columns from `key=value` folders: `auto`, `true` (the whole path) or `false`.",
    )
    .or(&["hive_partitions"]),
];

/// Options with their documented names, checked against what the format knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    target: String,
    values: BTreeMap<&'static str, String>,
    storage: BTreeMap<String, String>,
}

impl Options {
    /// Checks names and sorts out what belongs to the object store.
    pub(crate) fn check(
        target: &str,
        given: &BTreeMap<String, String>,
        specs: &[&'static [OptionSpec]],
    ) -> Result<Self, TableError> {
        let mut options = Self {
            target: target.to_string(),
            ..Self::default()
        };
        for (name, value) in given {
            let name = name.to_lowercase();
            let spec = specs
                .iter()
                .flat_map(|specs| specs.iter())
                .find(|spec| spec.answers_to(&name));
            if let Some(spec) = spec {
                options.values.insert(spec.name, value.clone());
            } else if is_storage_option(&name) {
                options.storage.insert(name, value.clone());
            } else {
                return Err(TableError::UnknownOption {
                    target: target.to_string(),
                    option: name,
                    known: specs
                        .iter()
                        .flat_map(|specs| specs.iter().map(|spec| spec.name))
                        .collect(),
                });
            }
        }
        Ok(options)
    }

    /// Returns the options of the object store.
    pub(crate) fn storage(&self) -> &BTreeMap<String, String> {
        &self.storage
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, TableError> {
        self.text(name)
            .map(|value| {
                parse_boolean(value).ok_or_else(|| self.wrong(name, value, "`true` or `false`"))
            })
            .transpose()
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, TableError> {
        self.text(name)
            .map(|value| {
                value
                    .trim()
                    .parse()
                    .map_err(|_| self.wrong(name, value, "a whole number"))
            })
            .transpose()
    }

    /// Reads a single byte; `\t`, `\n`, `\r`, `\0` and `tab` name the unprintable ones, and an
    /// empty text is no character.
    pub(crate) fn character(&self, name: &str) -> Result<Option<u8>, TableError> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        match value {
            "" => Ok(None),
            "\\t" | "tab" => Ok(Some(b'\t')),
            "\\n" => Ok(Some(b'\n')),
            "\\r" => Ok(Some(b'\r')),
            "\\0" => Ok(Some(0)),
            value if value.len() == 1 => Ok(Some(value.as_bytes()[0])),
            value => Err(self.wrong(name, value, "a single character of one byte")),
        }
    }

    pub(crate) fn wrong(&self, name: &str, value: &str, expected: &str) -> TableError {
        TableError::OptionValue {
            target: self.target.clone(),
            option: name.to_string(),
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }
}

/// Reads the words that SQL shells take for a boolean.
pub fn parse_boolean(value: &str) -> Option<bool> {
    match value.trim().to_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Tells whether a name configures S3: what `object_store` understands, and `path_style`.
pub(crate) fn is_storage_option(name: &str) -> bool {
    name == "path_style" || AmazonS3ConfigKey::from_str(name).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SPECS: &[OptionSpec] = &[
        OptionSpec::new("delimiter", OptionKind::Character, "").or(&["sep"]),
        OptionSpec::new("header", OptionKind::Boolean, ""),
    ];

    fn check(given: &[(&str, &str)]) -> Result<Options, TableError> {
        let given = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        Options::check("csv", &given, &[SPECS, FILE_OPTIONS])
    }

    #[test]
    fn values_are_typed_and_aliases_resolved() {
        let options = check(&[("sep", "\\t"), ("HEADER", "off"), ("aws_region", "eu")]).unwrap();
        assert_eq!(options.character("delimiter").unwrap(), Some(b'\t'));
        assert_eq!(options.boolean("header").unwrap(), Some(false));
        assert_eq!(options.storage().get("aws_region").unwrap(), "eu");
    }

    #[test]
    fn wrong_names_and_values_say_what_would_fit() {
        let error = check(&[("heder", "x")]).unwrap_err();
        assert_eq!(error.to_string(), "`csv` has no option `heder`");
        let error = check(&[("header", "x")]).unwrap().boolean("header");
        assert_eq!(
            error.unwrap_err().to_string(),
            "option `header` of `csv` cannot be `x`: expected `true` or `false`"
        );
    }
}
