//! What the properties of the language's own bodies are.

use crate::services::schema;
use weir_core::schema::{Block, Nesting};

/// What the strings in a value are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Templates: `"${var.name}-1"`.
    Template,
    /// Text as it is: where nothing is evaluated, `${` means nothing.
    Verbatim,
    /// Expressions of the native syntax: names, types.
    Native,
    /// An entry of `required_providers`: text, and names in `configuration_aliases`.
    Requirement,
}

/// What a property is.
pub(super) enum Member {
    /// An attribute.
    Attribute(Reads),
    /// Blocks, each with such a body.
    Blocks(Kind),
    /// A schema that is not known here decides.
    Either,
    /// Nothing of the language: said where blocks are sorted.
    Unknown,
}

/// A kind of body.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    File,
    Variable,
    Output,
    Provider,
    Resource,
    Ephemeral,
    Module,
    Terraform,
    Backend,
    Lifecycle,
    /// `precondition`, `validation`, `assert` and the like.
    Rule,
    Moved,
    Removed,
    Import,
    Check,
    Provisioner,
    Dynamic,
    /// Attributes alone.
    Attributes(Reads),
    /// `locals`
    Locals,
    /// What a provider's schema describes, with so many labels.
    Open {
        labels: usize,
    },
    /// What one of weir's own schemas describes.
    Own {
        block: fn() -> &'static Block,
        labels: usize,
    },
    /// A nested block of one of weir's own.
    Nested {
        block: &'static Block,
        labels: usize,
    },
    Service,
    Pod,
    Stack,
    State,
    /// A file of tests.
    Tests,
    Run,
    PlanOptions,
    MockProvider,
    /// A file of mocks: what stands in a mocked provider too.
    Mocks,
    /// `mock_resource`, `mock_data`
    Mock,
    /// `override_resource`, `override_data`, `override_module`
    Override,
}

impl Kind {
    /// What each label of such a block says.
    pub(super) fn labels(self) -> &'static [&'static str] {
        match self {
            Kind::Resource | Kind::Ephemeral => &["type", "name"],
            Kind::Variable
            | Kind::Output
            | Kind::Provider
            | Kind::Module
            | Kind::Check
            | Kind::Service
            | Kind::Pod
            | Kind::Stack
            | Kind::Run
            | Kind::MockProvider => &["name"],
            Kind::Backend | Kind::Provisioner | Kind::Dynamic | Kind::Mock => &["type"],
            Kind::State => &["kind"],
            Kind::Open { labels: 1 } | Kind::Own { labels: 1, .. } => &["name"],
            Kind::Nested { labels: 1, .. } => &["name"],
            _ => &[],
        }
    }

    /// What a property of such a body is.
    pub(super) fn member(self, name: &str) -> Member {
        use Member::{Attribute, Blocks, Either, Unknown};
        let template = Attribute(Reads::Template);
        let verbatim = Attribute(Reads::Verbatim);
        let native = Attribute(Reads::Native);
        match (self, name) {
            (Kind::File, name) => file(name).map_or(Unknown, Blocks),

            (Kind::Variable, "type") => native,
            (Kind::Variable, "validation") => Blocks(Kind::Rule),
            (Kind::Variable, _) => verbatim,

            (Kind::Output, "description" | "sensitive" | "ephemeral") => verbatim,
            (Kind::Output, "precondition") => Blocks(Kind::Rule),

            (Kind::Provider, "alias" | "version") => verbatim,
            (Kind::Provider, "for_each") => template,

            (Kind::Output | Kind::Module | Kind::Resource | Kind::Ephemeral, "depends_on") => {
                native
            }
            (Kind::Resource | Kind::Ephemeral | Kind::Import, "provider") => native,
            (Kind::Resource | Kind::Ephemeral, "count" | "for_each" | "enabled") => template,
            (Kind::Resource | Kind::Ephemeral, "lifecycle") => Blocks(Kind::Lifecycle),
            (Kind::Resource, "provisioner") => Blocks(Kind::Provisioner),
            (Kind::Resource | Kind::Provisioner, "connection") => {
                Blocks(Kind::Attributes(Reads::Template))
            }
            (Kind::Module, "providers") => native,

            (Kind::Terraform, "required_providers") => Blocks(Kind::Attributes(Reads::Requirement)),
            (Kind::Terraform, "backend" | "provider_meta") => Blocks(Kind::Backend),
            (Kind::Terraform, "cloud") => Blocks(Kind::Attributes(Reads::Verbatim)),
            (Kind::Terraform, _) => verbatim,
            (Kind::Backend, _) => verbatim,

            (Kind::Lifecycle, "ignore_changes" | "replace_triggered_by") => native,
            (Kind::Lifecycle, "precondition" | "postcondition") => Blocks(Kind::Rule),

            (Kind::Moved, _) | (Kind::Removed, "from") | (Kind::Import, "to") => native,
            (Kind::Removed, "lifecycle") => Blocks(Kind::Lifecycle),
            (Kind::Removed, "provisioner") => Blocks(Kind::Provisioner),
            (Kind::Check, "data") => Blocks(Kind::Resource),
            (Kind::Check, "assert") => Blocks(Kind::Rule),

            (Kind::Provisioner, "when" | "on_failure") => native,

            (Kind::Dynamic, "iterator") => native,
            (Kind::Dynamic, "content") => Blocks(Kind::Open { labels: 0 }),

            (Kind::Provider | Kind::Resource | Kind::Ephemeral | Kind::Open { .. }, "dynamic") => {
                Blocks(Kind::Dynamic)
            }
            (Kind::Provider | Kind::Resource | Kind::Ephemeral | Kind::Open { .. }, _) => Either,
            (Kind::Provisioner, _) => template,

            (Kind::Stack, "state") => Blocks(Kind::State),
            (Kind::Service, "pod") => Blocks(Kind::Pod),
            (Kind::Service, "plan") => Blocks(Kind::Own {
                block: || &schema::PLAN,
                labels: 1,
            }),
            (Kind::Service, name) => own(&schema::SERVICE, name),
            (Kind::Pod, name) => own(&schema::POD, name),
            (Kind::Own { block, .. }, name) => own(block(), name),
            (Kind::Nested { block, .. }, name) => own(block, name),

            (
                Kind::Tests
                | Kind::Run
                | Kind::PlanOptions
                | Kind::MockProvider
                | Kind::Mocks
                | Kind::Mock
                | Kind::Override,
                name,
            ) => self.of_tests(name),

            (Kind::Attributes(reads), _) => Attribute(reads),
            _ => template,
        }
    }
}

