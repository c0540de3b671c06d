//! The attributes of `weir_host`, `weir_pod`, `weir_ssh_key` and `weir_egress_address`.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_core::Type;
use weir_core::schema::{Attribute, Block, Schema, SetBy};
use weir_core::types::{Field, Presence};
use weir_provider::ProviderSchema;

/// The agent on a machine.
pub const HOST: &str = "weir_host";
/// One instance of a service's pod on one host.
pub const POD: &str = "weir_pod";
/// A key pair for SSH that weir makes.
pub const SSH_KEY: &str = "weir_ssh_key";
/// Where this machine's connections come from.
pub const EGRESS_ADDRESS: &str = "weir_egress_address";

pub(crate) fn provider() -> ProviderSchema {
    ProviderSchema {
        provider: Schema::default(),
        resources: BTreeMap::from([
            (HOST.to_owned(), host()),
            (POD.to_owned(), pod()),
            (SSH_KEY.to_owned(), ssh_key()),
            (EGRESS_ADDRESS.to_owned(), egress_address()),
        ]),
        functions: BTreeMap::new(),
        ephemeral: BTreeMap::new(),
        data: BTreeMap::new(),
    }
}

fn host() -> Schema {
    let bastion = object([
        ("address", Type::String),
        ("port", Type::Number),
        ("user", Type::String),
        ("private_key_file", Type::String),
        ("host_key", Type::list(Type::String)),
    ]);
    schema([
        (
            "name",
            required(Type::String).replaces(),
            "Its name in its site.",
        ),
        (
            "site",
            required(Type::String).replaces(),
            "The site it stands at.",
        ),
        (
            "connection",
            optional(Type::String),
            "`ssh` (the default) or `local`: this machine.",
        ),
        (
            "address",
            optional(Type::String),
            "Where SSH and other hosts reach it.",
        ),
        (
            "port",
            optional(Type::Number),
            "The port of its SSH server; 22 by default.",
        ),
        (
            "user",
            optional(Type::String),
            "The SSH user; `root` by default.",
        ),
        (
            "private_key_file",
            optional(Type::String),
            "A private key; without one, ssh-agent's and the user's default keys.",
        ),
        (
            "private_key",
            optional(Type::String).sensitive(),
            "A private key itself, in place of a file.",
        ),
        (
            "boot_timeout",
            optional(Type::String),
            "How long it may take until its SSH server answers, when its agent is brought there.",
        ),
        (
            "host_key",
            optional(Type::list(Type::String)),
            "Its pinned host keys; without any, known_hosts decides.",
        ),
        (
            "trust_on_first_use",
            optional(Type::Bool),
            "Accept and record the key of a host that known_hosts doesn't know.",
        ),
        (
            "bastion",
            optional(Type::list(bastion)),
            "SSH servers to pass on the way, outermost first.",
        ),
        (
            "home",
            optional(Type::String),
            "The agent's home on a local host.",
        ),
        (
            "labels",
            optional(Type::map(Type::String)),
            "For placement; nothing on the host depends on them.",
        ),
        (
            "agent_version",
            computed(Type::String),
            "The version of its agent.",
        ),
        (
            "agent_sha256",
            computed(Type::String),
            "The sha256 of its agent's binary.",
        ),
        ("hostname", computed(Type::String), "Its own name."),
        (
            "os",
            computed(Type::String),
            "Its operating system and version, such as `debian-12`.",
        ),
        ("cpus", computed(Type::Number), "Processors online."),
        ("memory_bytes", computed(Type::Number), "Memory in bytes."),
        (
            "systemd",
            computed(Type::Bool),
            "Whether tasks become systemd units.",
        ),
    ])
}

fn ssh_key() -> Schema {
    schema([
        (
            "comment",
            optional(Type::String).replaces(),
            "What stands behind the public key.",
        ),
        (
            "public_key",
            computed(Type::String),
            "The public key, as `authorized_keys` has it.",
        ),
        (
            "private_key",
            computed(Type::String).sensitive(),
            "The private key, in OpenSSH's format.",
        ),
        (
            "fingerprint",
            computed(Type::String),
            "The SHA-256 of the public key, as OpenSSH shows it.",
        ),
    ])
}

