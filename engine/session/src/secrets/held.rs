//! Which statements of a session use a secret.

use datafusion::common::ScalarValue;
use lakesh_text::input::{TokenKind, tokens};
use lakesh_text::secret::{Origin, Secret, Secrets, is_secret_name};

use super::{hold, hold_parameter};
use crate::Session;

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
    pub(crate) fn hold_named(&self, name: &str, value: &str) {
        if is_secret_name(name) {
            hold(&self.secrets, &Secret::new(value), Origin::Named);
        }
    }

    /// Hides the value of a parameter whose name says that it is a secret.
    pub(crate) fn hold_parameter(&self, name: &str, value: &ScalarValue) {
        hold_parameter(&self.secrets, name, value);
    }

    /// Says whether a secret was put into a statement's text, or is a value of its parameters.
    pub(crate) fn uses_secret(&self, text: &str) -> bool {
        !self.secrets.is_empty()
            && (!self.secrets.find(text).is_empty() || self.uses_secret_parameter(text))
    }

    /// Says whether one of a statement's parameters is a secret.
    pub(crate) fn uses_secret_parameter(&self, text: &str) -> bool {
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
