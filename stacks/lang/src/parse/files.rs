//! Many files at the same time. The order of the results is that of the files, however they ran.

use super::parse_file;
use crate::{ir::Body, parallel};
use std::sync::Arc;
use weir_core::Diagnostics;

/// A file that was read: its name and its text.
pub(crate) type Text = (Arc<str>, Arc<str>);
/// What [`parse_file`] makes of one.
pub(crate) type Parsed = (Body, Diagnostics);

/// Below so many bytes in all, starting threads takes longer than they save.
const WORTH_IT: usize = 128 << 10;
/// Parses files.
pub(crate) fn parse_files(files: &[Text]) -> Vec<Parsed> {
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let workers = match bytes < WORTH_IT {
        true => 1,
        false => parallel::cores(),
    };
    parse_with(files, workers)
}

fn parse_with(files: &[Text], workers: usize) -> Vec<Parsed> {
    parallel::map(files, workers, |(name, text)| {
        parse_file(name.clone(), text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_files_and_every_error_is_there() {
        let files: Vec<Text> = (0..50)
            .map(|i| {
                let text = match i % 7 {
                    3 => format!("a{i} = ["),
                    _ => format!("a{i} = {i}\n"),
                };
                (format!("f{i}.hcl").into(), text.into())
            })
            .collect();
        let show = |parsed: Vec<Parsed>| format!("{parsed:?}");
        let one = show(parse_with(&files, 1));
        assert_eq!(show(parse_with(&files, 4)), one);
        assert!(one.contains("f3.hcl") && one.contains("f45.hcl"), "{one}");
    }
}
