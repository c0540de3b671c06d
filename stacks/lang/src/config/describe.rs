//! The configuration as it was written, for those who show it: `show -json`, graphs. Nothing in
//! here is evaluated but what is written out.

use super::{
    Config, Module, ModuleId, NodeKind, RequiredProvider,
    blocks::{LocalProvider, ModuleCall, Repeat},
    module::{import_provider, provider_name},
    reader::constant,
};
use crate::{
    eval::Context,
    functions::Registry,
    ir::{Attribute, Body, Expr, Reference},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use weir_core::{Object, Value};

/// A module at one place of the tree.
#[derive(Clone, Copy)]
pub struct ModuleView<'c> {
    config: &'c Config,
    module: &'c Module,
    /// The way to it without instance keys, `module.net.module.dns`; empty for the root.
    pub path: &'c str,
}

/// `variable "name" {}`
#[derive(Debug, Clone, Copy)]
pub struct VariableView<'c> {
    /// Its name.
    pub name: &'c str,
    /// `default`
    pub default: Option<&'c Value>,
    /// `description`
    pub description: Option<&'c str>,
    /// `sensitive`
    pub sensitive: bool,
    /// `ephemeral`
    pub ephemeral: bool,
}

/// `output "name" {}`
#[derive(Debug, Clone)]
pub struct OutputView<'c> {
    /// Its name.
    pub name: &'c str,
    /// `value`
    pub value: &'c Expr,
    /// `description`
    pub description: Option<&'c str>,
    /// `sensitive`
    pub sensitive: bool,
    /// `ephemeral`
    pub ephemeral: bool,
    /// `depends_on`, as it was written.
    pub depends_on: Vec<String>,
}

/// A provider configuration as a module names it: `aws`, `aws.west`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderName {
    /// The provider's local name.
    pub name: String,
    /// `alias`
    pub alias: Option<String>,
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.alias {
            None => f.write_str(&self.name),
            Some(alias) => write!(f, "{}.{alias}", self.name),
        }
    }
}

impl From<&LocalProvider> for ProviderName {
    fn from(local: &LocalProvider) -> ProviderName {
        ProviderName {
            name: local.name.clone(),
            alias: local.alias.clone(),
        }
    }
}

/// `provider "name" {}`
#[derive(Debug, Clone)]
pub struct ProviderView<'c> {
    /// Its name and alias.
    pub provider: ProviderName,
    /// Its configuration.
    pub body: &'c Body,
}

/// How often a block is instantiated.
#[derive(Debug, Clone, Copy)]
pub enum RepeatView<'c> {
    /// Once.
    Once,
    /// `count`
    Count(&'c Expr),
    /// `for_each`
    ForEach(&'c Expr),
    /// `lifecycle { enabled = ... }`
    Enabled(&'c Expr),
}

/// A block that instances come from: `resource`, `data`, a site's hosts, a service's pod.
#[derive(Debug, Clone)]
pub struct ResourceView<'c> {
    /// What it is.
    pub object: Object,
    /// The body without what the language itself reads.
    pub body: &'c Body,
    /// How often there is one.
    pub repeat: RepeatView<'c>,
    /// The provider configuration as its module names it.
    pub provider: ProviderName,
    /// `depends_on`, as it was written.
    pub depends_on: Vec<String>,
}

/// `module "name" {}`
#[derive(Clone)]
pub struct CallView<'c> {
    /// Its name.
    pub name: &'c str,
    /// `source`, as it was written.
    pub source: &'c str,
    /// The arguments.
    pub inputs: &'c [Attribute],
    /// How often there is one.
    pub repeat: RepeatView<'c>,
    /// `providers`: the configuration as the called module names it, and as the caller does.
    pub providers: Vec<(ProviderName, ProviderName)>,
    /// `depends_on`, as it was written.
    pub depends_on: Vec<String>,
    /// The module that is called.
    pub module: ModuleView<'c>,
}

impl Config {
    /// Every module of the tree, the root first.
    pub fn describe(&self) -> impl Iterator<Item = ModuleView<'_>> {
        (0..self.modules.len()).map(|id| ModuleView::new(self, ModuleId(id)))
    }

    /// The root module.
    pub fn root(&self) -> ModuleView<'_> {
        ModuleView::new(self, ModuleId(0))
    }

    /// The values of the root module's variables.
    pub fn variable_values(&self) -> &BTreeMap<Arc<str>, Value> {
        &self.values
    }

    /// The value of an expression that is written out: no name, no function call.
    pub fn constant(&self, expr: &Expr) -> Option<Value> {
        let context = Context {
            functions: Arc::new(Registry::default()),
            files: None,
            ..self.context.clone()
        };
        constant(expr, &context, "a constant").ok()
    }
}

fn texts(references: &[Reference]) -> Vec<String> {
    references.iter().map(Reference::to_string).collect()
}

