//! `\prompt` and `\secret`: ask the user for the value of a text variable.

use async_trait::async_trait;
use lakesh_engine::command::{Arguments, Command, Invocation};
use lakesh_engine::event::Summary;
use lakesh_engine::failure::Failure;
use lakesh_engine::secret::Secret;

use crate::stdin::Asker;

/// What a command that asks is called, and how it asks.
pub(super) struct Asking {
    names: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    secret: bool,
}

pub(super) static PROMPT: Asking = Asking {
    names: &["prompt"],
    usage: "\\prompt NAME [TEXT…]",
    summary: "asks for the value of a text variable",
    secret: false,
};

pub(super) static SECRET: Asking = Asking {
    names: &["secret"],
    usage: "\\secret NAME [TEXT…]",
    summary: "asks for the value of a text variable without showing what is typed",
    secret: true,
};

/// A command that asks.
pub(super) struct Prompt {
    asker: Asker,
    asking: &'static Asking,
}

impl Prompt {
    pub(super) fn new(asker: Asker, asking: &'static Asking) -> Self {
        Self { asker, asking }
    }
}

#[async_trait]
impl Command for Prompt {
    fn names(&self) -> &'static [&'static str] {
        self.asking.names
    }

    fn usage(&self) -> &'static str {
        self.asking.usage
    }

    fn summary(&self) -> &'static str {
        self.asking.summary
    }

    fn examples(&self) -> &'static [&'static str] {
        &[]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=usize::MAX)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let Some((name, words)) = invocation.arguments().split_first() else {
            return Ok(invocation.done());
        };
        let words: Vec<_> = words.iter().map(|word| word.value.as_str()).collect();
        let prompt = match words.is_empty() {
            true => format!("{}: ", name.value),
            false => format!("{} ", words.join(" ")),
        };
        let answer = self.asker.ask(&prompt, self.asking.secret).await?;
        let session = invocation.session();
        match self.asking.secret {
            true => session.set_secret(&name.value, &Secret::new(answer)),
            false => session.set_variable(&name.value, Some(answer)),
        }
        Ok(invocation.done())
    }
}
