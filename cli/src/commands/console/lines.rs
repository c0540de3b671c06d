//! Lines to expressions: one that leaves a bracket open goes on in the next line.

/// Lines of an expression that is not complete.
#[derive(Default)]
pub(super) struct Pending(String);

impl Pending {
    /// Takes a line, and gives the expression it completes.
    pub(super) fn push(&mut self, line: &str) -> Option<String> {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(line.trim());
        if open(&self.0) { None } else { self.take() }
    }

    /// What there is, complete or not.
    pub(super) fn take(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.0);
        Some(text).filter(|t| !t.is_empty())
    }

    /// Whether no expression is begun.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether more brackets are opened than closed. Text is skipped, comments up to their line's end.
fn open(text: &str) -> bool {
    let mut depth = 0i64;
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => {
                chars.next();
            }
            '"' => quoted = !quoted,
            _ if quoted => {}
            '#' => {
                chars.by_ref().find(|c| *c == '\n');
            }
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|c| *c == '\n');
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    depth > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_leaves_a_bracket_open_goes_on() {
        let mut pending = Pending::default();
        for (line, expected) in [
            ("1 + 1", Some("1 + 1")),
            ("  \"{[(\"  ", Some("\"{[(\"")),
            ("\"\\\"{\"", Some("\"\\\"{\"")),
            ("", None),
            ("[", None),
            ("  1, # ]", None),
            ("  2 // ]", None),
            ("]", Some("[\n1, # ]\n2 // ]\n]")),
            ("f(a))", Some("f(a))")),
        ] {
            assert_eq!(pending.push(line).as_deref(), expected, "{line}");
        }
        assert!(pending.is_empty());
        assert_eq!(pending.push("{"), None);
        assert_eq!(pending.take().as_deref(), Some("{"));
    }
}