fn repeat(repeat: &Repeat) -> RepeatView<'_> {
    match repeat {
        Repeat::Once => RepeatView::Once,
        Repeat::Count(e) => RepeatView::Count(e),
        Repeat::ForEach(e) => RepeatView::ForEach(e),
        Repeat::Enabled(e) => RepeatView::Enabled(e),
    }
}

impl<'c> ModuleView<'c> {
    fn new(config: &'c Config, id: ModuleId) -> ModuleView<'c> {
        let module = &config.modules[id.0];
        ModuleView {
            config,
            module,
            path: &module.path,
        }
    }

    /// Local names of the providers that its blocks use; an `import` uses one even where what it
    /// names has no block.
    pub fn provider_names(&self) -> BTreeSet<String> {
        let resources = self.resources().map(|r| r.provider.name);
        let blocks = self.providers().map(|p| p.provider.name.clone());
        let imports = self.kinds().filter_map(|kind| match kind {
            NodeKind::Import(i) => import_provider(i),
            _ => None,
        });
        resources.chain(blocks).chain(imports).collect()
    }

    fn kinds(&self) -> impl Iterator<Item = &'c NodeKind> + use<'c> {
        self.module.nodes.iter().map(|n| &n.kind)
    }

    /// Its variables, in source order.
    pub fn variables(&self) -> impl Iterator<Item = VariableView<'c>> + use<'c> {
        self.kinds().filter_map(|kind| match kind {
            NodeKind::Variable(v) => Some(VariableView {
                name: &v.name,
                default: v.default.as_ref(),
                description: v.description.as_deref(),
                sensitive: v.sensitive,
                ephemeral: v.ephemeral,
            }),
            _ => None,
        })
    }

    /// The expression of a local value.
    pub fn local(&self, name: &str) -> Option<&'c Expr> {
        let ix = self.module.names.locals.get(name)?;
        match &self.module.node(*ix).kind {
            NodeKind::Local(l) => Some(&l.expr),
            _ => None,
        }
    }

    /// Its outputs, in source order.
    pub fn outputs(&self) -> impl Iterator<Item = OutputView<'c>> + use<'c> {
        self.kinds().filter_map(|kind| match kind {
            NodeKind::Output(o) => Some(OutputView {
                name: &o.name,
                value: &o.value,
                description: o.description.as_deref(),
                sensitive: o.sensitive,
                ephemeral: o.ephemeral,
                depends_on: texts(&o.depends_on),
            }),
            _ => None,
        })
    }

    /// Its `required_providers`.
    pub fn required_providers(&self) -> &'c [RequiredProvider] {
        &self.module.required
    }

    /// Its provider blocks, in source order.
    pub fn providers(&self) -> impl Iterator<Item = ProviderView<'c>> + use<'c> {
        self.kinds().filter_map(|kind| match kind {
            NodeKind::Provider(p) => Some(ProviderView {
                provider: (&p.provider).into(),
                body: &p.body,
            }),
            _ => None,
        })
    }

    /// Its blocks that instances come from, in source order.
    pub fn resources(&self) -> impl Iterator<Item = ResourceView<'c>> + use<'c> {
        let host = || ProviderName::from(&LocalProvider::new("host"));
        let made = move |object, body| ResourceView {
            object,
            body,
            repeat: RepeatView::Once,
            provider: host(),
            depends_on: Vec::new(),
        };
        self.kinds().filter_map(move |kind| match kind {
            NodeKind::Resource(r) => Some(ResourceView {
                object: r.object.clone(),
                body: &r.body,
                repeat: repeat(&r.repeat),
                provider: match &r.provider {
                    Some(used) => (&used.provider).into(),
                    None => (&LocalProvider::new(provider_name(r))).into(),
                },
                depends_on: texts(&r.depends_on),
            }),
            NodeKind::Site(s) => {
                let site = s.name.to_string();
                Some(made(Object::Host { site: site.into() }, &s.body))
            }
            NodeKind::Pods(s, p) => {
                let (service, pod) = (s.name.to_string(), p.name.to_string());
                Some(made(
                    Object::Pod {
                        service: service.into(),
                        pod: pod.into(),
                    },
                    &p.body,
                ))
            }
            _ => None,
        })
    }

    /// The modules it calls, in source order.
    pub fn calls(&self) -> impl Iterator<Item = CallView<'c>> + use<'c> {
        let config = self.config;
        self.kinds().filter_map(move |kind| match kind {
            NodeKind::Call(call, id) => Some(view(config, call, *id)),
            _ => None,
        })
    }
}

fn view<'c>(config: &'c Config, call: &'c ModuleCall, id: ModuleId) -> CallView<'c> {
    CallView {
        name: &call.name,
        source: &call.source,
        inputs: &call.inputs,
        repeat: repeat(&call.repeat),
        providers: (call.providers.iter())
            .map(|(inner, outer)| (inner.into(), (&outer.provider).into()))
            .collect(),
        depends_on: texts(&call.depends_on),
        module: ModuleView::new(config, id),
    }
}
