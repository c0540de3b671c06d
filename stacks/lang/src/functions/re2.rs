//! Patterns of RE2, which Terraform has, as the `regex` crate writes them.
//!
//! Both are nearly one language. What differs: `\d`, `\s`, `\w` and `\b` know ASCII alone,
//! `\Q...\E` quotes, a bracket within brackets stands for itself, and one repetition does not follow
//! another.

/// The same pattern for the `regex` crate.
///
/// # Errors
/// What RE2 refuses in it and the crate would take.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    // Whether what came last repeats something.
    let mut repeats = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                rest = escape(after, &mut out, Place::Outside);
                repeats = false;
            }
            '[' => {
                rest = class(after, &mut out);
                repeats = false;
            }
            '(' => {
                flags(after)?;
                out.push('(');
                rest = after;
                // What follows is no repetition, but the mark of a special group.
                if let Some(special) = after.strip_prefix('?') {
                    out.push('?');
                    rest = special;
                }
                repeats = false;
            }
            '*' | '+' | '?' | '{' => {
                let length = match c {
                    '{' => counted(rest),
                    _ => Some(1),
                };
                let Some(length) = length else {
                    // A brace that counts nothing is a brace.
                    out.push_str("\\{");
                    rest = after;
                    repeats = false;
                    continue;
                };
                if repeats {
                    return Err(format!("invalid nested repetition operator at {rest:?}"));
                }
                out.push_str(&rest[..length]);
                rest = &rest[length..];
                if let Some(lazy) = rest.strip_prefix('?') {
                    out.push('?');
                    rest = lazy;
                }
                repeats = true;
            }
            _ => {
                if c == '}' {
                    out.push('\\');
                }
                out.push(c);
                rest = after;
                repeats = false;
            }
        }
    }
    Ok(out)
}

/// How long the count is that begins here, as `{2}`, `{2,}` or `{2,3}`.
fn counted(text: &str) -> Option<usize> {
    let end = text.find('}')?;
    let mut numbers = text[1..end].split(',');
    let digits = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    let least = numbers.next().is_some_and(digits);
    let most = numbers.next().is_none_or(|n| n.is_empty() || digits(n));
    (least && most && numbers.next().is_none()).then_some(end + 1)
}

/// Refuses flags that the crate alone knows.
fn flags(group: &str) -> Result<(), String> {
    let Some(rest) = group.strip_prefix('?') else {
        return Ok(());
    };
    let flags = rest.split([':', ')']).next().unwrap_or_default();
    match flags.starts_with(['P', '<', '=', '!']) || flags.chars().all(|c| "imsU-".contains(c)) {
        true => Ok(()),
        false => Err(format!("invalid or unsupported Perl syntax: `(?{flags}`")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    InClass,
}

/// What stands after a backslash; gives the text after it.
fn escape<'t>(after: &'t str, out: &mut String, place: Place) -> &'t str {
    let Some(c) = after.chars().next() else {
        out.push('\\');
        return after;
    };
    let rest = &after[c.len_utf8()..];
    let (inside, negated) = match c {
        'd' | 'D' => ("0-9", c == 'D'),
        's' | 'S' => ("\\t\\n\\x0C\\r ", c == 'S'),
        'w' | 'W' => ("0-9A-Za-z_", c == 'W'),
        'b' if place == Place::Outside => {
            out.push_str("(?-u:\\b)");
            return rest;
        }
        'Q' if place == Place::Outside => {
            let (quoted, rest) = rest.split_once("\\E").unwrap_or((rest, ""));
            out.push_str(&regex::escape(quoted));
            return rest;
        }
        // Letters that are an escape in the crate alone, and refused by both like this.
        'u' | 'U' | '<' | '>' => {
            out.push_str("\\8");
            return rest;
        }
        _ => {
            // What is in braces belongs to the escape: `\p{Greek}`, `\x{1F600}`.
            let braced = matches!(c, 'p' | 'P' | 'x') && rest.starts_with('{');
            let length = rest.find('}').filter(|_| braced).map_or(0, |at| at + 1);
            out.push('\\');
            out.push(c);
            out.push_str(&rest[..length]);
            return &rest[length..];
        }
    };
    match (place, negated) {
        (Place::InClass, false) => out.push_str(inside),
        (_, true) => out.push_str(&format!("[^{inside}]")),
        (Place::Outside, false) => out.push_str(&format!("[{inside}]")),
    }
    rest
}

/// What stands after an opening bracket, up to the one that closes it; gives the text after it.
fn class<'t>(after: &'t str, out: &mut String) -> &'t str {
    out.push('[');
    let mut rest = after;
    if let Some(negated) = rest.strip_prefix('^') {
        out.push('^');
        rest = negated;
    }
    // A closing bracket that comes first stands for itself.
    if let Some(more) = rest.strip_prefix(']') {
        out.push_str("\\]");
        rest = more;
    }
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            ']' => {
                out.push(']');
                return after;
            }
            '\\' => escape(after, out, Place::InClass),
            '[' if after.starts_with(':') && after.contains(":]") => {
                let end = after.find(":]").map_or(after.len(), |at| at + 2);
                out.push('[');
                out.push_str(&after[..end]);
                &after[end..]
            }
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
                after
            }
            _ => {
                out.push(c);
                after
            }
        };
    }
    rest
}
