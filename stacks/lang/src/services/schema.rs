//! The attributes of `site`, `cluster`, `service` and what stands in them, as data.

use super::machine_schema as machines;
use crate::decode::{Format, Shape};
use std::sync::LazyLock;
use weir_core::{
    Type,
    schema::{Attribute, Block, NestedBlock, Nesting, SetBy},
};

/// `site "name" {}`
pub(crate) static SITE: LazyLock<Block> = LazyLock::new(|| {
    block(
        [],
        [
            ("ssh", one(ssh([]))),
            (
                "host",
                labelled(ssh([
                    ("connection", text("`ssh` or `local`.")),
                    ("address", text("Where SSH and other hosts reach it.")),
                    ("home", text("The agent's home on a local host.")),
                    (
                        "labels",
                        optional(Type::map(Type::String), "For placement."),
                    ),
                ])),
            ),
        ],
    )
});

/// What SSH needs, for a whole site or one host.
fn ssh<const N: usize>(more: [(&str, Attribute); N]) -> Block {
    let mut block = block(
        [
            ("user", text("SSH's user.")),
            ("port", optional(Type::Number, "SSH's port.")),
            ("private_key_file", text("The file of the private key.")),
            ("private_key", text("The private key itself.")),
            (
                "boot_timeout",
                text("How long a machine may take until its SSH server answers."),
            ),
            (
                "host_key",
                optional(Type::Dynamic, "The host's key, or a list of keys."),
            ),
            (
                "trust_on_first_use",
                optional(Type::Bool, "Take the key the host shows at first."),
            ),
            (
                "bastion",
                optional(Type::Dynamic, "The host or hosts to go through."),
            ),
        ],
        [],
    );
    block
        .attributes
        .extend(more.map(|(name, a)| (name.to_owned(), a)));
    block
}

/// `cluster "name" {}`
pub(crate) static CLUSTER: LazyLock<Block> = LazyLock::new(|| {
    let pool = block(
        [
            (
                "site",
                optional(Type::Dynamic, "The site whose hosts it has."),
            ),
            (
                "hosts",
                optional(Type::Dynamic, "Hosts, or names of hosts of the site."),
            ),
            (
                "labels",
                optional(Type::map(Type::String), "Added to each host's labels."),
            ),
            (
                "count",
                optional(Type::Number, "How many machines are made."),
            ),
            (
                "prefer",
                text("`order` or `price`: which offer is tried first."),
            ),
            (
                "boot_timeout",
                text("How long a machine may take until it lets weir in."),
            ),
            (
                "ssh_from",
                optional(
                    Type::list(Type::String),
                    "From where machines are reached by SSH.",
                ),
            ),
        ],
        [
            ("machine", one(machines::MACHINE.clone())),
            ("offer", labelled(machines::OFFER.clone())),
        ],
    );
    block([], [("pool", at_least_one(labelled(pool)))])
});

/// `service "name" {}`, without pods and plans.
pub(crate) static SERVICE: LazyLock<Block> = LazyLock::new(|| {
    block(
        [
            (
                "cluster",
                required(Type::Dynamic, "The cluster it runs on."),
            ),
            ("version", text("The version, for templates.")),
            (
                "needs",
                optional(Type::Dynamic, "Services that must be up before."),
            ),
        ],
        [],
    )
});

/// `service "name" {}` as it is written: pods and plans, whose bodies have schemas of their own,
/// are among the names.
pub(crate) static SERVICE_NAMES: LazyLock<Block> = LazyLock::new(|| {
    let mut names = SERVICE.clone();
    for ident in ["pod", "plan"] {
        let nested = labelled(block([], []));
        names.blocks.insert(ident.to_owned(), nested);
    }
    names
});

/// `plan "deploy" {}`
pub(crate) static PLAN: LazyLock<Block> = LazyLock::new(|| {
    let phase = block(
        [
            ("pod", required(Type::Dynamic, "The pod.")),
            ("order", text("`serial` or `parallel`.")),
        ],
        [],
    );
    block([], [("phase", at_least_one(labelled(phase)))])
});

