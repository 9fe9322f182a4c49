//! The prompt itself: what the next statement will find.

use std::fmt;

use lakesh_engine::catalog::DEFAULT_SCHEMA;

/// What the prompt says; what is as usual is left out.
pub(super) struct Prompt {
    /// The schema in which names without one are sought.
    pub(super) schema: String,
    pub(super) is_read_only: bool,
    /// The moment of the past at which tables are read.
    pub(super) moment: Option<String>,
    /// Whether the last statement failed.
    pub(super) has_failed: bool,
}

impl fmt::Display for Prompt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("lakesh")?;
        if self.schema != DEFAULT_SCHEMA {
            write!(formatter, ":{}", self.schema)?;
        }
        if self.is_read_only {
            formatter.write_str(" (read-only)")?;
        }
        if let Some(moment) = &self.moment {
            write!(formatter, " @ {moment}")?;
        }
        if self.has_failed {
            formatter.write_str(" !")?;
        }
        formatter.write_str("> ")
    }
}

#[cfg(test)]
mod tests {
    use super::Prompt;

    #[test]
    fn the_prompt_says_what_is_not_as_usual() {
        let mut prompt = Prompt {
            schema: "main".to_owned(),
            is_read_only: false,
            moment: None,
            has_failed: false,
        };
        assert_eq!(prompt.to_string(), "lakesh> ");
        prompt.has_failed = true;
        assert_eq!(prompt.to_string(), "lakesh !> ");
        prompt.schema = "sales".to_owned();
        prompt.is_read_only = true;
        prompt.moment = Some("2024-01-01".to_owned());
        assert_eq!(
            prompt.to_string(),
            "lakesh:sales (read-only) @ 2024-01-01 !> "
        );
    }
}
