//! The references of every node.

use super::{
    Edge, Place,
    providers::Servings,
    targets::{Names, all_of, checks_in, collect_body, dependency_targets, targets, whole_call},
};
use crate::{
    config::{
        Module, ModuleId, NodeIx, NodeKind, Serving,
        blocks::{CheckBlock, ImportBlock, Pod, PodRepeat, Repeat, Resource, Rule, Service},
        reader::Report,
    },
    ir::{Expr, Reference},
};
use std::{collections::BTreeSet, sync::Arc};

/// All edges, by module and node; nodes with a reference that leads nowhere are `broken`. `wholes`
/// gets, of each node, all of the modules that it refers to as a whole.
pub(super) fn all(
    modules: &[Module],
    providers: &Servings,
    broken: &mut BTreeSet<Place>,
    wholes: &mut Vec<(Place, Place)>,
    report: &mut Report<'_>,
) -> Vec<Vec<Vec<Edge>>> {
    let mut all = Vec::with_capacity(modules.len());
    for m in 0..modules.len() {
        let module = ModuleId(m);
        let mut of_module = Vec::with_capacity(modules[m].nodes.len());
        for n in 0..modules[m].nodes.len() {
            let before = report.diagnostics.0.len();
            let mut finder = Finder {
                modules,
                module,
                node: NodeIx(n),
                edges: Vec::new(),
                wholes: Vec::new(),
                report,
            };
            finder.node();
            if let Some(serving) = providers.of((module, NodeIx(n))) {
                finder.serving(serving);
            }
            for import in &modules[m].nodes[n].imports {
                let span = modules[m].nodes[n].span.clone();
                let to = (ModuleId(0), *import);
                finder.edges.push(Edge { to, span });
            }
            // What stands in a module comes after the decision how many instances it has.
            if let Some((parent, call)) = modules[m].parent {
                let span = modules[parent.0].node(call).span.clone();
                finder.edges.push(Edge {
                    to: (parent, call),
                    span,
                });
            }
            wholes.extend(
                finder
                    .wholes
                    .into_iter()
                    .map(|to| ((module, NodeIx(n)), to)),
            );
            of_module.push(finder.edges);
            let found = &report.diagnostics.0[before..];
            if found.iter().any(weir_core::Diagnostic::is_error) {
                broken.insert((module, NodeIx(n)));
            }
        }
        all.push(of_module);
    }
    all
}

struct Finder<'a, 'r> {
    modules: &'a [Module],
    module: ModuleId,
    node: NodeIx,
    edges: Vec<Edge>,
    /// What lies in modules that are referred to as a whole. Whoever refers to it need not come
    /// after it, and still stands for it with targets.
    wholes: Vec<Place>,
    report: &'a mut Report<'r>,
}

impl Finder<'_, '_> {
    fn node(&mut self) {
        let kind = self.modules[self.module.0].node(self.node).kind.clone();
        match &kind {
            NodeKind::Variable(v) => {
                self.argument(&v.name);
                if !v.validates_others() {
                    // Its validations name the variable itself alone: that is no loop.
                    let depth = self.edges.len();
                    self.rules(&v.validations, Names::default());
                    self.edges.truncate(depth);
                }
            }
            NodeKind::Validation(v) => {
                self.rules(&v.validations, Names::default());
                if let Some(ix) = self.modules[self.module.0].names.variables.get(&v.name) {
                    let to = (self.module, *ix);
                    let span = v.span.clone();
                    self.edges.push(Edge { to, span });
                }
            }
            NodeKind::Check(c) => self.check(c),
            NodeKind::Import(i) => self.import(i),
            NodeKind::Local(l) => self.expr(&l.expr, Names::default()),
            NodeKind::Output(o) => {
                self.expr(&o.value, Names::default());
                self.rules(&o.preconditions, Names::default());
                self.depends_on(&o.depends_on);
            }
            NodeKind::Provider(p) => {
                self.repeat(&p.repeat);
                let mut references = Vec::new();
                collect_body(&p.body, &mut Vec::new(), &mut references);
                self.references(references, Names::of(&p.repeat));
            }
            NodeKind::Resource(r) => self.resource(r),
            NodeKind::Call(c, _) => {
                self.repeat(&c.repeat);
                self.depends_on(&c.depends_on);
            }
            NodeKind::Site(s) => self.body(&s.body),
            NodeKind::Pools(c) => self.body(&c.body),
            NodeKind::Cluster(c) => {
                self.body(&c.body);
                for made in &c.makes {
                    self.expr(&made.hosts, Names::default());
                }
            }
            NodeKind::Service(s) => self.service(s),
            NodeKind::Pods(s, p) => self.pods(s, p),
        }
    }

