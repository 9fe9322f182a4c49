//! The history of the prompt: where it lies, and what never gets into it.
//!
//! Entries are appended one by one under the file's lock, so that two shells keep each other's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lakesh_engine::failure::{SECRET_NAMES, masked};
use lakesh_engine::input::{Token, TokenKind, tokens};
use rustyline::config::Config;
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History as _, SearchDirection};

/// How many entries are kept.
pub(super) const MAX_ENTRIES: usize = 10_000;

/// The file that holds the history.
pub(super) struct HistoryFile {
    path: PathBuf,
    /// Whether entries are added to it; without, they last as long as the shell.
    grows: bool,
}

impl HistoryFile {
    /// Names the file below the user's state folder and makes its folder, if entries are to be added.
    pub(super) fn in_state_folder(state_folder: &Path, grows: bool) -> io::Result<Self> {
        let folder = state_folder.join("lakesh");
        if grows {
            fs::create_dir_all(&folder)?;
        }
        Ok(Self {
            path: folder.join("history"),
            grows,
        })
    }

    /// Reads what earlier shells left.
    pub(super) fn load(&self, history: &mut FileHistory) -> Result<(), ReadlineError> {
        match history.load(&self.path) {
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Adds what the user submitted, unless it is not to be kept.
    pub(super) fn add(&self, history: &mut FileHistory, text: &str) -> Result<(), ReadlineError> {
        if is_kept(text) && history.add(text.trim_end())? && self.grows {
            history.append(&self.path)?;
        }
        Ok(())
    }
}

/// The same history for notebooks.
pub(crate) struct KeptHistory {
    grows: bool,
    /// The file with its entries, once they were asked for; none where it cannot be had.
    open: Option<(HistoryFile, FileHistory)>,
}

impl KeptHistory {
    /// The history, to which entries are added or not.
    pub(crate) fn new(grows: bool) -> Self {
        Self { grows, open: None }
    }

    fn open(&mut self) -> Option<&mut (HistoryFile, FileHistory)> {
        if self.open.is_none() {
            let folder = dirs::state_dir().or_else(dirs::data_local_dir)?;
            let file = HistoryFile::in_state_folder(&folder, self.grows).ok()?;
            let config = Config::builder().max_history_size(MAX_ENTRIES).ok()?;
            let mut history = FileHistory::with_config(&config.build());
            file.load(&mut history).ok()?;
            self.open = Some((file, history));
        }
        self.open.as_mut()
    }
}

impl lakesh_kernel::History for KeptHistory {
    fn earlier(&mut self) -> Vec<String> {
        let Some((_, history)) = self.open() else {
            return Vec::new();
        };
        let entries = (0..history.len()).filter_map(|index| {
            let found = history.get(index, SearchDirection::Forward).ok()??;
            Some(found.entry.into_owned())
        });
        entries.collect()
    }

    fn add(&mut self, text: &str) -> bool {
        if !is_kept(text) {
            return false;
        }
        if let Some((file, history)) = self.open() {
            // A history that cannot be written is no reason not to run a cell.
            drop(file.add(history, text));
        }
        true
    }
}

/// Tells whether an entry may be kept: nothing that begins with a space, and no secrets.
pub(super) fn is_kept(text: &str) -> bool {
    !text.trim().is_empty() && !text.starts_with(char::is_whitespace) && !holds_secret(text)
}

/// Tells whether text holds a secret: CREATE SECRET, a value given to a name such as `password`, or a
/// URL with one. It would rather lose an entry than keep a secret.
fn holds_secret(text: &str) -> bool {
    let tokens: Vec<_> = tokens(text).filter(Token::is_real).collect();
    let creates_secret = tokens.windows(2).any(|pair| {
        let follows_verb = |verb: &str| text[pair[0].range.clone()].eq_ignore_ascii_case(verb);
        text[pair[1].range.clone()].eq_ignore_ascii_case("secret")
            && ["create", "replace", "alter", "temporary", "persistent"]
                .iter()
                .any(|verb| follows_verb(verb))
    });
    let is_command = text.starts_with(['\\', '.', '%']);
    let names_secret = tokens.iter().enumerate().any(|(index, token)| {
        is_secret_name(&text[token.range.clone()], token.kind)
            && tokens
                .get(index + 1)
                .is_some_and(|next| is_value_start(text, next, is_command))
    });
    creates_secret || names_secret || masked(text) != text
}

fn is_secret_name(text: &str, kind: TokenKind) -> bool {
    if !matches!(
        kind,
        TokenKind::Word | TokenKind::QuotedName | TokenKind::String
    ) {
        return false;
    }
    let name = text.to_lowercase();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

/// Tells whether what follows a name gives it a value: `=`, `=>`, `:`, a string, or for commands a word.
fn is_value_start(text: &str, token: &Token, is_command: bool) -> bool {
    let written = &text[token.range.clone()];
    match token.kind {
        TokenKind::String => true,
        TokenKind::Symbol => written.starts_with(['=', ':']),
        TokenKind::Word => is_command || written.eq_ignore_ascii_case("to"),
        TokenKind::Number => is_command,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use rustyline::history::{FileHistory, History, SearchDirection};

    use super::{HistoryFile, is_kept};

    #[test]
    fn secrets_are_not_kept() {
        let cases = [
            ("select 1;", true),
            ("select token from logins", true),
            ("\\dt", true),
            ("select count(*) from secrets_of_the_sea", true),
            ("", false),
            ("  \n", false),
            (" select 1;", false),
            ("CREATE SECRET s (TYPE s3)", false),
            ("create or replace  secret s", false),
            ("CREATE TEMPORARY SECRET (x)", false),
            ("set x.password = 'a'", false),
            ("set lakesh.api_key to 'a'", false),
            (
                "CREATE EXTERNAL TABLE t OPTIONS ('aws.secret_access_key' 'abc')",
                false,
            ),
            ("select read_csv('x', access_key_id => 'a')", false),
            ("\\set token abc", false),
            ("select 1; select f(\"Password\" = 'a')", false),
            ("from 'https://user:pass@host/x.parquet'", false),
            ("from 'https://host/x.parquet?X-Amz-Signature=abc'", false),
            ("from 'https://host/x.parquet?part=1'", true),
            ("from 's3://bucket/a@b:c'", true),
        ];
        for (text, kept) in cases {
            assert_eq!(is_kept(text), kept, "{text}");
        }
    }

    #[test]
    fn shells_keep_each_others_entries() {
        let folder = tempfile::tempdir().unwrap();
        let file = HistoryFile::in_state_folder(folder.path(), true).unwrap();
        let mut first = FileHistory::new();
        let mut second = FileHistory::new();
        file.load(&mut first).unwrap();
        file.load(&mut second).unwrap();
        file.add(&mut first, "select 1,\n  2;").unwrap();
        file.add(&mut second, "select 'a\\n';\n").unwrap();
        file.add(&mut second, "create secret x").unwrap();
        file.add(&mut first, "select 3;").unwrap();
        file.add(&mut first, "select 3;").unwrap();

        let mut third = FileHistory::new();
        file.load(&mut third).unwrap();
        let entries: Vec<_> = (0..third.len())
            .map(|index| {
                let found = third.get(index, SearchDirection::Forward).unwrap().unwrap();
                found.entry.into_owned()
            })
            .collect();
        assert_eq!(entries, ["select 1,\n  2;", "select 'a\\n';", "select 3;"]);
        let mode = fs::metadata(&file.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
