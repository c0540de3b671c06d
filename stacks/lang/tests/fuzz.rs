//! The seeds of the fuzzers (`fuzz/seeds`) and mutations of them, the same on every run: nothing
//! panics, nothing hangs, and every place points into its text.
//!
//! `fuzz/README.md` says how the fuzzers themselves are run, which look for more. Without them,
//! `WEIR_FUZZ_SECONDS=600 cargo test -p weir-lang --test fuzz` tries other mutations for as long.

#![allow(clippy::print_stdout, clippy::print_stderr)] // what a long run tries

#[path = "../fuzz/harness.rs"]
mod harness;

use std::{fs, path::Path};

/// How many mutations of each seed are tried.
const MUTATIONS: u64 = 6;

fn seeds() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut seeds: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the seeds")
        .map(|e| e.expect("an entry"))
        .map(|e| {
            let text = fs::read_to_string(e.path()).expect("a text");
            (e.file_name().to_string_lossy().into_owned(), text)
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() > 100, "{} seeds", seeds.len());
    seeds
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 as usize) % n.max(1)
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        text.floor_char_boundary(self.below(text.len() + 1))
    }

    /// The text with a few pieces left out, doubled, or taken from another.
    fn mutated(&mut self, text: &str, other: &str) -> String {
        let mut out = text.to_owned();
        for _ in 0..1 + self.below(4) {
            let (a, b) = (self.place(&out), self.place(&out));
            let b = out.floor_char_boundary(b.min(a.saturating_add(40)).max(a));
            match self.below(4) {
                0 => out.replace_range(a..b, ""),
                1 => {
                    let piece = out[a..b].repeat(2);
                    out.insert_str(a, &piece);
                }
                2 => {
                    let c = self.place(other);
                    let d = other.floor_char_boundary((c + 30).min(other.len()));
                    out.insert_str(a, &other[c..d]);
                }
                _ => {
                    let signs = [
                        "\"",
                        "}",
                        "{",
                        "(",
                        "]",
                        "\n",
                        "${",
                        "*",
                        "-",
                        "...",
                        "99999999999",
                    ];
                    out.insert_str(a, signs[self.below(signs.len())]);
                }
            }
        }
        out
    }
}

fn each(mut f: impl FnMut(&str)) {
    let seeds = seeds();
    let mut random = Random(0x5eed);
    let longer = std::env::var("WEIR_FUZZ_SECONDS").ok();
    if let Some(seconds) = longer.and_then(|s| s.parse().ok()) {
        let begun = std::time::Instant::now();
        random = Random(u64::from(std::process::id()) << 20 | 1);
        let mut count = 0;
        while begun.elapsed().as_secs() < seconds {
            let mut text = seeds[random.below(seeds.len())].1.clone();
            for _ in 0..1 + random.below(3) {
                let other = &seeds[random.below(seeds.len())].1;
                text = random.mutated(&text, other);
            }
            let before = begun.elapsed();
            println!("{text}\n-----");
            f(&text);
            let took = begun.elapsed() - before;
            assert!(took.as_secs() < 20, "it took {took:?}:\n{text}");
            count += 1;
        }
        eprintln!("{count} inputs");
        return;
    }
    for (name, text) in &seeds {
        // Shown where it fails.
        println!("{name}");
        f(text);
        for _ in 0..MUTATIONS {
            let other = &seeds[random.below(seeds.len())].1;
            let mutated = random.mutated(text, other);
            println!("{mutated}\n-----");
            f(&mutated);
        }
    }
}

#[test]
fn nothing_is_too_odd_to_parse() {
    each(|text| {
        let _ = harness::parse(text);
    });
}

#[test]
fn nothing_is_too_odd_to_evaluate() {
    each(harness::evaluate);
}