    fn body(&mut self, body: &crate::ir::Body) {
        let mut references = Vec::new();
        collect_body(body, &mut Vec::new(), &mut references);
        self.references(references, Names::default());
    }

    /// What the caller of this module gives for a variable.
    fn argument(&mut self, variable: &Arc<str>) {
        let Some((parent, call)) = self.modules[self.module.0].parent else {
            return;
        };
        let NodeKind::Call(call, _) = &self.modules[parent.0].node(call).kind else {
            return;
        };
        let Some(input) = call.inputs.iter().find(|i| i.name == *variable) else {
            return;
        };
        let repeat = Names::of(&call.repeat);
        let references = input.expr.references();
        self.wholes(&references, parent);
        for reference in references {
            let found = targets(self.modules, parent, &reference, &repeat, self.report);
            self.edges.extend(found.into_iter().map(|to| Edge {
                to,
                span: reference.span.clone(),
            }));
        }
    }

    fn resource(&mut self, resource: &Resource) {
        self.repeat(&resource.repeat);
        let names = Names::of(&resource.repeat);
        let mut references = Vec::new();
        collect_body(&resource.body, &mut Vec::new(), &mut references);
        self.references(references, names.clone());
        self.rules(&resource.preconditions, names.clone());
        if let Some(prevent) = &resource.lifecycle.prevent_destroy {
            self.expr(prevent, names.clone());
        }
        for trigger in &resource.lifecycle.triggers {
            self.references(vec![trigger.reference.clone()], names.clone());
            if let Some(index) = &trigger.index {
                self.expr(index, names.clone());
            }
        }
        let own = Names { own: true, ..names };
        self.rules(&resource.postconditions, own);
        self.depends_on(&resource.depends_on);
    }

    /// The block of the provider that serves this, and what the key to it refers to.
    fn serving(&mut self, serving: &Serving) {
        if let Some(to) = serving.block {
            let span = self.modules[self.module.0].node(self.node).span.clone();
            self.edges.push(Edge { to, span });
        }
        let Some((level, key)) = &serving.key else {
            return;
        };
        let mut at = self.module;
        let mut names = match &self.modules[at.0].node(self.node).kind {
            NodeKind::Resource(r) => Names::of(&r.repeat),
            _ => Names::default(),
        };
        for _ in 0..*level {
            let Some((parent, call)) = self.modules[at.0].parent else {
                return;
            };
            if let NodeKind::Call(call, _) = &self.modules[parent.0].node(call).kind {
                names = Names::of(&call.repeat);
            }
            at = parent;
        }
        for reference in key.references() {
            let found = targets(self.modules, at, &reference, &names, self.report);
            self.edges.extend(found.into_iter().map(|to| Edge {
                to,
                span: reference.span.clone(),
            }));
        }
    }

    fn check(&mut self, check: &CheckBlock) {
        let names = Names {
            check: Some(&check.name),
            ..Names::default()
        };
        self.rules(&check.asserts, names);
        let of_module = &self.modules[self.module.0].names;
        if let Some(ix) = check.scoped.as_ref().and_then(|o| of_module.object(o)) {
            let to = (self.module, ix);
            let span = check.span.clone();
            self.edges.push(Edge { to, span });
        }
    }

