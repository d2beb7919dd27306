//! Reads expressions. Happens once, when the configuration is read.

use super::{Expr, ExpressionError, Filter, Part, Scope, Source, Step};

/// The parts of a `tpl:` expression.
pub(super) fn compile_parts(
    whole: &str,
    body: &str,
    scope: &Scope<'_>,
) -> Result<Box<[Part]>, ExpressionError> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some((literal, tail)) = rest.split_once('{') {
        let Some((inner, after)) = tail.split_once('}') else {
            return Err(ExpressionError {
                text: whole.to_owned(),
                at: whole.len() - tail.len(),
                problem: "`{` without `}`",
            });
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        parts.push(Part::Value(Expr::compile(inner, scope)?));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts.into())
}

/// Reads an expression from left to right.
pub(in crate::providers) struct Cursor<'t> {
    whole: &'t str,
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    pub(in crate::providers) const fn new(text: &'t str) -> Self {
        Self {
            whole: text,
            rest: text,
        }
    }

    pub(super) fn fail(&self, problem: &'static str) -> ExpressionError {
        ExpressionError {
            text: self.whole.to_owned(),
            at: self.whole.len() - self.rest.len() + 1,
            problem,
        }
    }

    fn eat(&mut self, token: char) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What stands before the next `end`, which is passed over.
    fn until(&mut self, end: char, problem: &'static str) -> Result<&'t str, ExpressionError> {
        let (found, rest) = self
            .rest
            .split_once(end)
            .ok_or_else(|| self.fail(problem))?;
        self.rest = rest;
        Ok(found)
    }

    /// What stands before the next of `ends`, which stays.
    fn word(&mut self, ends: &[char]) -> &'t str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    pub(super) fn source(&mut self, scope: &Scope<'_>) -> Result<Source, ExpressionError> {
        match self.rest.split_once(':') {
            Some((name, rest)) if is_name(name) => {
                let source = scope
                    .find(name)
                    .ok_or_else(|| self.fail("unknown source"))?;
                self.rest = rest;
                Ok(source)
            }
            _ => Ok(scope.main),
        }
    }

    pub(super) fn path(&mut self) -> Result<Vec<Step>, ExpressionError> {
        let mut steps = Vec::new();
        loop {
            if self.eat('[') {
                let inside = self.until(']', "`[` without `]`")?;
                steps.push(match inside.strip_prefix('?') {
                    Some(names) if !names.is_empty() => {
                        Step::FirstWith(names.split('.').map(str::to_owned).collect())
                    }
                    _ => Step::Index(
                        inside
                            .parse()
                            .ok()
                            .ok_or_else(|| self.fail("`[...]` takes a number or `?name`"))?,
                    ),
                });
            } else if self.rest.is_empty() || self.rest.starts_with('|') {
                return Ok(steps);
            } else {
                if !steps.is_empty() && !self.eat('.') {
                    return Err(self.fail("expected `.`, `[` or `|`"));
                }
                steps.push(self.member()?);
            }
        }
    }

    fn member(&mut self) -> Result<Step, ExpressionError> {
        if self.eat('"') {
            return Ok(Step::Member(
                self.until('"', "`\"` is not closed")?.to_owned(),
            ));
        }
        let name = self.word(&['.', '[', '|']);
        match name {
            "" => Err(self.fail("a member name is missing")),
            "*" => Ok(Step::First),
            _ if name.contains(|c: char| c.is_whitespace() || "\":(){}]".contains(c)) => {
                Err(self.fail("a name with such characters must be quoted"))
            }
            _ => Ok(Step::Member(name.to_owned())),
        }
    }

    /// The filters up to the end of the text.
    pub(in crate::providers) fn filters(&mut self) -> Result<Vec<Filter>, ExpressionError> {
        let mut filters = Vec::new();
        while self.eat('|') {
            let name = self.word(&['|', '(']);
            let argument = if self.eat('(') {
                Some(self.until(')', "`(` without `)`")?)
            } else {
                None
            };
            filters.push(Filter::named(name, argument).map_err(|problem| self.fail(problem))?);
        }
        if self.rest.is_empty() {
            Ok(filters)
        } else {
            Err(self.fail("expected `|` or the end"))
        }
    }
}

/// Whether `text` may be the name of a source.
pub(in crate::providers) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