impl Kind {
    /// What a property of a body in a file of tests or of mocks is.
    fn of_tests(self, name: &str) -> Member {
        use Member::{Attribute, Blocks};
        let native = Attribute(Reads::Native);
        let verbatim = Attribute(Reads::Verbatim);
        match (self, name) {
            (Kind::Tests | Kind::Run, "variables") => Blocks(Kind::Attributes(Reads::Template)),
            (Kind::Tests, "provider") => Blocks(Kind::Provider),
            (Kind::Tests, "mock_provider") => Blocks(Kind::MockProvider),
            (Kind::Tests, "run") => Blocks(Kind::Run),
            (Kind::Tests, "test") => Blocks(Kind::Attributes(Reads::Verbatim)),
            (Kind::Run, "module") => Blocks(Kind::Attributes(Reads::Verbatim)),
            (Kind::Run, "plan_options") => Blocks(Kind::PlanOptions),
            (Kind::Run, "assert") => Blocks(Kind::Rule),
            (Kind::Run, "command" | "expect_failures" | "providers") => native,
            (Kind::PlanOptions, "mode" | "target" | "replace") => native,
            (Kind::MockProvider | Kind::Mocks, "mock_resource" | "mock_data") => Blocks(Kind::Mock),
            (
                Kind::Tests | Kind::Run | Kind::MockProvider | Kind::Mocks,
                "override_resource" | "override_data" | "override_module",
            ) => Blocks(Kind::Override),
            (Kind::Override, "target") => native,
            (_, "override_during") => native,
            // What mocks and overrides give is not evaluated.
            _ => verbatim,
        }
    }
}

/// The blocks of a file.
fn file(name: &str) -> Option<Kind> {
    Some(match name {
        "variable" => Kind::Variable,
        "locals" => Kind::Locals,
        "output" => Kind::Output,
        "provider" => Kind::Provider,
        "resource" | "data" => Kind::Resource,
        "ephemeral" => Kind::Ephemeral,
        "module" => Kind::Module,
        "terraform" => Kind::Terraform,
        "moved" => Kind::Moved,
        "removed" => Kind::Removed,
        "import" => Kind::Import,
        "check" => Kind::Check,
        "service" => Kind::Service,
        "stack" => Kind::Stack,
        "site" => Kind::Own {
            block: || &schema::SITE,
            labels: 1,
        },
        "cluster" => Kind::Own {
            block: || &schema::CLUSTER,
            labels: 1,
        },
        _ => return None,
    })
}

/// A property of a body that one of weir's own schemas describes.
fn own(block: &'static Block, name: &str) -> Member {
    if name == "dynamic" && !block.blocks.is_empty() {
        return Member::Blocks(Kind::Dynamic);
    }
    match block.blocks.get(name) {
        Some(nested) => Member::Blocks(Kind::Nested {
            block: &nested.block,
            labels: usize::from(nested.nesting == Nesting::Map),
        }),
        // Of the language's own bodies an offer alone has one.
        None if name == "provider" => Member::Attribute(Reads::Native),
        None => Member::Attribute(Reads::Template),
    }
}
