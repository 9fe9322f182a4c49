//! Which hints had an effect, and what is said of the others.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lakesh_text::failure::noted;
use lakesh_text::input::Substituted;
use lakesh_text::source::Place;

use super::comment::HintComments;

/// A hint, or one relation of it, and what became of it.
#[derive(Debug)]
pub(crate) struct HintUse {
    /// As the user wrote it.
    text: String,
    /// Where it stands in the user's input; `None` in a view.
    place: Option<Place>,
    /// The view that it stands in.
    view: Option<String>,
    fate: Mutex<Fate>,
}

#[derive(Debug, Default)]
struct Fate {
    /// Whether a physical plan was made in which it could have had an effect.
    planned: bool,
    used: bool,
    reason: Option<String>,
}

impl HintUse {
    /// A word of SQL that has its effect as a hint has; nothing is ever said of it.
    pub(super) fn of_syntax() -> Arc<Self> {
        let fate = Fate {
            used: true,
            ..Fate::default()
        };
        Arc::new(Self {
            text: String::new(),
            place: None,
            view: None,
            fate: Mutex::new(fate),
        })
    }

    /// It had its effect.
    pub(super) fn succeeded(&self) {
        self.fate().used = true;
    }

    /// A physical plan with it was made.
    pub(super) fn was_planned(&self) {
        self.fate().planned = true;
    }

    /// It could not have its effect.
    pub(super) fn refuse(&self, reason: impl Into<String>) {
        let mut fate = self.fate();
        fate.planned = true;
        fate.reason.get_or_insert(reason.into());
    }

    fn fate(&self) -> MutexGuard<'_, Fate> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is to be said of it, if anything.
    fn complaint(&self) -> Option<String> {
        let fate = self.fate();
        if fate.used || !fate.planned {
            return None;
        }
        let reason = fate.reason.as_deref();
        let reason = reason.unwrap_or("no join of the plan has this relation on one of its sides");
        let text = &self.text;
        let message = match &self.view {
            Some(view) => format!("hint `{text}` in view `{view}` has no effect: {reason}"),
            None => format!("hint `{text}` has no effect: {reason}"),
        };
        Some(noted(&message, self.place.as_ref()))
    }
}

/// The hints of one statement; clones share them.
#[derive(Debug, Clone, Default)]
pub struct HintUses(Arc<Mutex<Vec<Arc<HintUse>>>>);

impl HintUses {
    /// Adds a hint of the statement, or of a view.
    pub(super) fn add(
        &self,
        text: &str,
        at: Range<usize>,
        source: &HintSource<'_>,
    ) -> Arc<HintUse> {
        let (place, view) = match source {
            HintSource::Statement(statement) => (Some(statement.original(at)), None),
            HintSource::View { name, .. } => (None, Some((*name).to_owned())),
        };
        let added = Arc::new(HintUse {
            text: text.to_owned(),
            place,
            view,
            fate: Mutex::default(),
        });
        self.lock().push(Arc::clone(&added));
        added
    }

    /// Takes what is to be said of hints without effect, each once.
    pub fn take_complaints(&self) -> Vec<String> {
        let uses = std::mem::take(&mut *self.lock());
        let mut complaints = Vec::new();
        for complaint in uses.iter().filter_map(|found| found.complaint()) {
            if !complaints.contains(&complaint) {
                complaints.push(complaint);
            }
        }
        complaints
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<HintUse>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text in which hints stand.
pub enum HintSource<'a> {
    /// The text of the statement itself.
    Statement(&'a Substituted),
    /// The text of a view.
    /// The text of a view.
    View {
        /// The view.
        name: &'a str,
        /// What it says.
        text: &'a str,
    },
}

impl HintSource<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Statement(statement) => &statement.text,
            Self::View { text, .. } => text,
        }
    }
}

/// Says of hint comments that stand where nothing reads them that they do.
pub fn strays(statement: &Substituted) -> Vec<String> {
    let found = HintComments::find(&statement.text);
    let say = |at: Range<usize>| {
        let message = "this hint has no effect: a hint stands directly behind SELECT";
        noted(message, Some(&statement.original(at)))
    };
    found.strays.into_iter().map(say).collect()
}
