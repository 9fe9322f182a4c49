//! What `*` and COLUMNS(…) stand for.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, ExcludeSelectItem, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, ObjectName, Query, RenameSelectItem, SelectItem,
    SelectItemQualifiedWildcardKind, Spanned, Value, Visit, VisitMut, Visitor, VisitorMut,
    WildcardAdditionalOptions, visit_expressions_mut,
};
use datafusion::sql::sqlparser::tokenizer::Location;
use lakesh_sql::{Meaning, identifiers, meaning, syntax_error};

use super::columns::{Column, Columns};
use super::select::is_given_by_the_parser;
use super::{Level, Names, Resolved, looked_up, quoted, spell_as};

impl Names<'_> {
    /// Spells the names in the options of `*`; returns the columns that it stands for.
    pub(super) fn wildcard(
        &mut self,
        options: &mut WildcardAdditionalOptions,
        table: Option<&str>,
    ) -> Resolved<Columns> {
        let visible = self.visible(table);
        let spell = |names: &Self, word: &mut Ident| {
            let wanted = looked_up(word);
            names.spelled(word, visible.column(&wanted)).map(drop)
        };
        let mut excluded = Vec::new();
        let single = |name: &mut ObjectName| -> Resolved {
            if let [part] = name.0.as_slice()
                && let Some(mut word) = part.as_ident().cloned()
            {
                spell(self, &mut word)?;
                excluded.push(looked_up(&word));
                *name = ObjectName::from(vec![word]);
            }
            Ok(())
        };
        match &mut options.opt_exclude {
            None => {}
            Some(ExcludeSelectItem::Single(name)) => {
                let mut single = single;
                single(name)?;
            }
            Some(ExcludeSelectItem::Multiple(names)) => names.iter_mut().try_for_each(single)?,
        }
        if let Some(except) = &mut options.opt_except {
            for word in
                std::iter::once(&mut except.first_element).chain(&mut except.additional_elements)
            {
                spell(self, word)?;
                excluded.push(looked_up(word));
            }
        }
        for item in options
            .opt_replace
            .iter_mut()
            .flat_map(|replace| &mut replace.items)
        {
            spell(self, &mut item.column_name)?;
            self.expression(&mut item.expr)?;
        }
        let mut shown = visible;
        shown.list.retain(|column| !excluded.contains(&column.name));
        Ok(shown)
    }

    /// Returns the columns that `*` or `table.*` stands for at the level that is walked.
    fn visible(&self, table: Option<&str>) -> Columns {
        let Some(level) = self.levels.last() else {
            return Columns::unknown();
        };
        let shown = level.columns.shown(table).into_iter().cloned();
        Columns {
            list: shown.collect(),
            is_open: level.columns.is_open,
        }
    }

    /// Spells the table of `table.*`.
    pub(super) fn table_of_wildcard(&self, name: &mut ObjectName) -> Resolved<Option<String>> {
        let Some(mut parts) = identifiers(name) else {
            return Ok(None);
        };
        let Some(level) = self.levels.last() else {
            return Ok(None);
        };
        let Some(word) = parts.last_mut() else {
            return Ok(None);
        };
        let found = level.columns.table(&looked_up(word));
        if !self.spelled(word, found)? {
            return Ok(None);
        }
        let table = looked_up(word);
        *name = ObjectName::from(parts);
        Ok(Some(table))
    }

    /// Writes out the items that stand for several columns and that the planner does not know.
    pub(super) fn expand_items(
        &mut self,
        items: &mut Vec<SelectItem>,
        columns: &Columns,
    ) -> Resolved {
        let mut expanded = Vec::with_capacity(items.len());
        for item in std::mem::take(items) {
            match item {
                SelectItem::Wildcard(options) if is_special(&options) => {
                    self.star(options, None, columns, &mut expanded)?;
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(mut name),
                    options,
                ) if is_special(&options) => {
                    let level = Level::of(columns.clone());
                    let table = self.within(level, |names| names.table_of_wildcard(&mut name))?;
                    let table = table.ok_or_else(|| {
                        syntax_error(&format!("table `{name}` not found"), name.span().start)
                    })?;
                    self.star(options, Some(table), columns, &mut expanded)?;
                }
                SelectItem::UnnamedExpr(expression) => {
                    self.expand_item(expression, None, columns, &mut expanded)?;
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.expand_item(expr, Some(alias), columns, &mut expanded)?;
                }
                other => expanded.push(other),
            }
        }
        *items = expanded;
        Ok(())
    }

    /// Writes `*` with RENAME or ILIKE out.
    fn star(
        &mut self,
        mut options: WildcardAdditionalOptions,
        table: Option<String>,
        columns: &Columns,
        expanded: &mut Vec<SelectItem>,
    ) -> Resolved {
        let place = options.wildcard_token.0.span.start;
        let level = Level::of(columns.clone());
        let shown = self.within(level, |names| {
            names.wildcard(&mut options, table.as_deref())
        })?;
        refuse_open(&shown, place)?;
        let mut renamed = Vec::new();
        let renames = match options.opt_rename {
            None => Vec::new(),
            Some(RenameSelectItem::Single(item)) => vec![item],
            Some(RenameSelectItem::Multiple(items)) => items,
        };
        for mut item in renames {
            let wanted = looked_up(&item.ident);
            if !self.spelled(&mut item.ident, shown.column(&wanted))? {
                return Err(not_found(&item.ident));
            }
            renamed.push((looked_up(&item.ident), looked_up(&item.alias)));
        }
        let replaced: Vec<(String, Expr)> = options
            .opt_replace
            .iter()
            .flat_map(|replace| &replace.items)
            .map(|item| (looked_up(&item.column_name), item.expr.clone()))
            .collect();
        for column in &shown.list {
            if let Some(like) = &options.opt_ilike
                && !self.fits(&column.name, &like.pattern)?
            {
                continue;
            }
            let replacement = replaced.iter().find(|(name, _)| *name == column.name);
            let expr = replacement.map_or_else(|| written(column), |(_, expr)| expr.clone());
            let name = renamed.iter().find(|(name, _)| *name == column.name);
            let name = name.map_or(&column.name, |(_, name)| name);
            expanded.push(SelectItem::ExprWithAlias {
                expr,
                alias: quoted(name),
            });
        }
        Ok(())
    }

    /// Says whether a column's name fits a pattern of ILIKE.
    fn fits(&self, name: &str, pattern: &str) -> Resolved<bool> {
        self.knowledge.holds(&Expr::ILike {
            negated: false,
            any: false,
            expr: Box::new(text(name)),
            pattern: Box::new(text(pattern)),
            escape_char: None,
        })
    }

    /// Writes an item with COLUMNS(…) in it once for each column.
    fn expand_item(
        &mut self,
        expression: Expr,
        alias: Option<Ident>,
        columns: &Columns,
        expanded: &mut Vec<SelectItem>,
    ) -> Resolved {
        let Some(selected) = self.selected(&expression, columns)? else {
            expanded.push(match alias {
                None => SelectItem::UnnamedExpr(expression),
                Some(alias) => SelectItem::ExprWithAlias {
                    expr: expression,
                    alias,
                },
            });
            return Ok(());
        };
        let own = alias.filter(|alias| !is_given_by_the_parser(alias));
        if let Some(alias) = &own
            && selected.len() > 1
        {
            let message = format!(
                "COLUMNS stands for {} columns, which cannot all be called `{}`; leave the name out",
                selected.len(),
                alias.value
            );
            return Err(syntax_error(&message, alias.span.start));
        }
        for column in selected {
            let expr = with_column(&expression, &column);
            let alias =
                own.clone().unwrap_or_else(|| {
                    let is_taken = expanded.iter().any(|item| matches!(
                    item,
                    SelectItem::ExprWithAlias { alias, .. } if looked_up(alias) == column.name
                ));
                    match is_taken {
                        false => quoted(&column.name),
                        true => quoted(&with_name(&expression, &column).to_string()),
                    }
                });
            expanded.push(SelectItem::ExprWithAlias { expr, alias });
        }
        Ok(())
    }

    /// Writes a condition with COLUMNS(…) in it as one that holds for every column.
    pub(super) fn expand_condition(&mut self, condition: &mut Expr, columns: &Columns) -> Resolved {
        let Some(selected) = self.selected(condition, columns)? else {
            return Ok(());
        };
        let all = selected
            .iter()
            .map(|column| Expr::Nested(Box::new(with_column(condition, column))))
            .reduce(|left, right| Expr::BinaryOp {
                left: Box::new(left),
                op: BinaryOperator::And,
                right: Box::new(right),
            });
        if let Some(all) = all {
            *condition = all;
        }
        Ok(())
    }

    /// Returns the columns that COLUMNS(…) in an expression stands for; nothing where there is none.
    fn selected(&mut self, expression: &Expr, columns: &Columns) -> Resolved<Option<Vec<Column>>> {
        let mut calls = Calls::default();
        // The walk never breaks off.
        let _: ControlFlow<()> = Visit::visit(expression, &mut calls);
        let Some(first) = calls.found.first() else {
            return Ok(None);
        };
        let place = first.name.span().start;
        if calls
            .found
            .iter()
            .any(|call| call.to_string() != first.to_string())
        {
            return Err(syntax_error(
                "two different COLUMNS(…) in one expression are not supported",
                place,
            ));
        }
        let argument = match &first.args {
            FunctionArguments::List(list) => match list.args.as_slice() {
                [FunctionArg::Unnamed(argument)] => argument.clone(),
                _ => return Err(usage(place)),
            },
            _ => return Err(usage(place)),
        };
        let selected = self.selected_by(argument, columns, place)?;
        if selected.is_empty() {
            return Err(syntax_error(
                &format!("`{first}` stands for no column"),
                place,
            ));
        }
        Ok(Some(selected))
    }

    fn selected_by(
        &mut self,
        argument: FunctionArgExpr,
        columns: &Columns,
        place: Location,
    ) -> Resolved<Vec<Column>> {
        refuse_open(columns, place)?;
        let all: Vec<Column> = columns.shown(None).into_iter().cloned().collect();
        let condition: Box<dyn Fn(&str) -> Expr> = match argument {
            FunctionArgExpr::Wildcard => return Ok(all),
            FunctionArgExpr::QualifiedWildcard(mut name) => {
                let level = Level::of(columns.clone());
                let table = self.within(level, |names| names.table_of_wildcard(&mut name))?;
                let table = table.ok_or_else(|| usage(place))?;
                let shown = columns.shown(Some(&table));
                return Ok(shown.into_iter().cloned().collect());
            }
            FunctionArgExpr::WildcardWithOptions(mut options) => {
                if options.opt_replace.is_some() || options.opt_rename.is_some() {
                    let message = "COLUMNS takes * with EXCLUDE or ILIKE only";
                    return Err(syntax_error(message, place));
                }
                let level = Level::of(columns.clone());
                let shown = self.within(level, |names| names.wildcard(&mut options, None))?;
                let mut kept = Vec::new();
                for column in shown.list {
                    let fits = match &options.opt_ilike {
                        None => true,
                        Some(like) => self.fits(&column.name, &like.pattern)?,
                    };
                    if fits {
                        kept.push(column);
                    }
                }
                return Ok(kept);
            }
            FunctionArgExpr::Expr(Expr::Array(array)) => {
                return self.listed(&array.elem, &all, place);
            }
            // How the parser writes a list.
            FunctionArgExpr::Expr(Expr::Function(call))
                if call.name.to_string() == "make_array" =>
            {
                let FunctionArguments::List(list) = &call.args else {
                    return Err(usage(place));
                };
                let values = list.args.iter().map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
                    _ => None,
                });
                let values: Option<Vec<Expr>> = values.collect();
                let values = values.ok_or_else(|| usage(place))?;
                return self.listed(&values, &all, place);
            }
            FunctionArgExpr::Expr(Expr::Value(value)) => {
                let Some(pattern) = value.value.clone().into_string() else {
                    return Err(usage(place));
                };
                Box::new(move |name: &str| matches_pattern(name, &pattern))
            }
            FunctionArgExpr::Expr(written) => {
                // The arrow is an operator, too.
                let written = lakesh_function::lambda(&written).unwrap_or(written);
                let Expr::Lambda(lambda) = written else {
                    return Err(usage(place));
                };
                let [parameter] = &*lambda.params else {
                    return Err(usage(place));
                };
                let parameter = looked_up(&parameter.name);
                let body = *lambda.body;
                Box::new(move |name: &str| with_parameter(&body, &parameter, name))
            }
        };
        let mut kept = Vec::new();
        for column in all {
            if self.knowledge.holds(&condition(&column.name))? {
                kept.push(column);
            }
        }
        Ok(kept)
    }

    /// Finds the columns of a list of names.
    fn listed(&self, names: &[Expr], all: &[Column], place: Location) -> Resolved<Vec<Column>> {
        let mut selected = Vec::new();
        for name in names {
            let wanted = match name {
                Expr::Value(value) => value.value.clone().into_string(),
                _ => None,
            };
            let Some(wanted) = wanted else {
                return Err(usage(place));
            };
            let mut word = Ident::with_span(name.span(), &wanted);
            match meaning(all.iter().map(|column| column.name.as_str()), &wanted) {
                Meaning::Exact => word.quote_style = Some('"'),
                Meaning::Folded(found) if !self.is_strict => spell_as(&mut word, found),
                _ => return Err(not_found(&word)),
            }
            let found = all.iter().find(|column| column.name == word.value);
            selected.extend(found.cloned());
        }
        Ok(selected)
    }
}

