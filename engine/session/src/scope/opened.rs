//! What stands behind the names of a plan: where tables lie, and of which view a part was made.

use std::sync::Arc;

use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::TableSource;
use lakesh_catalog::definition::{FeatureKeys, ViewDefinition};

/// What a statement has opened, by what the planner makes of it.
#[derive(Default)]
pub struct Opened {
    locations: Vec<(Arc<dyn TableSource>, String)>,
    views: Vec<View>,
    bodies: Vec<Body>,
}

struct View {
    source: Arc<dyn TableSource>,
    shown: String,
    query: String,
    feature: Option<FeatureKeys>,
}

/// A plan that stands in the place of a name.
struct Body {
    key: TableReference,
    source: Arc<dyn TableSource>,
}

impl Opened {
    pub(super) fn note_location(&mut self, source: &Arc<dyn TableSource>, location: String) {
        self.locations.push((Arc::clone(source), location));
    }

    pub(super) fn note_view(
        &mut self,
        source: &Arc<dyn TableSource>,
        shown: String,
        view: &ViewDefinition,
    ) {
        self.views.push(View {
            source: Arc::clone(source),
            shown,
            query: view.query.clone(),
            feature: view.feature.clone(),
        });
    }

    /// Remembers under which name a source is planned; one that is a plan loses its name there.
    pub(super) fn note_key(&mut self, key: &TableReference, source: &Arc<dyn TableSource>) {
        if source.get_logical_plan().is_some() {
            self.bodies.push(Body {
                key: key.clone(),
                source: Arc::clone(source),
            });
        }
    }

    /// Returns where a table lies.
    pub fn location(&self, source: &Arc<dyn TableSource>) -> Option<String> {
        let mut locations = self.locations.iter();
        let found = locations.find(|(known, _)| Arc::ptr_eq(known, source));
        found.map(|(_, location)| location.clone())
    }

    /// Finds the plan that stands in the place of a name, by the name and its columns.
    pub fn body(&self, key: &TableReference, schema: &DFSchema) -> Option<usize> {
        self.bodies.iter().position(|body| {
            let columns = body.source.schema();
            body.key == *key
                && columns.fields().len() == schema.fields().len()
                && columns
                    .fields()
                    .iter()
                    .zip(schema.fields())
                    .all(|(one, other)| one.name() == other.name())
        })
    }

    fn view(&self, body: usize) -> Option<&View> {
        let source = &self.bodies.get(body)?.source;
        self.views
            .iter()
            .find(|view| Arc::ptr_eq(&view.source, source))
    }

    /// Returns the name and the text of the view that a plan was made of.
    pub fn text(&self, body: usize) -> Option<(&str, &str)> {
        let view = self.view(body)?;
        Some((&view.shown, &view.query))
    }

    /// Returns the keys and the time of a feature view.
    pub fn feature(&self, body: usize) -> Option<&FeatureKeys> {
        self.view(body)?.feature.as_ref()
    }
}
