//! Many files at the same time, and large ones in portions. The results are those of one file after
//! the other, in order, however they ran.

use super::{
    Parser,
    cursor::{Cursor, SharedLines},
    parse_file,
};
use crate::{ir::Body, parallel};
use std::{ops::Range, sync::Arc};
use weir_core::Diagnostics;

/// A file that was read: its name and its text.
pub(crate) type Text = (Arc<str>, Arc<str>);
/// What [`parse_file`] makes of one.
pub(crate) type Parsed = (Body, Diagnostics);

/// Below so many bytes in all, starting threads takes longer than they save.
const WORTH_IT: usize = 128 << 10;
/// Portions of a large file have at least so many bytes.
const PORTION: usize = 32 << 10;

/// Parses files.
pub(crate) fn parse_files(files: &[Text]) -> Vec<Parsed> {
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    match bytes < WORTH_IT {
        true => parse_with(files, 1, bytes),
        false => {
            let workers = parallel::cores();
            // Few, since one that begins in the middle of something may go on to the end.
            parse_with(files, workers, PORTION.max(bytes / (4 * workers)))
        }
    }
}

/// What one thread parses at a time.
enum Piece {
    Whole,
    Portion(Range<usize>, SharedLines),
}

/// What becomes of it.
enum Done {
    Whole(Parsed),
    /// Nothing where that can't be told without the rest of the file.
    Portion(Option<Body>),
}

/// Parses files, large ones in portions of at least `portion` bytes.
fn parse_with(files: &[Text], workers: usize, portion: usize) -> Vec<Parsed> {
    let pieces: Vec<(&Text, Piece)> = files
        .iter()
        .flat_map(|file| pieces(file, portion).map(move |piece| (file, piece)))
        .collect();
    let done = parallel::map(&pieces, workers, |(file, piece)| match piece {
        Piece::Whole => Done::Whole(parse_file(file.0.clone(), &file.1)),
        Piece::Portion(range, lines) => Done::Portion(items_in(file, range, lines)),
    });
    let mut done = pieces.iter().map(|(file, _)| *file).zip(done).peekable();
    let parsed = |file: &Text| {
        let mut portions = Vec::new();
        while let Some((_, done)) = done.next_if(|(of, _)| std::ptr::eq(*of, file)) {
            match done {
                Done::Whole(parsed) => return parsed,
                Done::Portion(items) => portions.push(items),
            }
        }
        match joined(portions) {
            Some(body) => (body, Diagnostics::new()),
            None => parse_file(file.0.clone(), &file.1),
        }
    };
    files.iter().map(parsed).collect()
}

/// A file in portions that begin where an item of it seems to begin: after a line that is a closing
/// brace.
fn pieces((name, text): &Text, portion: usize) -> impl Iterator<Item = Piece> + use<> {
    let mut starts = vec![0];
    let begins = |at: &usize| text.as_bytes().get(*at).is_some_and(u8::is_ascii_lowercase);
    while let Some(from) = starts.last().map(|last| last + portion)
        && let Some(rest) = text.as_bytes().get(from..)
        && let Some(next) = (memchr::memmem::find_iter(rest, END))
            .map(|at| from + at + END.len())
            .find(begins)
    {
        starts.push(next);
    }
    let whole = starts.len() == 1 || name.ends_with(".json");
    let ends: Vec<usize> = starts[1..].iter().copied().chain([text.len()]).collect();
    let ranges = starts.into_iter().zip(ends).map(|(from, to)| from..to);
    let lines = SharedLines::default();
    let portions = ranges.map(move |range| Piece::Portion(range, lines.clone()));
    let portions = portions.filter(move |_| !whole);
    whole.then_some(Piece::Whole).into_iter().chain(portions)
}

/// The end of a block, as a rule.
const END: &str = "\n}\n";

/// The items of a portion, if all is well with them and they end just where the next portion begins:
/// else where that begins is in the middle of something, as a comment or a text, and the file is
/// read as a whole. So are files of attributes, which have to be told from each other.
fn items_in((name, text): &Text, range: &Range<usize>, lines: &SharedLines) -> Option<Body> {
    let cursor = Cursor::portion(name.clone(), text, range.start, lines.clone());
    let mut parser = Parser::over(cursor);
    let about = memchr::memmem::find_iter(&text.as_bytes()[range.clone()], END).count();
    let body = parser.items_to(range.end, about);
    let ended = parser.cursor.pos == range.end;
    let well = parser.diagnostics.is_empty() && body.attributes.is_empty();
    (ended && well).then_some(body)
}

/// The portions of a file as one, if all were read.
fn joined(portions: Vec<Option<Body>>) -> Option<Body> {
    let portions = portions.into_iter().collect::<Option<Vec<Body>>>()?;
    let blocks = portions.iter().map(|p| p.blocks.len()).sum();
    let mut span = portions.first()?.span.clone();
    span.end = portions.last()?.span.end;
    let mut whole = Body {
        attributes: Vec::new(),
        blocks: Vec::with_capacity(blocks),
        span,
    };
    whole
        .blocks
        .extend(portions.into_iter().flat_map(|p| p.blocks));
    Some(whole)
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
        let one = show(parse_with(&files, 1, usize::MAX));
        assert_eq!(show(parse_with(&files, 4, usize::MAX)), one);
        assert!(one.contains("f3.hcl") && one.contains("f45.hcl"), "{one}");
    }

    fn show(parsed: Vec<Parsed>) -> String {
        format!("{parsed:?}")
    }

    #[test]
    fn a_file_in_portions_is_the_file() {
        let pieces = [
            "resource \"a\" \"b\" {\n  c = \"d\"\n}\n",
            "\n# }\n",
            "variable \"ü\" {\n  default = <<EOT\n}\nvariable \"no\" {\nEOT\n}\n",
            "/*\n}\nresource \"no\" \"no\" {\n}\n# */\n",
            "x {\n  y {\n}\nz {\n}\n}\n",
            "locals {\r\n  a = 1\r\n}\r\n",
            "broken {\n  a = [\n}\n",
            "name = 1\n",
            "stray }\n}\n",
            "open {\n",
            "open /*\n}\nclosed {\n",
        ];
        let mut random = 1_u64;
        let mut next = |below: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) as usize % below
        };
        let (mut split, mut sound) = (0, 0);
        for case in 0..600 {
            // Most are sound: where anything is wrong, the file is read as a whole.
            let kinds = if case % 3 == 0 { pieces.len() } else { 6 };
            let text: String = (0..30).map(|_| pieces[next(kinds)]).collect();
            let file: Text = ("f.hcl".into(), text.as_str().into());
            let portion = 1 + next(200);
            let whole = vec![parse_file(file.0.clone(), &file.1)];
            split += super::pieces(&file, portion).count() - 1;
            sound += usize::from(whole[0].1.is_empty());
            let files = [file];
            assert_eq!(show(parse_with(&files, 3, portion)), show(whole), "{text}");
        }
        assert!(split > 1_000 && sound > 300, "{split} {sound}");
    }
}
