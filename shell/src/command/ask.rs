//! `\prompt`: asks the person at the terminal for a variable's value.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};

use async_trait::async_trait;
use lakesh_engine::command::{Arguments, Command, Invocation};
use lakesh_engine::event::Summary;
use lakesh_engine::failure::{Failure, FailureKind};

use crate::renderer::reason;

pub(crate) struct Ask;

#[async_trait]
impl Command for Ask {
    fn names(&self) -> &'static [&'static str] {
        &["prompt"]
    }

    fn usage(&self) -> &'static str {
        "\\prompt [TEXT] NAME"
    }

    fn summary(&self) -> &'static str {
        "asks for a text variable's value; `\\secret` asks for one that is not shown"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=2)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let (question, name) = match invocation.arguments() {
            [question, name] => (question.value.clone(), &name.value),
            [name] => (format!("{}: ", name.value), &name.value),
            _ => return Err(invocation.wrong("`\\prompt` takes a text and a variable's name")),
        };
        if !io::stdin().is_terminal() {
            return Err(invocation
                .wrong("`\\prompt` needs a terminal")
                .hint(format!("give the value with `-v {name}=…`")));
        }
        let answered = tokio::task::spawn_blocking(move || ask(&question)).await;
        let failed = |message: String| Failure::new(FailureKind::InputOutput, message);
        let answer = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(failed(format!("cannot ask: {}", reason(&error)))),
            Err(_) => return Err(failed("the question was lost".to_owned())),
        };
        invocation.session().set_variable(name, Some(answer));
        Ok(invocation.done())
    }
}

/// Asks at the terminal, wherever results go.
fn ask(question: &str) -> io::Result<String> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    terminal.write_all(question.as_bytes())?;
    terminal.flush()?;
    let mut answer = String::new();
    BufReader::new(terminal).read_line(&mut answer)?;
    Ok(answer.trim_end_matches(['\n', '\r']).to_owned())
}
