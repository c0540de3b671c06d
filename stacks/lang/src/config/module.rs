//! One module at one place of the tree: its nodes, and the names they go by.

use super::{
    RequiredProvider,
    blocks::{
        CheckBlock, Cluster, ImportBlock, Local, LocalProvider, ModuleCall, OutputBlock, Pod,
        ProviderBlock, Resource, Service, Site, Statement, Variable,
    },
};
use crate::ir::Expr;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use weir_core::{
    ModulePath, Span,
    address::{self, ProviderRef},
};

/// A module: its place in [`super::Config::modules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModuleId(pub(crate) usize);

/// A node of a module: its place in [`Module::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeIx(pub(crate) usize);

/// A module at one place of the tree.
#[derive(Debug)]
pub(crate) struct Module {
    /// The module that calls it, and the call.
    pub(crate) parent: Option<(ModuleId, NodeIx)>,
    /// The way to it from the root; no step has a key.
    pub(crate) steps: ModulePath,
    /// That as text: `module.net.module.dns`; empty for the root.
    pub(crate) path: String,
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// Everything in it that is evaluated.
    pub(crate) nodes: Vec<Node>,
    pub(crate) names: Names,
    /// Its `required_providers`.
    pub(crate) required: Vec<RequiredProvider>,
    /// Its `moved` and `removed` blocks, as they stand in it.
    pub(crate) statements: Vec<Statement>,
}

/// Something that is evaluated.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Span,
    /// Its place in an order in which everything comes after what it refers to.
    pub(crate) rank: u32,
    /// It has `create_before_destroy`, or something that has it depends on it.
    pub(crate) create_first: bool,
    /// The provider configuration that serves a resource.
    pub(crate) provider: Option<Serving>,
    /// Whether it is in error, which is reported: it is never evaluated.
    pub(crate) is_broken: bool,
    /// Whether a variable's validations come after it, as [`NodeKind::Validation`]: they refer to
    /// something that refers to the variable. Else they are part of it, so that nothing goes on
    /// with a value that is refused.
    pub(crate) validated_later: bool,
    /// The root module's `import` blocks that name instances of a resource.
    pub(crate) imports: Vec<NodeIx>,
    /// The nodes it refers to, each once.
    pub(crate) uses: Vec<(ModuleId, NodeIx)>,
}

/// The provider configuration that serves a resource.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    /// Without the key.
    pub(crate) provider: ProviderRef,
    /// Its block, where there is one.
    pub(crate) block: Option<(ModuleId, NodeIx)>,
    /// Which instance of a block with `for_each`: the expression, and how many modules above the
    /// resource it stands (in a call's `providers`), none where the resource itself says it.
    pub(crate) key: Option<(usize, Expr)>,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    Variable(Arc<Variable>),
    /// The validations of a variable that refer to more than the variable, where something they
    /// refer to needs the variable: they come after it, and nothing comes after them.
    Validation(Arc<Variable>),
    Local(Arc<Local>),
    Output(Arc<OutputBlock>),
    Provider(Arc<ProviderBlock>),
    Resource(Arc<Resource>),
    Call(Arc<ModuleCall>, ModuleId),
    Site(Arc<Site>),
    /// The pools of a cluster whose machines a cloud makes: what each offer is to make.
    Pools(Arc<Cluster>),
    Cluster(Arc<Cluster>),
    Check(Arc<CheckBlock>),
    Import(Arc<ImportBlock>),
    /// A service up to its placement.
    Service(Arc<Service>),
    /// The instances of one of its pods.
    Pods(Arc<Service>, Arc<Pod>),
}

