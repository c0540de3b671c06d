//! Texts as nobody would write them: valid, with random structure, spaces, lines and comments.

/// A source of choices: the same seed, the same text.
pub(super) struct Generator {
    state: u64,
    out: String,
    /// How many more pieces may be opened.
    budget: usize,
    /// Whether line ends are space, as between parentheses.
    free: bool,
}

/// The text of a seed.
pub(super) fn text(seed: u64) -> String {
    let mut g = Generator {
        state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        out: String::new(),
        budget: 60,
        free: false,
    };
    if g.one_in(20) {
        g.out.push('\u{feff}');
    }
    g.body(0);
    let mut out = g.out;
    if seed.is_multiple_of(7) {
        out = out.replace('\n', "\r\n");
    }
    // The line of a heredoc's marker must end.
    if seed.is_multiple_of(5) && !out.trim_end().ends_with("EOT") {
        out.truncate(out.trim_end().len());
    }
    out
}

const NAMES: [&str; 8] = [
    "a",
    "bb",
    "long_name",
    "each-key",
    "é",
    "for_each",
    "名前",
    "x1",
];

impl Generator {
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn put_one(&mut self, of: &[&str]) {
        let text = self.pick(of);
        self.put(text);
    }

    /// Space that may be none.
    fn gap(&mut self) {
        self.put_one(&["", "", "", " ", " ", "  ", "\t"]);
        match self.below(40) {
            0 => self.put("/* c */"),
            1 => self.put(" /*é*/ "),
            2 | 3 if self.free => self.put("\n"),
            4 if self.free => self.put(" # c\n  "),
            5 if self.free => self.put("// c \n"),
            6 if self.free => self.put("\n\n\t"),
            _ => {}
        }
    }

    /// Space between names.
    fn space(&mut self) {
        self.put(" ");
        self.gap();
    }

    fn name(&mut self) {
        self.put_one(&NAMES);
    }

    fn body(&mut self, depth: usize) {
        let mut used = Vec::new();
        for _ in 0..self.below(5) + usize::from(depth == 0) * 3 {
            self.put_one(&["", "", "  ", "      ", "\t"]);
            match self.below(12) {
                0 => self.put("\n"),
                1 => self.put_one(&["# a line\n", "//a line \n", "/* a\n  block */\n", "#\n"]),
                2..=4 if depth < 4 => self.block(depth),
                _ => {
                    let name = format!("{}{}", self.pick(&NAMES), self.below(100));
                    if used.contains(&name) {
                        continue;
                    }
                    self.put(&name);
                    used.push(name);
                    self.gap();
                    self.put("=");
                    self.gap();
                    if self.one_in(10) {
                        self.heredoc();
                    } else {
                        self.expr(3);
                    }
                    self.line_end();
                }
            }
        }
    }

    fn line_end(&mut self) {
        // A heredoc ended its line already, but for the line end.
        match self.out.ends_with("EOT") {
            true => self.put("\n"),
            false => self.put_one(&[
                "\n",
                "\n",
                "\n",
                "  \n",
                " # end\n",
                "// end\n",
                "/* end */\n",
            ]),
        }
    }

    fn block(&mut self, depth: usize) {
        self.put_one(&["resource", "variable", "x", "dynamic"]);
        for _ in 0..self.below(3) {
            self.space();
            self.put_one(&["\"label\"", "bare", "\"é\"", "\"a b\"", "\"\""]);
        }
        self.gap();
        self.put("{");
        match self.below(6) {
            0 => self.put_one(&["", " ", "   "]),
            1 => {
                self.gap();
                self.put_one(&["type", "b"]);
                self.gap();
                self.put("=");
                self.gap();
                self.expr(1);
                self.put_one(&["", " ", "  "]);
            }
            _ => {
                self.put_one(&["\n", "  \n", " # why\n", "\n\n"]);
                self.body(depth + 1);
                self.put_one(&["", "  ", "\t"]);
            }
        }
        self.put("}");
        self.line_end();
    }

    fn heredoc(&mut self) {
        self.put_one(&["<<EOT\n", "<<-EOT\n"]);
        for _ in 0..self.below(4) {
            self.put_one(&["", "  ", "      "]);
            self.put_one(&["text", "$${no}", "% 5", "\"quoted\"", "EOT2", "é"]);
            if self.one_in(3) {
                self.interpolation(2);
            }
            self.put("\n");
        }
        self.put_one(&["EOT", "  EOT"]);
    }

    fn interpolation(&mut self, depth: usize) {
        let free = std::mem::replace(&mut self.free, true);
        self.put_one(&["${", "${", "${~"]);
        self.gap();
        self.expr(depth);
        self.gap();
        self.put_one(&["}", "}", "~}"]);
        self.free = free;
    }

