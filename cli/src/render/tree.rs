//! Lines of nested blocks with a mark in the margin: the form of plans and of state.
//!
//! At depth `d` the mark ends at column `3 + 4 d` and the text begins two further, so that marks
//! of one, two and three characters line up.

use super::style::{Ink, Paint};
use weir_core::change::{Action, ReplaceOrder};

/// What stands in the margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing.
    None,
    /// `+`
    Add,
    /// `-`
    Remove,
    /// `~`
    Change,
    /// `-/+`
    DeleteFirst,
    /// `+/-`
    CreateFirst,
    /// `<=`
    Read,
    /// `.`
    Forget,
}

impl Mark {
    /// The mark of an action; none where nothing is done.
    pub(crate) fn of(action: Action) -> Mark {
        match action {
            Action::NoOp => Mark::None,
            Action::Create => Mark::Add,
            Action::Read => Mark::Read,
            Action::Update => Mark::Change,
            Action::Replace(ReplaceOrder::DeleteFirst) => Mark::DeleteFirst,
            Action::Replace(ReplaceOrder::CreateFirst) => Mark::CreateFirst,
            Action::Delete => Mark::Remove,
            Action::Forget => Mark::Forget,
        }
    }

    /// As it is printed.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Mark::None => "",
            Mark::Add => "+",
            Mark::Remove => "-",
            Mark::Change => "~",
            Mark::DeleteFirst => "-/+",
            Mark::CreateFirst => "+/-",
            Mark::Read => "<=",
            Mark::Forget => ".",
        }
    }

    fn painted(self, paint: Paint) -> String {
        let red_green = |a: Ink, b: Ink| {
            let (first, second) = self.sign().split_at(1);
            let last = second.trim_start_matches('/');
            format!("{}/{}", paint.ink(a, first), paint.ink(b, last))
        };
        match self {
            Mark::None => String::new(),
            Mark::Add => paint.ink(Ink::Good, self.sign()),
            Mark::Remove | Mark::Forget => paint.ink(Ink::Bad, self.sign()),
            Mark::Change => paint.ink(Ink::Changed, self.sign()),
            Mark::Read => paint.ink(Ink::Read, self.sign()),
            Mark::DeleteFirst => red_green(Ink::Bad, Ink::Good),
            Mark::CreateFirst => red_green(Ink::Good, Ink::Bad),
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    depth: usize,
    mark: Mark,
    text: String,
    ink: Ink,
    /// Printed after the text in red: `# forces replacement`.
    note: &'static str,
}

/// Lines in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// One more line.
    pub(crate) fn push(&mut self, depth: usize, mark: Mark, text: impl Into<String>) {
        self.0.push(Line {
            depth,
            mark,
            text: text.into(),
            ink: Ink::Normal,
            note: "",
        });
    }
    /// A remark, without a mark.
    pub(crate) fn remark(&mut self, depth: usize, text: impl Into<String>) {
        self.0.push(Line {
            depth,
            mark: Mark::None,
            text: text.into(),
            ink: Ink::Dim,
            note: "",
        });
    }
    /// A note at the end of the line with this number.
    pub(crate) fn note(&mut self, line: usize, note: &'static str) {
        if let Some(line) = self.0.get_mut(line) {
            line.note = note;
        }
    }
    /// Takes the comma from the last line's end.
    pub(crate) fn bare_end(&mut self) {
        if let Some(line) = self.0.last_mut()
            && line.text.ends_with(',')
        {
            line.text.pop();
        }
    }
    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The text, each line ended.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        for line in &self.0 {
            let margin = 3 + 4 * line.depth - line.mark.sign().len();
            let text = format!(
                "{}{} {}",
                " ".repeat(margin),
                line.mark.painted(paint),
                paint.ink(line.ink, &line.text)
            );
            out.push_str(text.trim_end());
            if !line.note.is_empty() {
                out.push(' ');
                out.push_str(&paint.ink(Ink::Bad, line.note));
            }
            out.push('\n');
        }
        out
    }
}