/// The nodes of a module by name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) variables: BTreeMap<Arc<str>, NodeIx>,
    pub(crate) locals: BTreeMap<Arc<str>, NodeIx>,
    pub(crate) outputs: BTreeMap<Arc<str>, NodeIx>,
    pub(crate) providers: BTreeMap<LocalProvider, NodeIx>,
    pub(crate) managed: ByTypeAndName,
    pub(crate) data: ByTypeAndName,
    pub(crate) ephemeral: ByTypeAndName,
    pub(crate) checks: BTreeMap<Arc<str>, NodeIx>,
    pub(crate) calls: BTreeMap<Arc<str>, NodeIx>,
    pub(crate) sites: BTreeMap<Arc<str>, NodeIx>,
    pub(crate) clusters: BTreeMap<Arc<str>, NodeIx>,
    /// The pools of clusters, by the cluster.
    pub(crate) pools: BTreeMap<Arc<str>, NodeIx>,
    pub(crate) services: BTreeMap<Arc<str>, NodeIx>,
    pub(crate) pods: BTreeMap<(NodeIx, Arc<str>), NodeIx>,
}

impl Module {
    pub(crate) fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.0]
    }
}

impl NodeKind {
    /// The node as the user names it, within its module.
    pub(crate) fn title(&self) -> String {
        match self {
            NodeKind::Variable(v) => format!("var.{}", v.name),
            NodeKind::Validation(v) => format!("var.{}", v.name),
            NodeKind::Local(l) => format!("local.{}", l.name),
            NodeKind::Output(o) => format!("output.{}", o.name),
            NodeKind::Provider(p) => format!("provider.{}", p.provider),
            NodeKind::Resource(r) => r.object.to_string(),
            NodeKind::Call(c, _) => address::step(&c.name),
            NodeKind::Site(s) => format!("site.{}", s.name),
            NodeKind::Cluster(c) => format!("cluster.{}", c.name),
            NodeKind::Pools(c) => format!("cluster.{}.pool", c.name),
            NodeKind::Check(c) => format!("check.{}", c.name),
            NodeKind::Import(i) => format!("import.{}", i.to.object),
            NodeKind::Service(s) => format!("service.{}", s.name),
            NodeKind::Pods(s, p) => format!("service.{}.pod.{}", s.name, p.name),
        }
    }
}

/// The local name of the provider that serves a resource, as its block says or its type implies.
pub(crate) fn provider_name(resource: &Resource) -> String {
    match &resource.provider {
        Some(used) => used.provider.name.clone(),
        None => implied_provider(resource.object.type_name()).to_owned(),
    }
}

/// The local name of the provider of what is imported into the root module.
pub(crate) fn import_provider(import: &ImportBlock) -> Option<String> {
    let implied = || implied_provider(import.to.object.type_name()).to_owned();
    let said = import.provider.as_ref().map(|p| p.provider.name.clone());
    let own = import.to.modules.is_empty();
    own.then(|| said.unwrap_or_else(implied))
}

/// Blocks by their type, and by their name.
type ByTypeAndName = BTreeMap<Arc<str>, BTreeMap<Arc<str>, NodeIx>>;

/// The provider a type's name begins with.
pub(crate) fn implied_provider(ty: &str) -> &str {
    ty.split_once('_').map_or(ty, |(provider, _)| provider)
}

impl Names {
    /// The block of a resource, a data source or an ephemeral resource.
    pub(crate) fn resources(&self, root: &str) -> Option<&ByTypeAndName> {
        match root {
            "data" => Some(&self.data),
            "ephemeral" => Some(&self.ephemeral),
            _ => None,
        }
    }

    /// The node of an object's block.
    pub(crate) fn object(&self, object: &weir_core::Object) -> Option<NodeIx> {
        use weir_core::Object;
        let of = |names: &BTreeMap<Arc<str>, BTreeMap<Arc<str>, NodeIx>>, ty: &str, name: &str| {
            names.get(ty)?.get(name).copied()
        };
        match object {
            Object::Managed { ty, name } => of(&self.managed, ty, name),
            Object::Data { ty, name } => of(&self.data, ty, name),
            Object::Ephemeral { ty, name } => of(&self.ephemeral, ty, name),
            Object::Host { site } => self.sites.get(site.as_str()).copied(),
            Object::Pod { service, pod } => {
                let service = self.services.get(service.as_str())?;
                self.pods.get(&(*service, Arc::from(pod.as_str()))).copied()
            }
        }
    }
}
