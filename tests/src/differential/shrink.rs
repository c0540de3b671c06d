//! Random stacks, and smaller ones of them.

use super::answer::Answer;
use super::change;
use super::make::{Feature, Maker};
use super::model::{Expr, Item, Lifecycle, Module, Repeat, Step as Model};
use super::{Scenario, Step, render, sound};

/// A stack whose blocks are known one by one.
#[derive(Debug, Clone)]
pub struct Program {
    steps: Vec<Model>,
}

impl Program {
    /// The stack of a seed.
    pub fn random(seed: u64, features: &[Feature]) -> Program {
        let mut maker = Maker {
            rng: fastrand::Rng::with_seed(seed),
            features: features.to_vec(),
            sensitive: false,
        };
        let count = 2 + maker.below(4);
        Program {
            steps: change::steps(&mut maker, count),
        }
    }

    /// Its text, without answers.
    pub fn scenario(&self) -> Scenario {
        let step = |s: &Model| Step {
            flags: s.flags.clone(),
            commands: s.commands.clone(),
            files: render::files(s),
            answer: Answer::default(),
        };
        Scenario {
            about: String::new(),
            steps: self.steps.iter().map(step).collect(),
        }
    }

    /// Takes steps, blocks and parts of blocks out as long as `fails` says that what is left
    /// still fails; it is asked at most `tries` times.
    pub fn smaller(&self, tries: usize, mut fails: impl FnMut(&Program) -> bool) -> Program {
        let mut best = self.clone();
        let mut left = tries;
        loop {
            let smaller = best.candidates().into_iter().find(|c| {
                if *c == best.steps || left == 0 {
                    return false;
                }
                left -= 1;
                fails(&Program { steps: c.clone() })
            });
            match smaller {
                Some(steps) => best = Program { steps },
                None => return best,
            }
        }
    }

    fn candidates(&self) -> Vec<Vec<Model>> {
        let mut out = Vec::new();
        for at in (0..self.steps.len()).rev() {
            let mut steps = self.steps.clone();
            steps.remove(at);
            out.push(steps);
        }
        let mut paths = Vec::new();
        for step in &self.steps {
            collect(&step.root, &mut Vec::new(), &mut paths);
        }
        paths.sort();
        paths.dedup();
        for step in 0..self.steps.len() {
            for command in 0..self.steps[step].commands.len() {
                let mut steps = self.steps.clone();
                steps[step].commands.remove(command);
                out.push(steps);
            }
        }
        // Blocks out of all steps at once, then out of one step, then parts of blocks.
        let everywhere = 0..self.steps.len();
        for path in &paths {
            out.push(self.edited(everywhere.clone(), path, &|m, at| drop(m.items.remove(at))));
        }
        for step in 0..self.steps.len() {
            for note in 0..self.steps[step].root.notes.len() {
                let mut steps = self.steps.clone();
                steps[step].root.notes.remove(note);
                out.push(steps);
            }
        }
        for path in &paths {
            for simpler in PARTS {
                out.push(self.edited(everywhere.clone(), path, &|m, at| simpler(&mut m.items[at])));
            }
        }
        for step in everywhere {
            for path in &paths {
                out.push(self.edited(step..step + 1, path, &|m, at| drop(m.items.remove(at))));
            }
        }
        out
    }

    fn edited(
        &self,
        steps: std::ops::Range<usize>,
        path: &[String],
        edit: &dyn Fn(&mut Module, usize),
    ) -> Vec<Model> {
        let mut out = self.steps.clone();
        for step in &mut out[steps] {
            at(&mut step.root, path, edit);
            sound::mend(&mut step.root);
        }
        out
    }
}

/// Ways to make a block simpler.
const PARTS: &[fn(&mut Item)] = &[
    |i| {
        if let Item::Resource(r) = i {
            r.lifecycle = Lifecycle::default();
        }
    },
    |i| match i {
        Item::Resource(r) => r.depends_on.clear(),
        Item::Call(c) => c.depends_on.clear(),
        _ => {}
    },
    |i| {
        if let Item::Resource(r) = i {
            r.triggers = None;
        }
    },
    |i| {
        if let Item::Resource(r) = i {
            r.input = None;
        }
    },
    |i| match i {
        Item::Resource(r) => r.repeat = Repeat::One,
        Item::Call(c) => c.repeat = Repeat::One,
        _ => {}
    },
    |i| match i {
        Item::Local { value, .. } | Item::Output { value, .. } => *value = Expr::Int(1),
        Item::Call(c) => c.inputs.clear(),
        _ => {}
    },
];

fn collect(module: &Module, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    for item in &module.items {
        path.push(item.name().to_owned());
        out.push(path.clone());
        if let Item::Call(c) = item {
            collect(&c.module, path, out);
        }
        path.pop();
    }
}

fn at(module: &mut Module, path: &[String], edit: &dyn Fn(&mut Module, usize)) {
    let [name, rest @ ..] = path else { return };
    let Some(index) = module.items.iter().position(|i| i.name() == name) else {
        return;
    };
    if rest.is_empty() {
        return edit(module, index);
    }
    if let Item::Call(c) = &mut module.items[index] {
        at(&mut c.module, rest, edit);
    }
}
