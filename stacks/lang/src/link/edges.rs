//! The references of every node.

use super::{
    Edge, Place, providers,
    targets::{Names, collect_body, dependency_targets, targets},
};
use crate::{
    config::{
        Module, ModuleId, NodeIx, NodeKind,
        blocks::{Pod, PodRepeat, Repeat, Resource, Rule, Service},
        reader::Report,
    },
    ir::{Expr, Reference},
};
use std::{collections::BTreeMap, sync::Arc};

/// All edges, by module and node.
pub(super) fn all(
    modules: &[Module],
    providers: &BTreeMap<Place, providers::Resolved>,
    report: &mut Report<'_>,
) -> Vec<Vec<Vec<Edge>>> {
    let mut all = Vec::with_capacity(modules.len());
    for m in 0..modules.len() {
        let module = ModuleId(m);
        let mut of_module = Vec::with_capacity(modules[m].nodes.len());
        for n in 0..modules[m].nodes.len() {
            let mut finder = Finder {
                modules,
                module,
                node: NodeIx(n),
                edges: Vec::new(),
                report,
            };
            finder.node();
            if let Some(provider) = providers.get(&(module, NodeIx(n)))
                && let Some(block) = provider.block
            {
                let span = modules[m].nodes[n].span.clone();
                finder.edges.push(Edge {
                    to: (ModuleId(0), block),
                    span,
                });
            }
            // What stands in a module comes after the decision how many instances it has.
            if let Some((parent, call)) = modules[m].parent {
                let span = modules[parent.0].node(call).span.clone();
                finder.edges.push(Edge {
                    to: (parent, call),
                    span,
                });
            }
            of_module.push(finder.edges);
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
    report: &'a mut Report<'r>,
}

impl Finder<'_, '_> {
    fn node(&mut self) {
        let kind = self.modules[self.module.0].node(self.node).kind.clone();
        match &kind {
            NodeKind::Variable(v) => {
                self.argument(&v.name);
                // A validation may name its own variable: that is no loop.
                let own = self.node;
                let before = self.edges.len();
                self.rules(&v.validations, Names::default());
                let here = (self.module, own);
                let mut i = before;
                while i < self.edges.len() {
                    if self.edges[i].to == here {
                        self.edges.remove(i);
                    } else {
                        i += 1;
                    }
                }
            }
            NodeKind::Local(l) => self.expr(&l.expr, Names::default()),
            NodeKind::Output(o) => {
                self.expr(&o.value, Names::default());
                self.rules(&o.preconditions, Names::default());
                self.depends_on(&o.depends_on);
            }
            NodeKind::Provider(p) => {
                let mut references = Vec::new();
                collect_body(&p.body, &mut Vec::new(), &mut references);
                self.references(references, Names::default());
            }
            NodeKind::Resource(r) => self.resource(r),
            NodeKind::Call(c, _) => {
                self.repeat(&c.repeat);
                self.depends_on(&c.depends_on);
            }
            NodeKind::Site(s) => self.body(&s.body),
            NodeKind::Cluster(c) => self.body(&c.body),
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
        for reference in input.expr.references() {
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
        self.rules(&resource.postconditions, Names { own: true, ..names });
        self.depends_on(&resource.depends_on);
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
        if let Repeat::Count(expr) | Repeat::ForEach(expr) = repeat {
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

    fn dependency(&mut self, reference: &Reference) {
        let found = dependency_targets(self.modules, self.module, reference, self.report);
        self.edges.extend(found.into_iter().map(|to| Edge {
            to,
            span: reference.span.clone(),
        }));
    }
}