/// `pod "name" {}`
pub(crate) static POD: LazyLock<Block> = LazyLock::new(|| {
    block(
        [
            ("count", optional(Type::Number, "How many instances.")),
            ("every", text("`host`: one instance on each host.")),
            ("user", text("Whom its tasks run as.")),
            (
                "packages",
                optional(Type::set(Type::String), "Debian packages."),
            ),
            (
                "env",
                optional(Type::map(Type::String), "The tasks' environment."),
            ),
        ],
        [
            ("place", one(PLACE.clone())),
            ("resources", one(RESOURCES.clone())),
            ("volume", labelled(VOLUME.clone())),
            ("artifact", labelled(ARTIFACT.clone())),
            ("directory", labelled(OWNED.clone())),
            ("file", labelled(FILE.clone())),
            ("task", at_least_one(labelled(TASK.clone()))),
        ],
    )
});

/// `place {}`
pub(crate) static PLACE: LazyLock<Block> = LazyLock::new(|| {
    let names = || Type::list(Type::String);
    block(
        [
            (
                "distinct",
                optional(names(), "Scopes no two instances share."),
            ),
            (
                "avoid",
                optional(Type::list(Type::Dynamic), "Pods to keep away from."),
            ),
            ("spread", optional(names(), "Scopes to spread over.")),
            (
                "require",
                optional(Type::map(Type::String), "Labels the host must have."),
            ),
        ],
        [],
    )
});

/// `resources {}`
pub(crate) static RESOURCES: LazyLock<Block> = LazyLock::new(|| {
    let port = block(
        [(
            "number",
            optional(Type::Number, "The port; else one is chosen."),
        )],
        [],
    );
    block(
        [
            ("cpus", optional(Type::Number, "Cores.")),
            ("memory", text("Memory, such as \"512MiB\".")),
        ],
        [("port", labelled(port))],
    )
});

/// `volume "name" {}`
static VOLUME: LazyLock<Block> = LazyLock::new(|| {
    block(
        [
            (
                "path",
                required(Type::String, "Where it lies, below the pod's directory."),
            ),
            ("size", text("How large it may grow.")),
        ],
        [],
    )
});

/// `artifact "name" {}`
static ARTIFACT: LazyLock<Block> = LazyLock::new(|| {
    block(
        [
            ("url", text("Where the host fetches it.")),
            ("path", text("A file beside the stack that is uploaded.")),
            ("sha256", text("Its SHA-256 sum.")),
            ("unpack", optional(Type::Bool, "Whether it is unpacked.")),
            ("dest", text("Where it is put, below the pod's directory.")),
        ],
        [],
    )
});

/// What files and directories have in common.
static OWNED: LazyLock<Block> = LazyLock::new(|| {
    block(
        [
            ("mode", text("Permissions in octal.")),
            ("owner", text("Its owner.")),
            ("group", text("Its group.")),
        ],
        [],
    )
});

/// `file "path" {}`
static FILE: LazyLock<Block> = LazyLock::new(|| {
    let mut file = OWNED.clone();
    file.attributes.extend([
        ("template".to_owned(), text("A minijinja template.")),
        ("content".to_owned(), text("The content itself.")),
        ("source".to_owned(), text("A file that is copied.")),
        (
            "vars".to_owned(),
            optional(Type::Dynamic, "Names the template knows."),
        ),
        (
            "on_change".to_owned(),
            text("`restart`, `reload` or `nothing`."),
        ),
    ]);
    file
});

/// `task "name" {}`
static TASK: LazyLock<Block> = LazyLock::new(|| {
    let probe = || {
        block(
            [
                ("http", text("An address that answers with 2xx.")),
                (
                    "tcp",
                    optional(Type::String, "An address or port that accepts."),
                ),
                ("exec", text("A command that ends with 0.")),
                ("every", text("How often.")),
                ("timeout", text("How long until it has failed.")),
                (
                    "failures",
                    optional(Type::Number, "How many failures in a row count."),
                ),
            ],
            [],
        )
    };
    let backoff = block(
        [
            ("initial", text("The first pause.")),
            ("max", text("The longest pause.")),
        ],
        [],
    );
    block(
        [
            ("run", text("The command line.")),
            ("unit", text("A systemd unit of a package.")),
            ("goal", text("`running`, `finish` or `once`.")),
            ("env", optional(Type::map(Type::String), "Its environment.")),
            ("kill_grace", text("How long it may take to stop.")),
            ("kill_signal", text("What asks it to stop.")),
            (
                "reload",
                text("A signal or a command that makes it read its files again."),
            ),
            (
                "essential",
                optional(Type::Bool, "Whether the pod fails with it."),
            ),
        ],
        [
            ("ready", one(probe())),
            ("alive", one(probe())),
            ("backoff", one(backoff)),
        ],
    )
});

