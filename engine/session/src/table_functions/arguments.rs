//! Binds the arguments of the engine's own table functions: by position, or by name.

use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use lakesh_table::Argument;
use lakesh_text::failure::{Failure, FailureKind};

/// The arguments of a call by the places that the function gives them.
pub struct Bound {
    function: &'static str,
    names: &'static [&'static str],
    values: Vec<Option<ScalarValue>>,
}

impl Bound {
    /// Binds arguments to names; the first `required` of them must be there.
    pub fn new(
        function: &'static str,
        names: &'static [&'static str],
        required: usize,
        arguments: Vec<Argument>,
    ) -> Result<Self, Failure> {
        let mut bound = Self {
            function,
            names,
            values: vec![None; names.len()],
        };
        for (position, argument) in arguments.into_iter().enumerate() {
            let place = match &argument.name {
                None => position,
                Some(name) => bound.place_of(name)?,
            };
            match bound.values.get_mut(place) {
                Some(value @ None) => *value = Some(argument.value),
                Some(Some(_)) => {
                    let name = names[place];
                    return Err(bound.wrong(&format!("is given `{name}` twice")));
                }
                None => {
                    return Err(bound.wrong(&format!("takes at most {} arguments", names.len())));
                }
            }
        }
        let missing = bound.values[..required]
            .iter()
            .position(|value| value.as_ref().is_none_or(ScalarValue::is_null));
        match missing {
            Some(place) => Err(bound.wrong(&format!("needs `{}`", names[place]))),
            None => Ok(bound),
        }
    }

    /// Takes the value of an argument; NULL counts as not given.
    pub fn take(&mut self, name: &str) -> Option<ScalarValue> {
        let place = self.names.iter().position(|known| *known == name)?;
        self.values[place].take().filter(|value| !value.is_null())
    }

    /// Returns the name of the function.
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// Takes a text.
    pub fn take_text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.try_as_str().flatten() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(self.wrong(&format!("needs a text as `{name}`"))),
            },
        }
    }

    /// Takes the name of a table: a name as in FROM, or a path.
    pub fn take_table(&mut self) -> Result<ObjectName, Failure> {
        let value = self.take("table");
        let text = value
            .as_ref()
            .and_then(|value| value.try_as_str().flatten());
        match text {
            Some(text) => table_name(text),
            None => Err(self.wrong("needs the name of a table in quotes")),
        }
    }

    /// Takes the names of columns: a list of texts, or one text.
    pub fn take_columns(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        let Some(value) = self.take(name) else {
            return Ok(Vec::new());
        };
        texts(&value)
            .ok_or_else(|| self.wrong(&format!("needs a list of column names as `{name}`")))
    }

    /// Says what is wrong with the call.
    pub fn wrong(&self, problem: &str) -> Failure {
        Failure::new(FailureKind::Plan, format!("`{}` {problem}", self.function))
            .hint(format!("its arguments are {}", self.names.join(", ")))
    }

    fn place_of(&self, name: &str) -> Result<usize, Failure> {
        self.names
            .iter()
            .position(|known| *known == name)
            .ok_or_else(|| self.wrong(&format!("has no argument `{name}`")))
    }
}

/// Reads a table's name from a text; its places in that text mean nothing in the statement.
pub(super) fn table_name(text: &str) -> Result<ObjectName, Failure> {
    let name = match text.contains(['/', '\\']) {
        true => ObjectName::from(vec![Ident::with_quote('\'', text)]),
        false => lakesh_sql::parse_name(text).map_err(Failure::from_error)?,
    };
    let plain = name.0.iter().filter_map(|part| part.as_ident());
    let plain = plain.map(|part| Ident {
        value: part.value.clone(),
        quote_style: part.quote_style,
        span: datafusion::sql::sqlparser::tokenizer::Span::empty(),
    });
    Ok(ObjectName::from(plain.collect::<Vec<_>>()))
}

/// Returns the texts of a list, or one text as a list.
fn texts(value: &ScalarValue) -> Option<Vec<String>> {
    if let Some(text) = value.try_as_str() {
        return Some(vec![text?.to_owned()]);
    }
    let items = match value {
        ScalarValue::List(list) => list.value(0),
        ScalarValue::LargeList(list) => list.value(0),
        ScalarValue::FixedSizeList(list) => list.value(0),
        _ => return None,
    };
    (0..items.len())
        .map(|index| {
            let item = ScalarValue::try_from_array(&items, index).ok()?;
            item.try_as_str().flatten().map(ToOwned::to_owned)
        })
        .collect()
}
