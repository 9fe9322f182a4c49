//! Whether a stream gets colour: only a terminal does, unless the environment says otherwise.
//!
//! `NO_COLOR` (https://no-color.org), `CLICOLOR=0` and `TERM=dumb` say no; `CLICOLOR_FORCE` says yes.

/// What the environment says about colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColourChoice {
    /// Terminals get colour.
    Automatic,
    /// Nothing does.
    Never,
    /// Everything does.
    Always,
}

impl ColourChoice {
    /// Reads it from environment variables.
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        if is_set("NO_COLOR") {
            return Self::Never;
        }
        if variable("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") {
            return Self::Always;
        }
        let dumb = variable("TERM").is_some_and(|value| value == "dumb");
        let off = variable("CLICOLOR").is_some_and(|value| value == "0");
        if dumb || off {
            Self::Never
        } else {
            Self::Automatic
        }
    }

    /// Decides for a stream.
    pub(crate) fn applies(self, is_terminal: bool) -> bool {
        match self {
            Self::Automatic => is_terminal,
            Self::Never => false,
            Self::Always => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ColourChoice::{self, Always, Automatic, Never};

    #[test]
    fn the_environment_decides() {
        let cases: [(&[(&str, &str)], ColourChoice); 8] = [
            (&[], Automatic),
            (&[("NO_COLOR", "1")], Never),
            (&[("NO_COLOR", "")], Automatic),
            (&[("TERM", "dumb")], Never),
            (&[("TERM", "xterm"), ("CLICOLOR", "1")], Automatic),
            (&[("CLICOLOR", "0")], Never),
            (&[("CLICOLOR_FORCE", "1")], Always),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], Never),
        ];
        for (variables, expected) in cases {
            let find = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(
                ColourChoice::from_environment(find),
                expected,
                "{variables:?}"
            );
        }
    }
}
