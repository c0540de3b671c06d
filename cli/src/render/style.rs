//! Colour, or none. Every text reads well without it.

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Plain text.
    Plain,
    /// With terminal colours.
    Colored,
}

/// What a piece of text is, and so its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// As it is.
    Normal,
    /// What is added or went well.
    Good,
    /// What is removed or went wrong.
    Bad,
    /// What changes, and warnings.
    Changed,
    /// What is read.
    Read,
    /// What matters less.
    Dim,
    /// What matters more.
    Strong,
}

impl Paint {
    /// The text in that ink.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        let code = match (self, ink) {
            (Paint::Plain, _) | (_, Ink::Normal) => return text.into(),
            (_, Ink::Good) => "32",
            (_, Ink::Bad) => "31",
            (_, Ink::Changed) => "33",
            (_, Ink::Read) => "36",
            (_, Ink::Dim) => "2",
            (_, Ink::Strong) => "1",
        };
        if text.is_empty() {
            String::new()
        } else {
            format!("\x1b[{code}m{text}\x1b[0m")
        }
    }
    /// Bold.
    pub(crate) fn strong(self, text: &str) -> String {
        self.ink(Ink::Strong, text)
    }
}