    fn import(&mut self, import: &ImportBlock) {
        if let Some(each) = &import.for_each {
            self.expr(each, Names::default());
        }
        let names = Names {
            each: import.for_each.is_some(),
            ..Names::default()
        };
        let keys = import.to.modules.iter().filter_map(|(_, key)| key.as_ref());
        for expr in keys.chain(&import.to.key).chain([&import.id]) {
            self.expr(expr, names.clone());
        }
    }

    fn service(&mut self, service: &Service) {
        for a in &service.body.attributes {
            if &*a.name != "needs" {
                self.expr(&a.expr, Names::default());
            }
        }
        for pod in &service.pods {
            if let PodRepeat::Count(Some(count)) = &pod.repeat {
                self.expr(count, Names::default());
            }
            let names = Names {
                pod: Some(service),
                ..Names::default()
            };
            for block in [&pod.place, &pod.resources].into_iter().flatten() {
                let mut references = Vec::new();
                collect_body(&block.body, &mut Vec::new(), &mut references);
                self.references(references, names.clone());
            }
        }
    }

    fn pods(&mut self, service: &Service, pod: &Pod) {
        let own = self.modules[self.module.0]
            .names
            .services
            .get(&service.name)
            .copied();
        if let Some(own) = own {
            self.edges.push(Edge {
                to: (self.module, own),
                span: pod.span.clone(),
            });
        }
        let mut references = Vec::new();
        collect_body(&pod.body, &mut Vec::new(), &mut references);
        let names = Names {
            own: true,
            pod: Some(service),
            service: own,
            ..Names::default()
        };
        self.references(references, names);
        if let Some(needs) = service.body.attribute("needs") {
            for reference in needs.expr.references() {
                self.dependency(&reference);
            }
        }
    }

    fn repeat(&mut self, repeat: &Repeat) {
        if let Repeat::Count(expr) | Repeat::ForEach(expr) | Repeat::Enabled(expr) = repeat {
            self.expr(expr, Names::default());
        }
    }

    fn rules(&mut self, rules: &[Rule], names: Names<'_>) {
        for rule in rules {
            self.expr(&rule.condition, names.clone());
            self.expr(&rule.message, names.clone());
        }
    }

    fn expr(&mut self, expr: &Expr, names: Names<'_>) {
        self.references(expr.references(), names);
    }

    fn references(&mut self, references: Vec<Reference>, names: Names<'_>) {
        self.wholes(&references, self.module);
        for reference in references {
            let found = targets(self.modules, self.module, &reference, &names, self.report);
            self.edges.extend(found.into_iter().map(|to| Edge {
                to,
                span: reference.span.clone(),
            }));
        }
    }

    fn depends_on(&mut self, references: &[Reference]) {
        for reference in references {
            self.dependency(reference);
        }
    }

    /// All of the modules that are named as a whole, rather than by an output.
    fn wholes(&mut self, references: &[Reference], from: ModuleId) {
        let module = &self.modules[from.0];
        for reference in references {
            let called = whole_call(reference).and_then(|n| module.names.calls.get(n));
            if let Some(call) = called
                && let NodeKind::Call(_, child) = &module.node(*call).kind
            {
                all_of(self.modules, *child, &mut self.wholes);
                checks_in(self.modules, *child, &mut self.wholes);
            }
        }
    }

    fn dependency(&mut self, reference: &Reference) {
        self.wholes(std::slice::from_ref(reference), self.module);
        let found = dependency_targets(self.modules, self.module, reference, self.report);
        // That a block comes after itself says nothing.
        let own = (self.module, self.node);
        let found = found.into_iter().filter(|to| *to != own);
        self.edges.extend(found.map(|to| Edge {
            to,
            span: reference.span.clone(),
        }));
    }
}
