//! `\chart`: a picture of the last result or of a query, made of few points.
//!
//! The same command draws with Vega-Lite and SVG in a notebook and with letters in the terminal.

mod points;
mod query;
mod request;
mod svg;
mod text;
mod vega;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use lakesh_engine::command::{Arguments, Command, Invocation};
use lakesh_engine::event::{Event, Summary};
use lakesh_engine::failure::{Failure, FailureKind, Subject};
use lakesh_engine::input::{self, Cell, SplitOptions};
use lakesh_engine::source::{Place, Source};

use crate::output::Bundle;
use points::Points;
use request::Request;

pub(crate) use points::rounded;
pub(crate) use svg::{COLOURS, MEDIA_TYPE as SVG};
pub(crate) use vega::MEDIA_TYPE as VEGA_LITE;

/// What the query of a chart is called, so that its columns have the names that its result has.
const ROWS: &str = "_chart_rows";

/// Charts that a notebook is to show next.
#[derive(Clone, Default)]
pub(crate) struct Charts(Arc<Mutex<Vec<Bundle>>>);

impl Charts {
    /// Takes the charts that were drawn since.
    pub(crate) fn take(&self) -> Vec<Bundle> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, bundle: Bundle) {
        let mut charts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        charts.push(bundle);
    }
}

/// The command.
#[derive(Default)]
pub(crate) struct Chart {
    /// Where pictures go; `None` draws with letters.
    pub(crate) charts: Option<Charts>,
}

/// Returns the command for a terminal.
pub fn chart_command() -> Arc<dyn Command> {
    Arc::new(Chart::default())
}

#[async_trait]
impl Command for Chart {
    fn names(&self) -> &'static [&'static str] {
        &["chart"]
    }

    fn usage(&self) -> &'static str {
        "\\chart KIND x=… [y=…] [color=…] [facet=…] [QUERY]"
    }

    fn summary(&self) -> &'static str {
        "draws the last result or a query: bar, line, area, scatter, histogram, heatmap, box"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\chart bar x=n y=n SELECT value AS n FROM range(5)"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Text
    }

    fn takes_statement(&self) -> bool {
        true
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        Request::parse(invocation.text()).map(drop)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let request = Request::parse(invocation.text())?;
        let source = self.source(&request, invocation)?;
        let mut points = fetch(invocation, query::query(&request, source)).await?;
        points.separate(request.kind.separate());
        let drawn = text::draw(&request, &points);
        match &self.charts {
            None => invocation.print(drawn).await?,
            Some(charts) => {
                let mut bundle = Bundle::default();
                let specification = vega::specification(&request, &points);
                bundle.add(vega::MEDIA_TYPE, specification, drawn.len());
                let picture = svg::draw(&request, &points);
                bundle.add(svg::MEDIA_TYPE, picture.into(), drawn.len());
                bundle.add("text/plain", drawn.into(), 0);
                charts.add(bundle);
            }
        }
        Ok(invocation.done())
    }
}

impl Chart {
    /// What stands behind FROM: the query, the notebook's last result, or the prompt's last statement.
    fn source(&self, request: &Request, invocation: &Invocation) -> Result<&'static str, Failure> {
        let session = invocation.session();
        let query = match &request.query {
            Some(query) => only_query(query, invocation)?,
            None if self.charts.is_some() => return Ok("_"),
            None => session.previous_statement().ok_or_else(|| {
                invocation
                    .wrong("there is no result to draw")
                    .hint("run a query first, or write one behind the columns")
            })?,
        };
        session.name_query(ROWS, &query)?;
        Ok(ROWS)
    }
}

/// Finds the query in what stands behind the columns: without its `;` and what follows.
fn only_query(text: &str, invocation: &Invocation) -> Result<Place, Failure> {
    let source = Source::new("\\chart", text);
    let mut cells = input::cells(&source, SplitOptions::default());
    match (cells.next().transpose()?, cells.next()) {
        (Some(Cell::Statement { place, .. }), None) => Ok(place),
        _ => Err(invocation.wrong("a chart has one query")),
    }
}

/// Runs the chart's query.
async fn fetch(invocation: &Invocation, sql: String) -> Result<Points, Failure> {
    let source = Source::new("\\chart", sql);
    let statement = Place::new(&source, 0..source.text.len());
    let mut events = invocation.session().run_aside(statement);
    let (mut schema, mut batches) = (None, Vec::new());
    while let Some(event) = events.next().await {
        match event {
            Event::Schema(found) => schema = Some(found),
            Event::Batch(batch) => batches.push(batch),
            Event::Failed(mut failure) => {
                // Place and name are of a text that the user never saw.
                if let Some(Subject::InView { view, message }) = failure.subject()
                    && view == ROWS
                {
                    let message = message.clone();
                    failure.message = message;
                }
                failure.place = Some(invocation.place().clone());
                return Err(failure);
            }
            _ => {}
        }
    }
    let points = schema.and_then(|schema| Points::read(&schema, &batches));
    points.ok_or_else(|| Failure::new(FailureKind::Execution, "the chart's rows cannot be drawn"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
