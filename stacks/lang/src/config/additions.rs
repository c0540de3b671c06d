//! What a caller adds to a configuration that was read from files: a test does.

use super::{
    ModuleId,
    blocks::OutputBlock,
    lower::{Blocks, provider_block},
    module::{Module, Names, NodeIx, NodeKind},
    reader::Report,
};
use crate::{
    ir::{Block, Expr},
    sources::Sources,
};
use std::{collections::BTreeMap, mem, sync::Arc};
use weir_core::{Entries, Value};

/// What is added to a configuration, and what stands in the place of some of it.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// `provider` blocks of the root module; each stands in the place of the one of its name and
    /// alias.
    pub providers: Vec<Block>,
    /// Modules that are not evaluated, by path without instance keys (`module.net.module.dns`):
    /// values of their outputs. Outputs that are not named are null.
    pub stubs: BTreeMap<String, Entries>,
    /// What happens to values of variables that the root module does not declare.
    pub undeclared: Undeclared,
    /// Texts that the blocks come from.
    pub sources: Sources,
}

/// What happens to values of variables that are not declared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Undeclared {
    /// They are reported.
    #[default]
    Reported,
    /// They are left out.
    Ignored,
}

impl Additions {
    /// Puts the provider blocks among those of the root module.
    pub(super) fn add_providers(&self, root: &mut Blocks, report: &mut Report<'_>) {
        for block in &self.providers {
            let Some(added) = provider_block(block, report) else {
                continue;
            };
            let old = |p: &Arc<super::blocks::ProviderBlock>| p.provider == added.provider;
            match root.providers.iter().position(old) {
                Some(at) => root.providers[at] = added,
                None => root.providers.push(added),
            }
        }
    }

    /// Puts outputs with given values in the place of all that modules hold.
    pub(super) fn stub(&self, modules: &mut [Module]) {
        let mut moved: BTreeMap<ModuleId, Moved> = BTreeMap::new();
        for (m, module) in modules.iter_mut().enumerate() {
            if let Some(outputs) = self.stubs.get(&module.path) {
                moved.insert(ModuleId(m), stub(module, outputs));
            }
        }
        if moved.is_empty() {
            return;
        }
        // Nothing calls what is below them any more.
        for m in 0..modules.len() {
            let mut above = modules[m].parent;
            while let Some((parent, _)) = above {
                if self.stubs.contains_key(&modules[parent.0].path) {
                    modules[m].nodes = Vec::new();
                    modules[m].names = Names::default();
                    moved.insert(ModuleId(m), Moved::new());
                    break;
                }
                above = modules[parent.0].parent;
            }
        }
        for node in modules.iter_mut().flat_map(|m| &mut m.nodes) {
            node.uses.retain_mut(|(m, ix)| match moved.get(m) {
                None => true,
                Some(moved) => match moved.get(ix) {
                    Some(now) => {
                        *ix = *now;
                        true
                    }
                    None => false,
                },
            });
        }
    }
}

/// Where the nodes of a module are that stay.
type Moved = BTreeMap<NodeIx, NodeIx>;

fn stub(module: &mut Module, outputs: &Entries) -> Moved {
    let mut moved = Moved::new();
    let mut names = Names::default();
    let mut nodes = Vec::new();
    for (was, mut node) in mem::take(&mut module.nodes).into_iter().enumerate() {
        let ix = NodeIx(nodes.len());
        match &node.kind {
            NodeKind::Variable(v) => drop(names.variables.insert(v.name.clone(), ix)),
            NodeKind::Output(o) => {
                names.outputs.insert(o.name.clone(), ix);
                node.uses = Vec::new();
                let value = outputs.get(&o.name).cloned();
                let value = value.unwrap_or_else(Value::null);
                node.kind = NodeKind::Output(Arc::new(OutputBlock {
                    name: o.name.clone(),
                    value: Expr::literal(value, o.value.span.clone()),
                    description: o.description.clone(),
                    sensitive: o.sensitive,
                    ephemeral: o.ephemeral,
                    preconditions: Vec::new(),
                    depends_on: Vec::new(),
                    span: o.span.clone(),
                }));
            }
            _ => continue,
        }
        moved.insert(NodeIx(was), ix);
        nodes.push(node);
    }
    module.nodes = nodes;
    module.names = names;
    moved
}
