//! The names a user may have meant.

use crate::decode::article;
use weir_core::Type;

/// How alike two names must be for one to be offered in place of the other.
const ALIKE: f64 = 0.8;

/// How many names a listing shows.
const LISTED: usize = 8;

/// The name closest to the one that was written, where one is close enough.
pub(crate) fn closest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (likeness(name, c), c))
        .filter(|(score, _)| *score >= ALIKE)
        // The first of equally close ones: `max_by` would take the last.
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, c)| c)
}

/// Whether one of the written names is none of the `known` ones, and it is `name` that its error
/// offers.
pub(crate) fn misspells<'w, 'k>(
    mut written: impl Iterator<Item = &'w str>,
    name: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> bool {
    written.any(|w| !known.clone().any(|k| k == w) && closest(w, known.clone()) == Some(name))
}

/// How alike two names are, from 0 to 1. Short names differ by much where one letter is wrong, so
/// a single slip (a letter more, less, other, or two swapped) counts as alike too.
fn likeness(name: &str, candidate: &str) -> f64 {
    let slip = name.len() > 2 && strsim::osa_distance(name, candidate) == 1;
    let score = strsim::jaro_winkler(name, candidate);
    if slip { score.max(ALIKE) } else { score }
}

/// The text as the beginning of a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// A help line: the closest name, else the names there are; `None` where there is none at all.
/// `show` puts a name as the user would write it.
pub(crate) fn suggest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    show: impl Fn(&str) -> String,
) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(c) = closest(name, candidates.iter().copied()) {
        return Some(format!("Did you mean `{}`?", show(c)));
    }
    listing(candidates.iter().map(|c| show(c)))
}

/// A help line: the names there are, as the user would write them; `None` where there is none.
pub(crate) fn listing(names: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    let candidates: Vec<_> = names.into_iter().collect();
    if candidates.is_empty() {
        return None;
    }
    let more = match candidates.len().saturating_sub(LISTED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let names: Vec<String> = candidates
        .iter()
        .take(LISTED)
        .map(|c| format!("`{}`", c.as_ref()))
        .collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    Some(format!("There {verb} {}{more}.", and(&names, &more)))
}

fn and(names: &[String], more: &str) -> String {
    match names {
        [head @ .., last] if !head.is_empty() && more.is_empty() => {
            format!("{} and {last}", head.join(", "))
        }
        _ => names.join(", "),
    }
}

/// A help line: how a value of the type is written.
pub(crate) fn form(ty: &Type) -> String {
    match ty {
        Type::String => {
            "Write text, in quotes, or a number or a bool, which become text.".to_owned()
        }
        Type::Number => "Write a number, or text that is one: `5` or `\"5\"`.".to_owned(),
        Type::Bool => "Write `true`, `false`, or a comparison such as `x == 1`.".to_owned(),
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => {
            format!("Write {}: `[...]`.", article(ty))
        }
        Type::Map(_) | Type::Object(_) => format!("Write {}: `{{ NAME = ... }}`.", article(ty)),
        _ => "Use another value.".to_owned(),
    }
}

/// `a, b and c`, each in back quotes.
pub(crate) fn join(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|n| format!("`{}`", n.as_ref()))
        .collect();
    and(&names, "")
}

/// `Did you mean ...?`, where one of the names is close to the one that was written.
pub fn suggestion<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(name, candidates).map(|near| format!("Did you mean `{near}`?"))
}