fn is_special(options: &WildcardAdditionalOptions) -> bool {
    options.opt_rename.is_some() || options.opt_ilike.is_some()
}

pub(super) fn refuse_open(columns: &Columns, place: Location) -> Resolved {
    match columns.is_open {
        false => Ok(()),
        true => Err(syntax_error(
            "the columns are not known here before the query is planned; name them",
            place,
        )),
    }
}

fn usage(place: Location) -> datafusion::common::DataFusionError {
    syntax_error(
        "COLUMNS takes '*', a pattern, a list of names or a lambda: COLUMNS(*), COLUMNS('a.*'), COLUMNS(['a', 'b']), COLUMNS(c -> c LIKE 'a%')",
        place,
    )
}

fn not_found(word: &Ident) -> datafusion::common::DataFusionError {
    syntax_error(
        &format!("column `{}` not found", word.value),
        word.span.start,
    )
}

/// Writes a column by its table and its name.
pub(super) fn written(column: &Column) -> Expr {
    let name = quoted(&column.name);
    match &column.table {
        Some(table) if !column.is_merged && !column.is_key => {
            Expr::CompoundIdentifier(vec![quoted(table), name])
        }
        _ => Expr::Identifier(name),
    }
}

pub(super) fn text(value: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(value.to_owned()))
}

