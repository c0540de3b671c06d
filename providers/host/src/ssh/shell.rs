//! Command lines for a remote login shell, whichever it is.

use std::fmt::Write;

/// Quotes a word for any shell.
#[must_use]
pub fn quote(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    quoted.push_str(&word.replace('\'', r"'\''"));
    quoted.push('\'');
    quoted
}

/// A command line that hands a POSIX script and its arguments (`$1`, ...) to
/// `sh`: the login shell may be fish or csh and need not understand it.
#[must_use]
pub fn script(text: &str, arguments: &[&str]) -> String {
    let mut line = format!("sh -c {} sh", quote(text));
    for argument in arguments {
        // Writing to a string can't fail.
        let _ = write!(line, " {}", quote(argument));
    }
    line
}

/// Stores stdin as a file: `$1` path, `$2` size in bytes, `$3` mode.
const UPLOAD: &str = r#"set -e
umask 077
d=$(dirname -- "$1")
[ -d "$d" ] || (umask 022; mkdir -p -- "$d")
t=$(mktemp -- "$1.XXXXXX")
trap 'rm -f -- "$t"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$t"
s=$(wc -c <"$t")
if [ "$s" -ne "$2" ]; then echo "got $s of $2 bytes" >&2; exit 1; fi
chmod -- "$3" "$t"
mv -f -- "$t" "$1"
trap - EXIT"#;

/// The command line that stores its input at `path`.
pub(crate) fn upload(path: &str, size: usize, mode: u32) -> String {
    let (size, mode) = (size.to_string(), format!("{mode:o}"));
    script(UPLOAD, &[path, &size, &mode])
}
