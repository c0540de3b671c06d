//! What went wrong, as data: what, where, why and what to do next.

use crate::address::Address;
use std::{fmt, sync::Arc};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The run can't go on to apply.
    Error,
    /// Worth knowing.
    Warning,
}

/// A place in a source file. Offsets are bytes; lines and columns count from 1, columns in
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file, as the user would name it (relative to the stack's folder).
    pub file: Arc<str>,
    /// First byte.
    pub start: usize,
    /// First byte after.
    pub end: usize,
    /// Line of the first byte.
    pub line: u32,
    /// Column of the first byte.
    pub column: u32,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The lines of source a diagnostic points at, carried along so that a renderer needs no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// Number of the first line.
    pub first_line: u32,
    /// The lines' text, without the line ends.
    pub lines: Vec<String>,
    /// Where the underline starts: columns in characters, from 1, on the first line.
    pub underline_start: u32,
    /// The first column after the underline, on the last line.
    pub underline_end: u32,
    /// Where the span ends, which may be below the last line that is shown: the line, and the first
    /// column after it.
    pub end: (u32, u32),
    /// The header of the outermost block around it: `resource "aws_instance" "web"`.
    pub context: Option<String>,
}

/// One message to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// What happened, the object first, one line, no full stop.
    pub summary: String,
    /// Why; one or more sentences. Empty where the summary says it all.
    pub detail: String,
    /// What to do next.
    pub help: Option<String>,
    /// Where in the configuration.
    pub span: Option<Span>,
    /// The source there.
    pub snippet: Option<Snippet>,
    /// Which instance.
    pub address: Option<Address>,
    /// Values of the names that take part: `("var.n", "3")`; sensitive ones redacted.
    pub values: Vec<(String, String)>,
    /// Whether the same call may succeed a little later: a provider says so of a limit that was
    /// reached, a connection that broke. The engine tries again.
    pub transient: bool,
    /// What kind of statement it is.
    pub origin: Origin,
}

/// What a diagnostic says of the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// That something is wrong with it, or with what it describes.
    #[default]
    Problem,
    /// That a condition it states (a validation, a precondition, a check) does not hold; its place
    /// is that of the condition.
    Condition,
    /// That nothing is wrong with it, and that a provider can't make it now.
    Shortage(Shortage),
}

/// Why a provider can't make what another might: pools turn to their next offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shortage {
    /// It has none left, there and then: `InsufficientInstanceCapacity`, `AllocationFailed`,
    /// `ZONE_RESOURCE_POOL_EXHAUSTED`.
    Capacity,
    /// The account may have no more of them: `VcpuLimitExceeded`, `QuotaExceeded`.
    Quota,
    /// It costs more than was offered for it: `SpotMaxPriceTooLow`.
    Price,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shortage::Capacity => "no capacity",
            Shortage::Quota => "quota reached",
            Shortage::Price => "price too low",
        })
    }
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            summary: summary.into(),
            detail: String::new(),
            help: None,
            span: None,
            snippet: None,
            address: None,
            values: Vec::new(),
            origin: Origin::Problem,
            transient: false,
        }
    }
    /// A warning.
    pub fn warning(summary: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(summary)
        }
    }
    /// With the cause.
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
    /// With the next step.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
    /// With the place.
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }
    /// With the instance.
    pub fn on(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }
    /// It says that a condition does not hold.
    pub fn of_condition(mut self) -> Self {
        self.origin = Origin::Condition;
        self
    }
    /// Whether it says that a condition does not hold.
    pub fn is_failed_condition(&self) -> bool {
        self.origin == Origin::Condition
    }
    /// It says that a provider is short of something.
    pub fn of_shortage(mut self, shortage: Shortage) -> Self {
        self.origin = Origin::Shortage(shortage);
        self
    }
    /// What a provider is short of, where it says that.
    pub fn shortage(&self) -> Option<Shortage> {
        match self.origin {
            Origin::Shortage(shortage) => Some(shortage),
            Origin::Problem | Origin::Condition => None,
        }
    }
    /// As one that may be gone a little later.
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }
    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `file:line:column: summary: detail`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = &self.span {
            write!(f, "{span}: ")?;
        }
        f.write_str(&self.summary)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// All that went wrong in a run, in the order it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// None.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }
    /// One more.
    pub fn push(&mut self, d: Diagnostic) {
        self.0.push(d);
    }
    /// All of the others too.
    pub fn extend(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }
    /// Adds those that are not there yet: what many ask for fails for all of them alike.
    pub fn merge(&mut self, other: Diagnostics) {
        for d in other.0 {
            if !self.0.contains(&d) {
                self.0.push(d);
            }
        }
    }
    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// In file order; those without a place last, otherwise as found.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| match (&a.span, &b.span) {
            (Some(a), Some(b)) => (&a.file, a.start).cmp(&(&b.file, b.start)),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(d: Diagnostic) -> Self {
        Diagnostics(vec![d])
    }
}
impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.0.iter().enumerate() {
            write!(f, "{}{d}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}
impl std::error::Error for Diagnostics {}
