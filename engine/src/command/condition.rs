//! `\if`, `\elif`, `\else`, `\endif`: what stands between them runs where the condition holds.
//!
//! A condition is a word such as `true` or `0`, usually a variable's value, as in psql; whatever else is
//! asked of SQL: `select count(*) > 0 as some from t \gset`, then `\if :some`.

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

/// One of the four commands.
pub(super) struct ConditionCommand {
    names: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    examples: &'static [&'static str],
    takes_condition: bool,
    act: fn(&Invocation) -> Result<(), Failure>,
}

pub(super) const IF: ConditionCommand = ConditionCommand {
    names: &["if"],
    usage: "\\if CONDITION",
    summary: "runs what follows, up to `\\elif`, `\\else` or `\\endif`, if the condition is true",
    examples: &[
        "SELECT 1 > 0 AS ready \\gset\n\\if :ready\nSELECT 'go' AS a;\n\\else\nSELECT 'wait' AS a;\n\\endif",
    ],
    takes_condition: true,
    act: |invocation| {
        let session = invocation.session();
        // What is left out is not looked at: its variables need not be there.
        let holds = session.asks_condition(true) && holds(invocation)?;
        session.begin_condition(holds);
        Ok(())
    },
};

pub(super) const ELIF: ConditionCommand = ConditionCommand {
    names: &["elif"],
    usage: "\\elif CONDITION",
    summary: "begins the branch of an `\\if` that runs if no branch before it did and this holds",
    examples: &["\\if false\n\\elif true\nSELECT 1 AS a;\n\\endif"],
    takes_condition: true,
    act: |invocation| {
        let session = invocation.session();
        let holds = session.asks_condition(false) && holds(invocation)?;
        session.next_branch(Some(holds))
    },
};

pub(super) const ELSE: ConditionCommand = ConditionCommand {
    names: &["else"],
    usage: "\\else",
    summary: "begins the branch of an `\\if` that runs if no branch before it did",
    examples: &["\\if false\n\\else\nSELECT 1 AS a;\n\\endif"],
    takes_condition: false,
    act: |invocation| invocation.session().next_branch(None),
};

pub(super) const END: ConditionCommand = ConditionCommand {
    names: &["endif"],
    usage: "\\endif",
    summary: "ends an `\\if`",
    examples: &["\\if true\n\\endif"],
    takes_condition: false,
    act: |invocation| invocation.session().end_condition(),
};

#[async_trait]
impl Command for ConditionCommand {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn usage(&self) -> &'static str {
        self.usage
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn examples(&self) -> &'static [&'static str] {
        self.examples
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(match self.takes_condition {
            true => 1..=1,
            false => 0..=0,
        })
    }

    fn is_condition(&self) -> bool {
        true
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        (self.act)(invocation)?;
        Ok(invocation.done())
    }
}

/// Reads the condition, in the words that psql takes; NULL, an empty word, does not hold.
fn holds(invocation: &Invocation) -> Result<bool, Failure> {
    let Some(argument) = invocation.argument(0) else {
        return Ok(false);
    };
    match argument.value.to_lowercase().as_str() {
        "true" | "t" | "yes" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "off" | "0" | "" => Ok(false),
        other => Err(invocation
            .wrong(format!("`{other}` is neither true nor false"))
            .hint("`SELECT count(*) > 0 AS some FROM t \\gset` sets a variable for `\\if :some`")
            .at(argument.place.clone())),
    }
}