/// Shapes for decoding, with the forms of text.
pub(crate) struct Shapes {
    pub(crate) ssh: Shape,
    pub(crate) host: Shape,
    pub(crate) pool: Shape,
    pub(crate) offer: Shape,
    pub(crate) service: Shape,
    pub(crate) pod: Shape,
    pub(crate) place: Shape,
    pub(crate) resources: Shape,
    pub(crate) file: Shape,
    pub(crate) task: Shape,
}

/// The shapes, made once.
pub(crate) static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let nested = |block: &Block, name: &str| block.blocks[name].block.clone();
    let goals = Format::OneOf(&["running", "finish", "once"]);
    let on_change = Format::OneOf(&["restart", "reload", "nothing"]);
    let probe = |at: &'static str| {
        let path = |name: &str| format!("{at}.{name}");
        [
            (path("every"), Format::Duration),
            (path("timeout"), Format::Duration),
            (path("failures"), Format::Count),
        ]
    };
    let mut task: Vec<(String, Format)> = vec![
        ("goal".into(), goals),
        ("kill_grace".into(), Format::Duration),
        ("kill_signal".into(), Format::Signal),
        ("backoff.initial".into(), Format::Duration),
        ("backoff.max".into(), Format::Duration),
    ];
    task.extend(probe("ready"));
    task.extend(probe("alive"));
    let task: Vec<(&str, Format)> = task.iter().map(|(p, f)| (p.as_str(), *f)).collect();
    // Files and tasks keep their order, so they are decoded one by one; see `services::pods`.
    let mut pod = POD.clone();
    pod.blocks
        .retain(|name, _| ["volume", "artifact", "directory"].contains(&name.as_str()));
    pod.attributes
        .retain(|name, _| name != "count" && name != "every");
    Shapes {
        ssh: Shape::with_formats(&nested(&SITE, "ssh"), &[("port", Format::Port)]),
        host: Shape::with_formats(
            &nested(&SITE, "host"),
            &[
                ("port", Format::Port),
                ("connection", Format::OneOf(&["ssh", "local"])),
            ],
        ),
        pool: machines::pool_shape(nested(&CLUSTER, "pool")),
        offer: machines::offer_shape(),
        service: Shape::new(&SERVICE),
        pod: Shape::with_formats(
            &pod,
            &[
                ("volume.size", Format::Size),
                ("artifact.sha256", Format::Sha256),
                ("directory.mode", Format::FileMode),
            ],
        ),
        place: Shape::new(&PLACE),
        resources: Shape::with_formats(
            &RESOURCES,
            &[
                ("cpus", Format::Positive),
                ("memory", Format::Size),
                ("port.number", Format::Port),
            ],
        ),
        file: Shape::with_formats(
            &FILE,
            &[("mode", Format::FileMode), ("on_change", on_change)],
        ),
        task: Shape::with_formats(&TASK, &task),
    }
});

pub(super) fn block<const A: usize, const B: usize>(
    attributes: [(&str, Attribute); A],
    blocks: [(&str, NestedBlock); B],
) -> Block {
    Block {
        attributes: attributes.map(|(k, a)| (k.to_owned(), a)).into(),
        blocks: blocks.map(|(k, b)| (k.to_owned(), b)).into(),
    }
}

pub(super) fn optional(ty: Type, about: &str) -> Attribute {
    Attribute::new(ty, SetBy::Optional).describe(about)
}

pub(super) fn required(ty: Type, about: &str) -> Attribute {
    Attribute::new(ty, SetBy::Required).describe(about)
}

pub(super) fn text(about: &str) -> Attribute {
    optional(Type::String, about)
}

pub(super) fn one(block: Block) -> NestedBlock {
    NestedBlock {
        block,
        nesting: Nesting::Single,
        min: 0,
        max: Some(1),
        absent: weir_core::schema::Absent::None,
    }
}

pub(super) fn labelled(block: Block) -> NestedBlock {
    NestedBlock {
        block,
        nesting: Nesting::Map,
        min: 0,
        max: None,
        absent: weir_core::schema::Absent::None,
    }
}

fn at_least_one(nested: NestedBlock) -> NestedBlock {
    NestedBlock { min: 1, ..nested }
}
