//! Lengths of time that a requirement names: of experience, of education.

use std::sync::LazyLock;

use regex::Regex;

use super::lines::squeezed;

/// A number and its unit, and what a length of experience or of education is followed by.
const LENGTH: &str = r"\b(?P<length>(?:(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|eighteen|twenty-four|thirty-six)(?:[\s-]+(?:and[\s-]+)?(?:one[\s-]+)?half)?|\d{1,2}(?:\.\d+)?)(?:\s*\(\d{1,2}\))?[\s-]+(?:years?|months?|yrs?)\b)";

/// What a length of time is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Whatever it is.
    Any,
    Experience,
    Education,
}

impl Topic {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "experience" => Some(Self::Experience),
            "education" => Some(Self::Education),
            _ => None,
        }
    }

    /// The patterns, the surest first.
    fn patterns(self) -> &'static [Regex] {
        static ANY: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&[""]));
        static EXPERIENCE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
            compiled(&[
                // Not beyond the next length: `four-year college and two years of experience`.
                r"['’]?\s+(?:of\s+)?(?:[\w/,’'-]+\s+){0,12}?(?:experience|full[\s-]+time|part[\s-]+time)\b",
                r"\s+(?:of\s+service|as\s+an?\b|in\s+a\s+class\b)",
            ])
        });
        static EDUCATION: LazyLock<Vec<Regex>> = LazyLock::new(|| {
            compiled(&[
                r"\s+(?:(?:of|in|at|an?)\s+)*(?:(?:accredited|recognized|full[\s-]+time|degree|community|junior|undergraduate|graduate|post-secondary|[a-z]+-level)\s+)*(?:college|university|education|school|study|studies|coursework|institution|degree|program|apprenticeship)\b",
            ])
        });
        match self {
            Self::Any => &ANY,
            Self::Experience => &EXPERIENCE,
            Self::Education => &EDUCATION,
        }
    }
}

fn compiled(tails: &[&str]) -> Vec<Regex> {
    let patterns = tails.iter().map(|tail| {
        Regex::new(&format!("(?i){LENGTH}{tail}")).expect("the patterns of lengths are valid")
    });
    patterns.collect()
}

/// Returns the first length of time of a text that is about the topic, as it is written: `Two years`.
pub(crate) fn duration(text: &str, topic: Topic) -> Option<String> {
    for pattern in topic.patterns() {
        let mut from = 0;
        while let Some(found) = pattern.captures_at(text, from) {
            let length = found.name("length")?;
            // A length between this one and the word belongs to the word more than this one does.
            let rest = &text[length.end()..found.get_match().end()];
            let nearer = Topic::Any.patterns()[0].is_match(rest);
            if !nearer {
                return Some(squeezed(length.as_str()));
            }
            from = length.end();
        }
    }
    None
}
