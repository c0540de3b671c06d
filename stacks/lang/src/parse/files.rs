//! Many files at the same time. The order of the results is that of the files, however they ran.

use super::parse_file;
use crate::ir::Body;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use weir_core::Diagnostics;

/// A file that was read: its name and its text.
pub(crate) type Text = (Arc<str>, Arc<str>);
/// What [`parse_file`] makes of one.
pub(crate) type Parsed = (Body, Diagnostics);

/// Below so many bytes in all, starting threads takes longer than they save.
const WORTH_IT: usize = 128 << 10;
/// Addresses for the stack of a thread: as much as `weir` gives its own threads, since files nest
/// as deep here as there.
const STACK: usize = 256 << 20;

/// Parses files.
pub(crate) fn parse_files(files: &[Text]) -> Vec<Parsed> {
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers = match bytes < WORTH_IT {
        true => 1,
        false => cores.min(files.len()),
    };
    parse_with(files, workers)
}

fn parse_with(files: &[Text], workers: usize) -> Vec<Parsed> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let taken = next.fetch_add(1, Ordering::Relaxed);
            let Some((name, text)) = files.get(taken) else {
                return done;
            };
            done.push((taken, parse_file(name.clone(), text)));
        }
    };
    let mut parsed = thread::scope(|scope| {
        let helpers: Vec<_> = (1..workers)
            .filter_map(|_| {
                let thread = thread::Builder::new().stack_size(STACK);
                // Where there is no thread to be had, the others do its part.
                thread.spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut parsed = work();
        for helper in helpers {
            match helper.join() {
                Ok(more) => parsed.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parsed
    });
    parsed.sort_by_key(|(index, _)| *index);
    parsed.into_iter().map(|(_, parsed)| parsed).collect()
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
