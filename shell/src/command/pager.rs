//! `\pager`: shows results page by page, or no longer.

use async_trait::async_trait;
use lakesh_engine::command::{Arguments, Command, Invocation};
use lakesh_engine::effect::Effect;
use lakesh_engine::event::Summary;
use lakesh_engine::failure::Failure;

use crate::pager::PagerSwitch;

pub(crate) struct SwitchPager {
    switch: PagerSwitch,
}

impl SwitchPager {
    pub(crate) fn new(switch: PagerSwitch) -> Self {
        Self { switch }
    }
}

#[async_trait]
impl Command for SwitchPager {
    fn names(&self) -> &'static [&'static str] {
        &["pager"]
    }

    fn usage(&self) -> &'static str {
        "\\pager [on|off]"
    }

    fn summary(&self) -> &'static str {
        "shows results at the prompt through $PAGER, or directly"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\pager off"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        wanted(invocation).map(|_| ())
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let on = wanted(invocation)?;
        if on.unwrap_or(!self.switch.is_on()) {
            let session = invocation.session();
            // `less` runs other programs and writes files when it is asked to.
            session.require(Effect::RunPrograms, "the pager is refused")?;
        }
        match on {
            Some(on) => self.switch.set(on),
            None => {
                self.switch.set(!self.switch.is_on());
                let state = if self.switch.is_on() { "on" } else { "off" };
                invocation.notice(format!("the pager is {state}")).await?;
            }
        }
        Ok(invocation.done())
    }
}

/// Reads the argument; none turns it over.
fn wanted(invocation: &Invocation) -> Result<Option<bool>, Failure> {
    match invocation
        .argument(0)
        .map(|argument| argument.value.as_str())
    {
        None => Ok(None),
        Some("on") => Ok(Some(true)),
        Some("off") => Ok(Some(false)),
        Some(other) => Err(invocation.wrong(format!("`{other}` is neither `on` nor `off`"))),
    }
}
