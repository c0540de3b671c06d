//! Patterns for one name: `*`, `?`, `[a-z]`, `[^a-z]`, `{a,b}` and `\` before any of these, matched
//! as the library matches that Terraform uses: what is malformed is found only where a name gets
//! that far, and an escape goes for the next character alone.

/// What makes a name a pattern.
const META: [char; 5] = ['*', '?', '[', '{', '\\'];

/// How many steps one match may take. A name has 255 bytes at most; more is a pattern that
/// doubles itself.
const STEPS: usize = 1_000_000;

/// Why a pattern can't be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// A backslash ends it.
    #[error("nothing follows its last `\\`")]
    Escape,
    /// `[` without `]`, or nothing between them, or half a range.
    #[error("its `[...]` is not closed, empty or half a range")]
    Class,
    /// `{` without `}`.
    #[error("its `{{...}}` is not closed")]
    Options,
    /// It has too many ways to match.
    #[error("it has too many ways to match")]
    Endless,
}

/// Whether there is a pattern in a name.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(META)
}

/// Whether a name matches.
pub(super) fn matches(pattern: &str, name: &str) -> Result<bool, Malformed> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let mut steps = STEPS;
    go(&pattern, &name, &mut steps)
}

fn go(mut pattern: &[char], mut name: &[char], steps: &mut usize) -> Result<bool, Malformed> {
    match (pattern, name) {
        ([], []) => return Ok(true),
        ([], _) => return Ok(false),
        (['*'], []) => return Ok(true),
        (_, []) => return Ok(false),
        _ => {}
    }
    while let (Some((&p, after)), Some((&n, rest))) = (pattern.split_first(), name.split_first()) {
        *steps = steps.checked_sub(1).ok_or(Malformed::Endless)?;
        match p {
            '\\' => {
                let (escaped, after) = after.split_first().ok_or(Malformed::Escape)?;
                if *escaped != n {
                    return Ok(false);
                }
                (pattern, name) = (after, rest);
            }
            '*' => return star(after, name, steps),
            '[' => {
                let end = closing(after, ']').ok_or(Malformed::Class)?;
                if !in_class(&after[..end], n)? {
                    return Ok(false);
                }
                (pattern, name) = (&after[end + 1..], rest);
            }
            '{' => {
                let end = closing(after, '}').ok_or(Malformed::Options)?;
                for option in options(&after[..end]) {
                    let whole = [option, &after[end + 1..]].concat();
                    if go(&whole, name, steps)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            p if p == '?' || p == n => (pattern, name) = (after, rest),
            _ => return Ok(false),
        }
    }
    Ok(matches!((pattern, name), ([] | ['*'] | ['*', '*'], [])))
}

/// Any characters, and then the rest of the pattern. What is malformed in it does not match.
fn star(after: &[char], name: &[char], steps: &mut usize) -> Result<bool, Malformed> {
    if after.is_empty() {
        return Ok(true);
    }
    for at in 0..name.len() {
        match go(after, &name[at..], steps) {
            Ok(true) => return Ok(true),
            Err(Malformed::Endless) => return Err(Malformed::Endless),
            _ => {}
        }
    }
    Ok(false)
}

/// Where the character stands that closes what is open, with no backslash before it.
fn closing(text: &[char], close: char) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.iter().position(|c| *c == close)?;
        // One that follows another escaped one directly has none of its own.
        if at == from || text[at - 1] != '\\' {
            return Some(at);
        }
        from = at + 1;
    }
}

fn options(mut text: &[char]) -> Vec<&[char]> {
    let mut options = Vec::new();
    while let Some(at) = closing(text, ',') {
        options.push(&text[..at]);
        text = &text[at + 1..];
    }
    options.push(text);
    options
}

fn in_class(class: &[char], c: char) -> Result<bool, Malformed> {
    let negated = class.first() == Some(&'^');
    if class.is_empty() {
        return Err(Malformed::Class);
    }
    let mut chars = class[usize::from(negated)..].iter().copied().peekable();
    let mut found = false;
    while let Some(low) = chars.next() {
        let literal = |c: char, chars: &mut dyn Iterator<Item = char>| match c {
            '-' => Err(Malformed::Class),
            '\\' => chars.next().ok_or(Malformed::Class),
            c => Ok(c),
        };
        let low = literal(low, &mut chars)?;
        let mut high = low;
        if chars.next_if_eq(&'-').is_some() {
            let end = chars.next().ok_or(Malformed::Class)?;
            high = literal(end, &mut chars)?;
        }
        found |= (low..=high).contains(&c);
    }
    Ok(found != negated)
}
