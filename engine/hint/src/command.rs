//! `\apply`: runs what a hint suggests.

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::LastHint;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

/// `\apply`.
pub struct Apply;

#[async_trait]
impl Command for Apply {
    fn names(&self) -> &'static [&'static str] {
        &["apply"]
    }

    fn usage(&self) -> &'static str {
        "\\apply N [--print]"
    }

    fn summary(&self) -> &'static str {
        "runs the remedy of hint N of the last EXPLAIN HINTS; --print shows its SQL instead"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "CREATE TABLE t AS SELECT value % 7 AS k FROM generate_series(1, 1000);\n\
           EXPLAIN HINTS SELECT DISTINCT k, count(*) AS n FROM t GROUP BY k;\n\\apply 1 --print\n\\apply 1",
        ]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=2)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        wanted(invocation).map(drop)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let (number, print) = wanted(invocation)?;
        let hint = find(invocation, number)?;
        if print {
            invocation.print(format!("{};\n", hint.statement)).await?;
            return Ok(invocation.done());
        }
        if let Some(objection) = &hint.objection {
            let message = format!("hint {number} ({}) is not applied: {objection}", hint.rule);
            let advice =
                format!("\\apply {number} --print shows the SQL, which can be run by hand");
            return Err(invocation.wrong(message).hint(advice));
        }
        if !hint.was_verified {
            invocation
                .notice("this remedy was not measured; EXPLAIN HINTS VERIFY does that")
                .await?;
        }
        invocation.run_statement(hint.statement).await
    }
}

fn wanted(invocation: &Invocation) -> Result<(usize, bool), Failure> {
    let text = invocation
        .argument(0)
        .map_or("", |argument| &argument.value);
    let number = text.parse::<usize>().ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| {
        let message = format!("`{text}` is not the number of a hint");
        invocation
            .wrong(message)
            .hint("EXPLAIN HINTS numbers its rows from 1")
    })?;
    match invocation
        .argument(1)
        .map(|argument| argument.value.as_str())
    {
        None => Ok((number, false)),
        Some("--print") => Ok((number, true)),
        Some(other) => Err(invocation
            .wrong(format!("unknown option `{other}`"))
            .hint("usage: \\apply N [--print]")),
    }
}

fn find(invocation: &Invocation, number: usize) -> Result<LastHint, Failure> {
    let hints = invocation.session().last_hints();
    let Some(hint) = hints.0.get(number - 1) else {
        let message = match hints.0.len() {
            0 => "there are no hints to apply".to_owned(),
            count => format!("there is no hint {number}, only {count}"),
        };
        return Err(invocation.wrong(message).hint("run EXPLAIN HINTS first"));
    };
    hint.clone()
        .ok_or_else(|| invocation.wrong(format!("hint {number} has no remedy that could be run")))
}
