//! Versions and what may be asked of them: `~> 1.2, != 1.2.5`.

use crate::error::SourceError;
use semver::Version;

/// What a version must be: all of its conditions hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constraint(Vec<Condition>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    op: Op,
    version: Version,
    /// How many of the three numbers were written.
    written: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    /// `~>`: the last number written may rise.
    Pessimistic,
}

const OPS: [(&str, Op); 7] = [
    ("~>", Op::Pessimistic),
    (">=", Op::GreaterOrEqual),
    ("<=", Op::LessOrEqual),
    ("!=", Op::NotEqual),
    (">", Op::Greater),
    ("<", Op::Less),
    ("=", Op::Equal),
];

impl Constraint {
    /// Reads conditions with commas between them; no text is no condition.
    ///
    /// # Errors
    /// A condition that is none.
    pub fn parse(text: &str) -> Result<Constraint, SourceError> {
        if text.trim().is_empty() {
            return Ok(Constraint::default());
        }
        let conditions = text.split(',').map(|part| {
            condition(part.trim()).ok_or_else(|| SourceError::Address {
                why: format!("`{}` is no condition on a version", part.trim()),
                help: Some("Write `1.2.3`, `~> 1.2`, or `>= 1.0, < 2.0`.".into()),
            })
        });
        Ok(Constraint(conditions.collect::<Result<_, _>>()?))
    }

    /// Whether the version will do. Versions before a release do only where one is named.
    pub fn allows(&self, version: &Version) -> bool {
        if self.0.is_empty() {
            return version.pre.is_empty();
        }
        self.0.iter().all(|c| c.allows(version))
    }
}

/// Reads `1`, `1.2`, `v1.2.3-beta.1`; with how many numbers were written.
fn read(text: &str) -> Option<(Version, usize)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let written = text[..end].split('.').count();
    let full = match written {
        1 => format!("{}.0.0{}", &text[..end], &text[end..]),
        2 => format!("{}.0{}", &text[..end], &text[end..]),
        3 => text.to_owned(),
        _ => return None,
    };
    Some((Version::parse(&full).ok()?, written))
}

/// A version as a registry lists it; `None` where it is none.
pub(crate) fn version(text: &str) -> Option<Version> {
    read(text).map(|(version, _)| version)
}

fn condition(text: &str) -> Option<Condition> {
    let found = OPS
        .iter()
        .find_map(|(symbol, op)| Some((*op, text.strip_prefix(symbol)?)));
    let (op, rest) = found.unwrap_or((Op::Equal, text));
    let (version, written) = read(rest.trim())?;
    Some(Condition {
        op,
        version,
        written,
    })
}

impl Condition {
    fn allows(&self, version: &Version) -> bool {
        let wanted = &self.version;
        // Precedence leaves build metadata out.
        let order = version.cmp_precedence(wanted);
        match self.op {
            Op::Equal => return order.is_eq(),
            Op::NotEqual => return order.is_ne(),
            _ => {}
        }
        let numbers = |v: &Version| [v.major, v.minor, v.patch];
        if !version.pre.is_empty() && (wanted.pre.is_empty() || numbers(version) != numbers(wanted))
        {
            return false;
        }
        match self.op {
            Op::Greater => order.is_gt(),
            Op::GreaterOrEqual => order.is_ge(),
            Op::Less => order.is_lt(),
            Op::LessOrEqual => order.is_le(),
            _ => {
                let fixed = self.written.saturating_sub(1);
                order.is_ge() && numbers(version)[..fixed] == numbers(wanted)[..fixed]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn constraints_allow_what_terraforms_do() {
        let table = [
            ("", "1.2.3", true),
            ("", "1.2.3-beta", false),
            ("1.2.3", "1.2.3", true),
            ("= 1.2", "1.2.0", true),
            ("1.2", "1.2.1", false),
            ("!= 1.2.3", "1.2.4", true),
            ("~> 1.2", "1.9.0", true),
            ("~> 1.2", "1.1.9", false),
            ("~> 1.2", "2.0.0", false),
            ("~> 1.2.3", "1.2.9", true),
            ("~> 1.2.3", "1.3.0", false),
            ("~> 1", "7.0.0", true),
            (">= 1.0, < 2.0", "1.5.0", true),
            (">= 1.0, < 2.0", "2.0.0", false),
            (">1.0,<=1.1", "1.1.0", true),
            (">= 1.0.0", "1.1.0-rc1", false),
            ("1.1.0-rc1", "1.1.0-rc1", true),
            (">= 1.1.0-rc1", "1.1.0-rc2", true),
            (">= 1.1.0-rc1", "1.2.0-rc2", false),
            ("v1.0.0", "1.0.0", true),
        ];
        for (constraint, text, allowed) in table {
            let parsed = Constraint::parse(constraint).unwrap();
            assert_eq!(
                parsed.allows(&version(text).unwrap()),
                allowed,
                "{constraint} {text}"
            );
        }
        for wrong in ["x", "~>", "1.2.3.4", ">= 1 < 2", "1.2,", "~ 1.2", "^1.0"] {
            assert!(Constraint::parse(wrong).is_err(), "{wrong}");
        }
    }
}
