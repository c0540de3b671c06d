//! Version constraints as Terraform writes them: `>= 1.5, < 2.0`, `~> 1.11`, `!= 1.9.3`.

/// The version of Terraform whose language this is.
pub(crate) const TERRAFORM: &str = "1.11.4";

/// Whether a version meets a constraint; `None` where the constraint can't be read.
pub(crate) fn meets(version: &str, constraint: &str) -> Option<bool> {
    let version = Version::read(version)?;
    let mut all = true;
    for part in constraint.split(',') {
        let part = part.trim();
        let operator = ["!=", ">=", "<=", "~>", "=", ">", "<"]
            .into_iter()
            .find(|o| part.starts_with(o));
        let wanted = Version::read(part[operator.map_or(0, str::len)..].trim())?;
        all &= match operator.unwrap_or("=") {
            "!=" => version.key() != wanted.key(),
            ">=" => version.key() >= wanted.key(),
            "<=" => version.key() <= wanted.key(),
            ">" => version.key() > wanted.key(),
            "<" => version.key() < wanted.key(),
            "~>" => {
                let fixed = wanted.written.saturating_sub(1);
                version.key() >= wanted.key() && version.numbers[..fixed] == wanted.numbers[..fixed]
            }
            _ => version.key() == wanted.key(),
        };
    }
    Some(all)
}

struct Version {
    numbers: [u64; 3],
    /// How many numbers were written.
    written: usize,
    /// Empty for a release.
    prerelease: String,
}

impl Version {
    fn read(text: &str) -> Option<Version> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (numbers, prerelease) = text.split_once('-').unwrap_or((text, ""));
        let mut out = Version {
            numbers: [0; 3],
            written: 0,
            prerelease: prerelease.to_owned(),
        };
        for part in numbers.split('.') {
            let digits = part.chars().all(|c| c.is_ascii_digit());
            *out.numbers.get_mut(out.written)? = digits.then(|| part.parse().ok())??;
            out.written += 1;
        }
        Some(out)
    }

    /// What versions are ordered by: a release comes after what leads to it.
    fn key(&self) -> ([u64; 3], bool, &str) {
        (self.numbers, self.prerelease.is_empty(), &self.prerelease)
    }
}

#[cfg(test)]
#[path = "version_tests.rs"]
mod tests;
