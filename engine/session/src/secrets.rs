//! The secrets of a session: where they come from, and which statements use one.

use datafusion::common::ScalarValue;
use lakesh_text::input::{TokenKind, tokens};
use lakesh_text::secret::{Origin, Secret, Secrets, is_secret_name};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{Session, SessionOptions};

/// Collects what a session is started with: the environment, variables and parameters.
pub(super) fn of_options(options: &SessionOptions) -> Secrets {
    let secrets = Secrets::default();
    for (name, value) in &options.environment {
        if is_secret_name(name) {
            hold(&secrets, &Secret::new(value.as_str()), Origin::Named);
        }
        if let Some(password) = password_in(value) {
            hold(&secrets, &Secret::new(password), Origin::Named);
        }
    }
    for (name, value) in &options.variables {
        if is_secret_name(name) {
            hold(&secrets, &Secret::new(value.as_str()), Origin::Named);
        }
    }
    for (name, value) in &options.parameters {
        hold_parameter(&secrets, name, value);
    }
    secrets
}

/// Finds the password of a URL, such as that of a proxy.
fn password_in(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (credentials, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    credentials.split_once(':').map(|(_, password)| password)
}

fn hold_parameter(secrets: &Secrets, name: &str, value: &ScalarValue) {
    if is_secret_name(name)
        && let Some(Some(value)) = value.try_as_str()
    {
        hold(secrets, &Secret::new(value), Origin::Named);
    }
}

fn hold(secrets: &Secrets, secret: &Secret, origin: Origin) {
    secrets.hold(secret, origin);
    keep_out_of_dumps();
}

/// Keeps the kernel from writing this process's memory to a file when it fails.
fn keep_out_of_dumps() {
    // Where neither can be had, the secret is as safe as the dumps of the machine.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_dumpable(false);
    if let Ok((_, maximum)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, maximum);
    }
}

impl Session {
    /// Returns what is never shown.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Sets a text variable to a secret, which statements can use and nobody sees.
    pub fn set_secret(&self, name: &str, secret: &Secret) {
        hold(&self.secrets, secret, Origin::Asked);
        self.set_variable(name, Some(secret.reveal().to_owned()));
    }

    /// Hides the value of a text variable whose name says that it is a secret.
    pub(super) fn hold_named(&self, name: &str, value: &str) {
        if is_secret_name(name) {
            hold(&self.secrets, &Secret::new(value), Origin::Named);
        }
    }

    /// Hides the value of a parameter whose name says that it is a secret.
    pub(super) fn hold_parameter(&self, name: &str, value: &ScalarValue) {
        hold_parameter(&self.secrets, name, value);
    }

    /// Says whether a secret was put into a statement's text, or is a value of its parameters.
    pub(super) fn uses_secret(&self, text: &str) -> bool {
        !self.secrets.is_empty()
            && (!self.secrets.find(text).is_empty() || self.uses_secret_parameter(text))
    }

    /// Says whether one of a statement's parameters is a secret.
    pub(super) fn uses_secret_parameter(&self, text: &str) -> bool {
        let parameters = self.parameters();
        let is_secret = |value: &ScalarValue| {
            let text = value.try_as_str().flatten();
            text.is_some_and(|text| !self.secrets.find(text).is_empty())
        };
        if !parameters.values().any(is_secret) {
            return false;
        }
        tokens(text)
            .filter(|token| token.kind == TokenKind::Parameter)
            .filter_map(|token| parameters.get(text[token.range].trim_start_matches('$')))
            .any(is_secret)
    }
}
