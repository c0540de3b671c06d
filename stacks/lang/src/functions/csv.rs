//! RFC 4180 records, as strict as Go's reader: crates for it take quotes that Terraform refuses.

/// The records of a text; empty lines are skipped.
pub(super) fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest
            .strip_prefix('\n')
            .or_else(|| rest.strip_prefix("\r\n"))
        {
            rest = after;
            continue;
        }
        let mut record = Vec::new();
        loop {
            let (field, after) = match rest.strip_prefix('"') {
                Some(inside) => quoted(inside)?,
                None => bare(rest)?,
            };
            record.push(field);
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None => {
                    rest = after;
                    break;
                }
            }
        }
        rest = rest
            .strip_prefix("\r\n")
            .or_else(|| rest.strip_prefix('\n'))
            .unwrap_or(rest);
        out.push(record);
    }
    Ok(out)
}

/// A field without quotes, and what follows it.
fn bare(text: &str) -> Result<(String, &str), String> {
    let end = text.find([',', '\n']).unwrap_or(text.len());
    let (field, rest) = text.split_at(end);
    let (field, rest) = match field.strip_suffix('\r') {
        Some(field) if rest.starts_with('\n') || rest.is_empty() => (field, rest),
        _ => (field, rest),
    };
    if field.contains('"') {
        return Err(format!(
            "a quote stands in the field {field:?}, which is not quoted"
        ));
    }
    Ok((field.to_owned(), rest))
}

/// A field in quotes, of which the opening one is read, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let Some(end) = rest.find('"') else {
            return Err("a quoted field is not closed".into());
        };
        field.push_str(&rest[..end].replace("\r\n", "\n"));
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None if rest.is_empty()
                || rest.starts_with([',', '\n'])
                || rest.starts_with("\r\n") =>
            {
                return Ok((field, rest));
            }
            None => return Err("text follows the closing quote of a field".into()),
        }
    }
}