/// Writes `'name' ~ 'pattern'`.
fn matches_pattern(name: &str, pattern: &str) -> Expr {
    Expr::BinaryOp {
        left: Box::new(text(name)),
        op: BinaryOperator::PGRegexMatch,
        right: Box::new(text(pattern)),
    }
}

fn with_parameter(body: &Expr, parameter: &str, name: &str) -> Expr {
    let mut body = body.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut body, |node| {
        if matches!(node, Expr::Identifier(word) if looked_up(word) == parameter) {
            *node = text(name);
        }
        ControlFlow::Continue(())
    });
    body
}

/// Puts a column into the place of COLUMNS(…).
fn with_column(expression: &Expr, column: &Column) -> Expr {
    put(expression, &written(column))
}

/// Puts a column's name into the place of COLUMNS(…), to be read.
fn with_name(expression: &Expr, column: &Column) -> Expr {
    put(expression, &Expr::Identifier(Ident::new(&column.name)))
}

fn put(expression: &Expr, value: &Expr) -> Expr {
    let mut expression = expression.clone();
    let mut putter = Putter { value, depth: 0 };
    let _: ControlFlow<()> = VisitMut::visit(&mut expression, &mut putter);
    expression
}

/// Says whether a call is COLUMNS(…).
pub(super) fn is_columns(function: &Function) -> bool {
    matches!(
        function.name.0.as_slice(),
        [only] if only.as_ident().is_some_and(|name| {
            name.quote_style.is_none() && name.value.eq_ignore_ascii_case("columns")
        })
    )
}

/// Finds COLUMNS(…), but not in subqueries.
#[derive(Default)]
struct Calls {
    found: Vec<Function>,
    depth: usize,
}

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expression
            && self.depth == 0
            && is_columns(function)
        {
            self.found.push(function.clone());
        }
        ControlFlow::Continue(())
    }
}

struct Putter<'a> {
    value: &'a Expr,
    depth: usize,
}

impl VisitorMut for Putter<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0 && matches!(expression, Expr::Function(function) if is_columns(function))
        {
            *expression = self.value.clone();
        }
        ControlFlow::Continue(())
    }
}
