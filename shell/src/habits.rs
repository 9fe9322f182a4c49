//! Options as DuckDB's and SQLite's shells have them, with one dash: `-csv`, `-readonly`.
//!
//! They are put into our words before the command line is read, which would take `-csv` for `-c sv`.

use std::ffi::OsString;

/// The option there, and what it is here.
const OPTIONS: &[(&str, &[&str])] = &[
    ("-ascii", &["--format", "table"]),
    ("-bail", &[]),
    ("-batch", &[]),
    ("-box", &["--format", "table"]),
    ("-column", &["--format", "table"]),
    ("-csv", &["--format", "csv"]),
    ("-help", &["--help"]),
    ("-html", &["--format", "html"]),
    ("-json", &["--format", "json"]),
    ("-jsonlines", &["--format", "ndjson"]),
    ("-line", &["--format", "vertical"]),
    ("-markdown", &["--format", "markdown"]),
    ("-no-init", &["--no-rc"]),
    ("-readonly", &["--readonly"]),
    ("-table", &["--format", "table"]),
    ("-version", &["--version"]),
];

/// Options behind which a value stands, which may look like an option of another shell.
const WITH_VALUE: &[&str] = &[
    "-c",
    "--command",
    "-f",
    "--file",
    "-v",
    "--variable",
    "--param",
    "-o",
];

/// Puts the options of other shells into our words; what follows `--` are files.
pub(crate) fn translated(words: Vec<OsString>) -> Vec<OsString> {
    let mut translated: Vec<OsString> = Vec::with_capacity(words.len());
    let mut only_files = false;
    for word in words {
        let is_value = translated
            .last()
            .is_some_and(|before| WITH_VALUE.iter().any(|option| before == option));
        only_files |= word == "--" && !is_value;
        let known = OPTIONS.iter().find(|(there, _)| word == *there);
        match known.filter(|_| !(is_value || only_files)) {
            Some((_, here)) => translated.extend(here.iter().map(OsString::from)),
            None => translated.push(word),
        }
    }
    translated
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::translated;

    #[test]
    fn options_of_other_shells_are_understood() {
        let cases = [
            ("lakesh -csv -c x", "lakesh --format csv -c x"),
            ("lakesh -c -csv", "lakesh -c -csv"),
            ("lakesh -readonly -bail a.sql", "lakesh --readonly a.sql"),
            ("lakesh -- -csv", "lakesh -- -csv"),
            ("lakesh -csvx", "lakesh -csvx"),
        ];
        for (given, expected) in cases {
            let words = given.split(' ').map(OsString::from).collect();
            let words = translated(words);
            let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
            assert_eq!(words.join(" "), expected);
        }
    }
}