fn egress_address() -> Schema {
    schema([
        (
            "address",
            computed(Type::String),
            "The address that this machine's connections come from, as others see it.",
        ),
        (
            "cidr",
            computed(Type::String),
            "The same as a CIDR block of one address.",
        ),
    ])
}

fn pod() -> Schema {
    let directory = object([
        ("mode", Type::String),
        ("owner", Type::String),
        ("group", Type::String),
    ]);
    let artifact = object([
        ("url", Type::String),
        ("path", Type::String),
        ("sha256", Type::String),
        ("unpack", Type::Bool),
        ("dest", Type::String),
    ]);
    let file = object([
        ("content", Type::String),
        ("mode", Type::String),
        ("owner", Type::String),
        ("group", Type::String),
        ("on_change", Type::String),
    ]);
    let volume = object([("path", Type::String), ("size", Type::String)]);
    schema([
        (
            "host",
            required(Type::String).replaces(),
            "The host it runs on, as `site/name`.",
        ),
        ("address", optional(Type::String), "The host's address."),
        (
            "slug",
            required(Type::String).replaces(),
            "Its name in paths and unit names.",
        ),
        (
            "user",
            optional(Type::String),
            "Whom its tasks run as; without one, the agent's user.",
        ),
        (
            "packages",
            optional(Type::set(Type::String)),
            "Debian packages, `name` or `name=version`.",
        ),
        (
            "directories",
            optional(Type::map(directory)),
            "Directories, by path.",
        ),
        (
            "artifacts",
            optional(Type::map(artifact)),
            "Downloads (`url`) and uploads (`path`), by name.",
        ),
        (
            "files",
            optional(Type::map(file)),
            "Files, by path; relative ones are below the pod's directory.",
        ),
        (
            "volumes",
            optional(Type::map(volume)),
            "Directories of data, kept while the pod lives.",
        ),
        (
            "env",
            optional(Type::map(Type::String)),
            "Environment of all tasks.",
        ),
        (
            "ports",
            optional(Type::map(Type::Number)),
            "Ports its tasks listen on.",
        ),
        (
            "cpus",
            optional(Type::Number),
            "How many processors each task may use.",
        ),
        (
            "memory",
            optional(Type::Number),
            "How many bytes of memory each task may use.",
        ),
        (
            "tasks",
            optional(Type::list(task())),
            "What runs, in the order it starts.",
        ),
        (
            "status",
            computed(Type::map(Type::String)),
            "What each task does: `running`, `finished`, `stopped`, `waiting`, `failed: ...`.",
        ),
        (
            "directory",
            computed(Type::String),
            "Its directory on the host.",
        ),
    ])
}

fn task() -> Type {
    let check = || {
        object([
            ("http", Type::String),
            ("tcp", Type::String),
            ("exec", Type::String),
            ("every", Type::String),
            ("timeout", Type::String),
            ("failures", Type::Number),
        ])
    };
    object([
        ("name", Type::String),
        ("run", Type::String),
        ("unit", Type::String),
        ("goal", Type::String),
        ("env", Type::map(Type::String)),
        ("ready", check()),
        ("alive", check()),
        (
            "backoff",
            object([("initial", Type::String), ("max", Type::String)]),
        ),
        ("kill_grace", Type::String),
        ("kill_signal", Type::String),
        ("reload", Type::String),
        ("essential", Type::Bool),
    ])
}

fn schema<const N: usize>(attributes: [(&str, Attribute, &str); N]) -> Schema {
    let attributes = attributes
        .into_iter()
        .map(|(name, attribute, text)| (name.to_owned(), attribute.describe(text)))
        .collect();
    Schema {
        version: 0,
        block: Block {
            attributes,
            blocks: BTreeMap::new(),
        },
    }
}

fn required(ty: Type) -> Attribute {
    Attribute::new(ty, SetBy::Required)
}

fn optional(ty: Type) -> Attribute {
    Attribute::new(ty, SetBy::Optional)
}

fn computed(ty: Type) -> Attribute {
    Attribute::new(ty, SetBy::Computed)
}

/// An object all of whose fields may be left out; `validate` says which may not.
fn object<const N: usize>(fields: [(&str, Type); N]) -> Type {
    let fields = fields.into_iter().map(|(name, ty)| {
        let presence = Presence::Optional;
        (Arc::from(name), Field { ty, presence })
    });
    Type::Object(Arc::new(fields.collect()))
}
