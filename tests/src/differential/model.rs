//! A stack as data: what the generator changes from step to step and what shrinking takes out of it.

/// One step of a stack: a configuration, and the flags of its plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) root: Module,
    pub(super) flags: Vec<String>,
    /// What is done to state before it is planned: the words of a command.
    pub(super) commands: Vec<Vec<String>>,
}

/// A module's own blocks, in an order in which each names only those before it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Module {
    pub(super) items: Vec<Item>,
    /// `moved`, `removed` and `import` blocks.
    pub(super) notes: Vec<Note>,
}

// A stack has a few dozen at most.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Variable {
        name: String,
        default: i64,
        /// A validation, and whether the default is against it.
        refused: Option<bool>,
    },
    Local {
        name: String,
        value: Expr,
    },
    Resource(Resource),
    Call(Call),
    Output {
        name: String,
        value: Expr,
        sensitive: bool,
        condition: Option<Condition>,
    },
    Check {
        name: String,
        asserts: Vec<Condition>,
    },
}

impl Item {
    /// The name by which references and shrinking know it.
    pub(super) fn name(&self) -> &str {
        match self {
            Item::Variable { name, .. }
            | Item::Local { name, .. }
            | Item::Output { name, .. }
            | Item::Check { name, .. } => name,
            Item::Resource(r) => &r.name,
            Item::Call(c) => &c.name,
        }
    }
}

/// A `terraform_data` block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resource {
    pub(super) name: String,
    pub(super) repeat: Repeat,
    pub(super) input: Option<Expr>,
    pub(super) triggers: Option<Expr>,
    pub(super) depends_on: Vec<String>,
    pub(super) lifecycle: Lifecycle,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lifecycle {
    pub(super) create_before_destroy: bool,
    pub(super) prevent_destroy: bool,
    pub(super) ignore: Ignore,
    pub(super) triggered_by: Vec<Trigger>,
    pub(super) pre: Option<Condition>,
    pub(super) post: Option<Condition>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Ignore {
    #[default]
    Nothing,
    Input,
    Triggers,
    All,
    /// What lies in the input: `input.p`.
    Inside,
}

/// An entry of `replace_triggered_by`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trigger {
    pub(super) resource: String,
    /// One instance alone.
    pub(super) nth: Option<usize>,
    pub(super) attribute: Option<&'static str>,
    /// The instance of the same key, where both have keys of a kind.
    pub(super) same: bool,
}

/// A `module` block with the module it calls; no two calls share a module.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    /// Its folder below the caller's: it stays when the call is renamed.
    pub(super) folder: String,
    pub(super) repeat: Repeat,
    pub(super) inputs: Vec<(String, Expr)>,
    pub(super) depends_on: Vec<String>,
    pub(super) module: Module,
}

/// `count` or `for_each`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Repeat {
    One,
    Count(usize),
    Keys(Vec<&'static str>),
    Map(Vec<(&'static str, Expr)>),
    /// `for_each` over another resource, which has these keys.
    Like(String, Vec<&'static str>),
}

impl Repeat {
    /// The keys of its instances as an address has them.
    pub(super) fn keys(&self) -> Vec<String> {
        let quoted = |k: &&str| format!("[\"{k}\"]");
        match self {
            Repeat::One => vec![String::new()],
            Repeat::Count(n) => (0..*n).map(|i| format!("[{i}]")).collect(),
            Repeat::Keys(keys) | Repeat::Like(_, keys) => keys.iter().map(quoted).collect(),
            Repeat::Map(pairs) => pairs.iter().map(|(k, _)| quoted(k)).collect(),
        }
    }
}

/// A condition of any block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) subject: Expr,
    pub(super) fails: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Note {
    Moved {
        from: String,
        to: String,
    },
    Removed {
        from: String,
        destroy: bool,
    },
    Import {
        to: String,
        id: String,
    },
    /// All instances of a block at once.
    ImportEach {
        block: String,
        keys: Vec<&'static str>,
    },
}

/// Which instance of what is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    All,
    Nth(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Int(i64),
    Text(String),
    Null,
    /// An attribute of a resource; of all of it without one.
    Resource {
        name: String,
        attribute: Option<&'static str>,
        pick: Pick,
    },
    /// An output of a call.
    Module {
        name: String,
        output: String,
        pick: Pick,
    },
    Variable(String),
    Local(String),
    EachKey,
    EachValue,
    CountIndex,
    /// An attribute of `self`, in a postcondition.
    Own(&'static str),
    Sensitive(Box<Expr>),
    Template(Box<Expr>),
    Object(Vec<(&'static str, Expr)>),
    Tuple(Vec<Expr>),
}

impl Module {
    pub(super) fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.items.iter().filter_map(|i| match i {
            Item::Resource(r) => Some(r),
            _ => None,
        })
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.items.iter().filter_map(|i| match i {
            Item::Call(c) => Some(c),
            _ => None,
        })
    }

    /// The names of its outputs.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|i| match i {
            Item::Output { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// The names of its variables.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|i| match i {
            Item::Variable { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }
}
