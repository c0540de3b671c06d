//! Expressions.

use super::{
    Parser,
    cursor::{Newlines, Open, Parsed, is_ident_start},
};
use crate::ir::{
    BinaryOp, Call, Chain, Expansion, Expr, ExprKind, For, ForResult, Grouping, Item, Link,
    Reference, Step, StepKind, UnaryOp, Variable,
};
use std::{str::FromStr, sync::Arc};
use weir_core::{Number, Span, Value};

/// What steps start from.
enum Head {
    Name(Arc<str>, Span),
    Expr(Expr),
}

/// Whether steps after these belong to each element or to the result as a whole.
#[derive(PartialEq, Eq)]
enum Rest {
    Done,
    /// An index after `.*`: it steps into the result.
    Whole,
}

impl Parser<'_> {
    /// An expression, with its leading space.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.nested(|p| {
            let condition = p.binary()?;
            let end = p.cursor.pos;
            p.cursor.space();
            if !p.cursor.eat("?") {
                p.cursor.pos = end;
                return Ok(condition);
            }
            let if_true = p.expr()?;
            p.cursor.space();
            if !p.cursor.eat(":") {
                let mut error = p
                    .cursor
                    .expected("`:` and the result where the condition is false");
                error.help = Some("A conditional is written `condition ? a : b`.".into());
                return Err(error);
            }
            let if_false = p.expr()?;
            let span = reach(&condition.span, &if_false.span);
            Ok(Expr::new(
                ExprKind::Conditional {
                    condition,
                    if_true,
                    if_false,
                },
                span,
            ))
        })
    }

    /// Runs `f` between brackets, of which the opening one is next.
    pub(super) fn between<T>(
        &mut self,
        what: &'static str,
        newlines: Newlines,
        f: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        self.cursor.open.push(Open {
            what,
            at: self.cursor.pos,
        });
        let before = std::mem::replace(&mut self.cursor.newlines, newlines);
        self.cursor.pos += 1;
        // After an error both stay as they are: recovery looks at them and resets them.
        let result = f(self)?;
        self.cursor.newlines = before;
        self.cursor.open.pop();
        Ok(result)
    }

    fn binary(&mut self) -> Parsed<Expr> {
        let first = self.operand()?;
        self.climb(first, 0)
    }

    /// Gathers operators that bind at least as tightly as `min`, one chain per precedence.
    fn climb(&mut self, mut left: Expr, min: u8) -> Parsed<Expr> {
        while let Some(level) = self.peek_operator().map(|(op, ..)| op.precedence()) {
            if level < min {
                break;
            }
            let mut rest = Vec::new();
            while let Some((op, start, end)) = self.peek_operator() {
                if op.precedence() != level {
                    break;
                }
                self.cursor.pos = end;
                let operand = self.operand()?;
                let operand = self.climb(operand, level + 1)?;
                rest.push(Link {
                    op,
                    op_span: self.cursor.span(start, end),
                    operand,
                });
            }
            let end = rest.last().map_or(&left.span, |link| &link.operand.span);
            let span = reach(&left.span, end);
            left = Expr::new(ExprKind::Binary(Chain { first: left, rest }), span);
        }
        Ok(left)
    }

    /// The operator that comes next, and where it starts and ends.
    fn peek_operator(&mut self) -> Option<(BinaryOp, usize, usize)> {
        let before = self.cursor.pos;
        self.cursor.space();
        let start = self.cursor.pos;
        let bytes = &self.cursor.text.as_bytes()[start..];
        let second = bytes.get(1).copied();
        let op = match (bytes.first().copied(), second) {
            (Some(b'|'), Some(b'|')) => Some(BinaryOp::Or),
            (Some(b'&'), Some(b'&')) => Some(BinaryOp::And),
            (Some(b'='), Some(b'=')) => Some(BinaryOp::Equal),
            (Some(b'!'), Some(b'=')) => Some(BinaryOp::NotEqual),
            (Some(b'<'), Some(b'=')) => Some(BinaryOp::LessOrEqual),
            (Some(b'>'), Some(b'=')) => Some(BinaryOp::GreaterOrEqual),
            (Some(b'<'), Some(b'<')) => None,
            (Some(b'<'), _) => Some(BinaryOp::Less),
            (Some(b'>'), _) => Some(BinaryOp::Greater),
            (Some(b'+'), _) => Some(BinaryOp::Add),
            (Some(b'-'), _) => Some(BinaryOp::Subtract),
            (Some(b'*'), _) => Some(BinaryOp::Multiply),
            (Some(b'/'), _) => Some(BinaryOp::Divide),
            (Some(b'%'), _) => Some(BinaryOp::Modulo),
            _ => None,
        };
        self.cursor.pos = before;
        op.map(|op| (op, start, start + op.symbol().len()))
    }

    /// A term with its unary operators.
    fn operand(&mut self) -> Parsed<Expr> {
        self.cursor.space();
        let start = self.cursor.pos;
        let op = match self.cursor.byte() {
            Some(b'-') => UnaryOp::Negate,
            Some(b'!') => UnaryOp::Not,
            _ => return self.term(),
        };
        self.cursor.pos += 1;
        let operand = self.nested(Parser::operand)?;
        let span = reach(&self.cursor.span(start, start), &operand.span);
        Ok(Expr::new(ExprKind::Unary { op, operand }, span))
    }

    /// A term with the steps after it.
    fn term(&mut self) -> Parsed<Expr> {
        let start = self.cursor.pos;
        let mut head = self.head()?;
        loop {
            let (steps, rest) = self.steps()?;
            let expr = match head {
                Head::Name(root, root_span) => {
                    let end = steps.last().map_or(&root_span, |s| &s.span);
                    let span = reach(&root_span, end);
                    let reference = Reference::of(root.clone(), &steps, span.clone());
                    Expr::new(
                        ExprKind::Variable(Variable {
                            root,
                            root_span,
                            steps,
                            reference,
                        }),
                        span,
                    )
                }
                Head::Expr(source) if steps.is_empty() => source,
                Head::Expr(source) => {
                    let end = steps.last().map_or(&source.span, |s| &s.span);
                    let span = reach(&self.cursor.span(start, start), end);
                    Expr::new(ExprKind::Access { source, steps }, span)
                }
            };
            if rest == Rest::Done {
                return Ok(expr);
            }
            head = Head::Expr(expr);
        }
    }

    fn head(&mut self) -> Parsed<Head> {
        let start = self.cursor.pos;
        Ok(Head::Expr(match self.cursor.peek() {
            Some('"') => self.quoted()?,
            Some('<') if self.cursor.at("<<") => self.heredoc()?,
            Some('0'..='9') => self.number()?,
            Some('(') => {
                let inner = self.between("The parenthesis", Newlines::Skip, |p| {
                    let inner = p.expr()?;
                    p.close(")", "an operator")?;
                    Ok(inner)
                })?;
                Expr::new(
                    ExprKind::Paren(inner),
                    self.cursor.span(start, self.cursor.pos),
                )
            }
            Some('[') => self.list()?,
            Some('{') => self.object()?,
            Some(c) if is_ident_start(c) => return self.name(),
            other => {
                let mut error = self.cursor.expected("an expression");
                error.help = match other {
                    Some('\'') => Some("Strings are written with double quotes: \"text\".".into()),
                    Some('=') => Some("Equality is written `==`.".into()),
                    Some('\n' | '\r') => Some(
                        "An expression ends with its line, unless it stands in brackets.".into(),
                    ),
                    // Something is still open: the value is not what is missing.
                    _ if !error.detail.is_empty() => Some("Close it where it ends.".into()),
                    _ => Some("Write a value here, or remove what asks for one before it.".into()),
                };
                return Err(error);
            }
        }))
    }

    /// Reads the closing bracket; `or` says what else could stand here.
    fn close(&mut self, bracket: &str, or: &str) -> Parsed<()> {
        self.cursor.space();
        if self.cursor.eat(bracket) {
            return Ok(());
        }
        Err(self.cursor.expected_with(
            &format!("{or} or `{bracket}`"),
            &format!("Close it with `{bracket}`."),
        ))
    }

    fn number(&mut self) -> Parsed<Expr> {
        let start = self.cursor.pos;
        let bytes = self.cursor.text.as_bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let mut end = digits(start);
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        self.cursor.pos = end;
        let span = self.cursor.span(start, end);
        if self.cursor.peek().is_some_and(is_ident_start) {
            let error = self
                .cursor
                .error("a number runs into a name", self.cursor.span_here());
            return Err(Box::new(
                (*error).help("Put a space or an operator between them."),
            ));
        }
        match Number::from_str(&self.cursor.text[start..end]) {
            Ok(n) => Ok(Expr::literal(Value::number(n), span)),
            Err(e) => {
                let error = self.cursor.error(e.to_string(), span);
                Err(Box::new(
                    (*error).help("Write a number that is nearer to zero or to one."),
                ))
            }
        }
    }

    /// A name: a keyword, a call, or what steps start from.
    fn name(&mut self) -> Parsed<Head> {
        let start = self.cursor.pos;
        let mut name = self.cursor.ident().unwrap_or_default().to_owned();
        let end = self.cursor.pos;
        let mut after = end;
        loop {
            self.cursor.space();
            if !self.cursor.eat("::") {
                break;
            }
            self.cursor.space();
            match self.cursor.ident() {
                Some(part) => {
                    name.push_str("::");
                    name.push_str(part);
                }
                None => {
                    return Err(self.cursor.expected_with(
                        "the name of a function",
                        "Functions of providers are called as `provider::NAME::FUNCTION(...)`.",
                    ));
                }
            }
            after = self.cursor.pos;
        }
        let name_span = self.cursor.span(start, after);
        self.cursor.pos = after;
        self.cursor.space();
        if self.cursor.at("(") {
            return self.call(name.into(), name_span).map(Head::Expr);
        }
        self.cursor.pos = after;
        if after > end {
            return Err(self.cursor.expected_with(
                "`(` and the function's arguments",
                "Functions of providers are called as `provider::NAME::FUNCTION(...)`.",
            ));
        }
        Ok(match name.as_str() {
            "true" => Head::Expr(Expr::literal(true, name_span)),
            "false" => Head::Expr(Expr::literal(false, name_span)),
            "null" => Head::Expr(Expr::literal(Value::null(), name_span)),
            _ => Head::Name(name.into(), name_span),
        })
    }

    fn call(&mut self, name: Arc<str>, name_span: Span) -> Parsed<Expr> {
        let start = name_span.start;
        let (args, expansion) = self.between("The call", Newlines::Skip, |p| {
            let mut args = Vec::new();
            loop {
                p.cursor.space();
                if p.cursor.eat(")") {
                    return Ok((args, Expansion::Plain));
                }
                args.push(p.expr()?);
                p.cursor.space();
                if p.cursor.eat("...") {
                    p.close(")", "nothing more after `...`")?;
                    return Ok((args, Expansion::Spread));
                }
                if !p.cursor.eat(",") {
                    p.close(")", "`,` and the next argument,")?;
                    return Ok((args, Expansion::Plain));
                }
            }
        })?;
        let span = self.cursor.span(start, self.cursor.pos);
        Ok(Expr::new(
            ExprKind::Call(Call {
                name,
                name_span,
                args,
                expansion,
            }),
            span,
        ))
    }

    /// The steps after a term, each with its leading space.
    fn steps(&mut self) -> Parsed<(Vec<Step>, Rest)> {
        let mut steps: Vec<Step> = Vec::new();
        // After `.*` only names and old-style indexes step into each element.
        let mut attributes_only = false;
        loop {
            let before = self.cursor.pos;
            self.cursor.space();
            let start = self.cursor.pos;
            let kind = if self.cursor.at("[") {
                if attributes_only {
                    self.cursor.pos = before;
                    return Ok((steps, Rest::Whole));
                }
                self.bracketed_step()?
            } else if self.cursor.at(".") && !self.cursor.at("..") {
                self.cursor.pos += 1;
                self.cursor.space();
                if self.cursor.at("*") && attributes_only {
                    let error = self.cursor.error(
                        "`.*` can't stand inside another `.*`",
                        self.cursor.span(start, self.cursor.pos + 1),
                    );
                    return Err(Box::new((*error).help("Use the splat `[*]`.")));
                }
                let kind = self.dotted_step()?;
                attributes_only |= kind == StepKind::Splat;
                kind
            } else {
                self.cursor.pos = before;
                return Ok((steps, Rest::Done));
            };
            steps.push(Step {
                kind,
                span: self.cursor.span(start, self.cursor.pos),
            });
        }
    }

    fn bracketed_step(&mut self) -> Parsed<StepKind> {
        self.between("The index", Newlines::Skip, |p| {
            p.cursor.space();
            if p.cursor.eat("*") {
                p.close("]", "nothing more")?;
                return Ok(StepKind::Splat);
            }
            let index = p.expr()?;
            p.close("]", "an operator")?;
            Ok(StepKind::Index(index))
        })
    }

    fn dotted_step(&mut self) -> Parsed<StepKind> {
        if self.cursor.eat("*") {
            return Ok(StepKind::Splat);
        }
        if let Some(name) = self.cursor.ident() {
            return Ok(StepKind::Attr(name.into()));
        }
        let start = self.cursor.pos;
        let rest = self.cursor.rest();
        let len = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        match Number::from_str(&rest[..len]) {
            Ok(n) if len > 0 => {
                self.cursor.pos += len;
                let after = self.cursor.rest().as_bytes();
                if after.first() == Some(&b'.') && after.get(1).is_some_and(u8::is_ascii_digit) {
                    let span = self.cursor.span(start, self.cursor.pos + 2);
                    let error = self
                        .cursor
                        .error("two indexes in the old form follow each other", span);
                    return Err(Box::new((*error).help("Write them in brackets: `[0][1]`.")));
                }
                let span = self.cursor.span(start, self.cursor.pos);
                Ok(StepKind::Index(Expr::literal(Value::number(n), span)))
            }
            _ => Err(self.cursor.expected_with("the name of an attribute after `.`", "Add the name, or remove the `.`; a key that is no plain word stands in brackets: `x[\"KEY\"]`.")),
        }
    }

    fn list(&mut self) -> Parsed<Expr> {
        let start = self.cursor.pos;
        let kind = self.between("The list", Newlines::Skip, |p| {
            p.cursor.space();
            if p.cursor.peek_ident() == Some("for") {
                return p.for_expr("]");
            }
            let mut items = Vec::new();
            loop {
                p.cursor.space();
                if p.cursor.eat("]") {
                    return Ok(ExprKind::List(items));
                }
                items.push(p.expr()?);
                p.cursor.space();
                if !p.cursor.eat(",") {
                    p.close("]", "`,` and the next element,")?;
                    return Ok(ExprKind::List(items));
                }
            }
        })?;
        Ok(Expr::new(kind, self.cursor.span(start, self.cursor.pos)))
    }

    fn object(&mut self) -> Parsed<Expr> {
        let start = self.cursor.pos;
        let kind = self.between("The object", Newlines::Separate, |p| {
            p.cursor.blank();
            if p.cursor.peek_ident() == Some("for") {
                p.cursor.newlines = Newlines::Skip;
                return p.for_expr("}");
            }
            let mut items = Vec::new();
            loop {
                p.cursor.blank();
                if p.cursor.eat("}") {
                    return Ok(ExprKind::Object(items));
                }
                items.push(p.item()?);
                p.cursor.space();
                if p.cursor.eat(",") || p.cursor.eat_newline() {
                    continue;
                }
                p.close("}", "a new line, `,`")?;
                return Ok(ExprKind::Object(items));
            }
        })?;
        Ok(Expr::new(kind, self.cursor.span(start, self.cursor.pos)))
    }

    fn item(&mut self) -> Parsed<Item> {
        let key = self.expr()?;
        let key = match &*key.kind {
            ExprKind::Variable(v) if v.steps.is_empty() => {
                Expr::literal(&*v.root.clone(), key.span.clone())
            }
            // The keywords are names in this place.
            ExprKind::Literal(v) if v.is_null() => Expr::literal("null", key.span.clone()),
            ExprKind::Literal(v) if v.as_bool().is_some() => {
                let name = if v.as_bool() == Some(true) {
                    "true"
                } else {
                    "false"
                };
                Expr::literal(name, key.span.clone())
            }
            _ => key,
        };
        self.cursor.space();
        if !(self.cursor.eat("=") || self.cursor.eat(":")) {
            let mut error = self.cursor.expected("`=` and the value of this key");
            error.help = Some("An entry is written `key = value`.".into());
            return Err(error);
        }
        let value = self.expr()?;
        Ok(Item { key, value })
    }

    fn for_expr(&mut self, bracket: &str) -> Parsed<ExprKind> {
        self.cursor.ident();
        let (key, value) = self.for_names()?;
        let collection = self.expr()?;
        self.cursor.space();
        if !self.cursor.eat(":") {
            let mut error = self.cursor.expected("`:` and what is made of each element");
            error.help =
                Some("Write `[for x in list : x]` or `{for k, v in map : k => v}`.".into());
            return Err(error);
        }
        let first = self.expr()?;
        self.cursor.space();
        let result = if bracket == "}" {
            if !self.cursor.eat("=>") {
                let mut error = self.cursor.expected("`=>` and the value of each key");
                error.help = Some("Between braces, write `{for k, v in map : k => v}`.".into());
                return Err(error);
            }
            let value = self.expr()?;
            self.cursor.space();
            let grouping = if self.cursor.eat("...") {
                Grouping::Grouped
            } else {
                Grouping::Unique
            };
            ForResult::Object {
                key: first,
                value,
                grouping,
            }
        } else {
            if self.cursor.at("=>") {
                let mut error = self.cursor.expected("`if` or `]`");
                error.help = Some("To make an object, put the `for` between braces.".into());
                return Err(error);
            }
            ForResult::List(first)
        };
        self.cursor.space();
        let condition = if self.cursor.peek_ident() == Some("if") {
            self.cursor.ident();
            Some(self.expr()?)
        } else {
            None
        };
        self.close(bracket, "`if`")?;
        Ok(ExprKind::For(For {
            key,
            value,
            collection,
            result,
            condition,
        }))
    }

    /// `k, v in` or `v in`, after the word `for`.
    pub(super) fn for_names(&mut self) -> Parsed<(Option<Arc<str>>, Arc<str>)> {
        let mut names: Vec<Arc<str>> = Vec::new();
        loop {
            self.cursor.space();
            match self.cursor.ident() {
                Some(name) => names.push(name.into()),
                None => {
                    return Err(self.cursor.expected_with(
                        "a name for each element",
                        "Write `for NAME in COLLECTION`, or `for KEY, VALUE in COLLECTION`.",
                    ));
                }
            }
            self.cursor.space();
            if names.len() == 2 || !self.cursor.eat(",") {
                break;
            }
        }
        self.cursor.space();
        if self.cursor.peek_ident() != Some("in") {
            return Err(self.cursor.expected_with(
                "`in` and the collection",
                "Write `for NAME in COLLECTION`, or `for KEY, VALUE in COLLECTION`.",
            ));
        }
        self.cursor.ident();
        let value = names.pop().unwrap_or_else(|| "".into());
        Ok((names.pop(), value))
    }
}

/// From where one thing starts to where another ends. Spans are places in the file, which are not
/// places in the text where a JSON file holds it.
fn reach(from: &Span, to: &Span) -> Span {
    Span {
        end: to.end.max(from.end),
        ..from.clone()
    }
}