    fn string(&mut self, depth: usize) {
        self.put("\"");
        if depth > 0 && self.one_in(4) {
            self.interpolation(depth - 1);
            self.put("\"");
            return;
        }
        for _ in 0..self.below(4) {
            self.put_one(&[
                "text", " ", "é", "\\\"", "\\n", "$ ", "% ", "$${x}", "#", "//",
            ]);
            match self.below(5) {
                0 if depth > 0 => self.interpolation(depth - 1),
                1 if depth > 0 => {
                    self.put_one(&["%{if ", "%{ if  ", "%{~ if "]);
                    self.expr(0);
                    self.put_one(&["}yes%{else}no", " ~}yes", "}"]);
                    self.put_one(&["%{endif}", "%{  endif ~}"]);
                }
                _ => {}
            }
        }
        self.put("\"");
    }

    fn expr(&mut self, depth: usize) {
        self.budget = self.budget.saturating_sub(1);
        if depth == 0 || self.budget == 0 {
            return self.leaf();
        }
        let d = depth - 1;
        match self.below(14) {
            0 => self.string(d),
            1 => self.list(d),
            2 => self.object(d),
            3 => self.bracketed("(", ")", |g| g.expr(d)),
            4 => {
                self.put_one(&["max", "provider::x::y"]);
                self.bracketed("(", ")", |g| {
                    for _ in 0..g.below(3) {
                        g.expr(d);
                        g.gap();
                        g.put(",");
                        g.gap();
                    }
                    g.expr(d);
                    g.put_one(&["", "", "..."]);
                });
            }
            5 | 6 => {
                self.leaf();
                self.gap();
                self.put_one(&[
                    "+", " - ", " -", "*", " / ", "%", "==", "!=", "<", ">=", "&&", "||",
                ]);
                self.gap();
                self.expr(d);
            }
            7 => {
                self.put_one(&["-", "!", "- ", "! "]);
                self.leaf();
            }
            8 => {
                self.leaf();
                self.gap();
                self.put("?");
                self.gap();
                self.expr(d);
                self.gap();
                self.put(":");
                self.gap();
                self.expr(d);
            }
            9 => self.bracketed("[", "]", |g| {
                g.for_intro(d);
                g.expr(d);
                if g.one_in(3) {
                    g.space();
                    g.put("if ");
                    g.expr(d);
                }
            }),
            10 => self.bracketed("{", "}", |g| {
                g.for_intro(d);
                g.leaf();
                g.gap();
                g.put("=>");
                g.gap();
                g.expr(d);
                g.put_one(&["", "", "..."]);
            }),
            11 => self.access(),
            _ => self.leaf(),
        }
    }

    fn bracketed(&mut self, open: &str, close: &str, inside: impl FnOnce(&mut Generator)) {
        let free = std::mem::replace(&mut self.free, true);
        self.put(open);
        self.gap();
        inside(self);
        self.gap();
        self.put(close);
        self.free = free;
    }

    fn for_intro(&mut self, depth: usize) {
        self.put_one(&["for k in ", "for k,v in ", "for  k , v  in "]);
        self.expr(depth);
        self.gap();
        self.put(":");
        self.gap();
    }

    fn list(&mut self, depth: usize) {
        self.bracketed("[", "]", |g| {
            for _ in 0..g.below(4) {
                g.expr(depth);
                g.gap();
                g.put(",");
                g.gap();
            }
        });
    }

    fn object(&mut self, depth: usize) {
        let free = std::mem::replace(&mut self.free, false);
        self.put("{");
        let lines = self.one_in(2);
        for i in 0..self.below(4) {
            self.put_one(if lines {
                &["\n", " # c\n", "\n  \n"]
            } else {
                &["", " "]
            });
            self.name();
            self.put(&i.to_string());
            self.gap();
            self.put_one(&["=", ":"]);
            self.gap();
            self.expr(depth);
            self.gap();
            self.put_one(if lines { &["", ","] } else { &[","] });
        }
        self.put_one(if lines { &["\n"] } else { &["", " "] });
        self.put("}");
        self.free = free;
    }

    fn access(&mut self) {
        self.put_one(&["var", "module", "é"]);
        for _ in 0..self.below(3) + 1 {
            self.put_one(&[".a", " . a", "[0]", "[ \"k\" ]", "[ - 1 ]", "[ x ]"]);
        }
        self.put_one(&["", "", "[*].id", " [ * ]", ".*.id", ".0"]);
    }

    fn leaf(&mut self) {
        self.put_one(&[
            "1", "2.5", "1e3", "true", "null", "x", "var.a", "\"s\"", "\"\"", "f()", "[]", "{}",
            "local.é",
        ]);
    }
}
