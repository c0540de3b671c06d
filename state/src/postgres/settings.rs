//! Where the database is and who asks: a connection string as libpq takes it, completed as libpq
//! does from a service file, the environment and the password file.

use super::{
    fault::Trouble,
    tls::{Check, Tls},
};
use crate::{StateError, StateId};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The connection can't be made as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl SettingsError {
    pub(crate) fn new(text: impl Into<String>) -> SettingsError {
        SettingsError(text.into())
    }
}

/// Where the database is, who asks, and in which schema. Printing it shows no password.
#[derive(Clone)]
pub struct PostgresSettings {
    config: Config,
    tls: Option<Tls>,
    schema: String,
    may_create: (bool, bool),
}

/// Parameters that libpq has and that mean nothing here.
const IGNORED: [&str; 8] = [
    "fallback_application_name",
    "client_encoding",
    "sslcompression",
    "sslsni",
    "gssencmode",
    "krbsrvname",
    "ssl_min_protocol_version",
    "replication",
];

/// The environment's variables and the parameters they stand for.
const VARIABLES: [(&str, &str); 14] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
];

type Pairs = BTreeMap<String, String>;

impl PostgresSettings {
    /// Reads a connection string, `postgres://...` or `host=... dbname=...`; it may be empty. What
    /// it does not say is taken from the service it names, then from `variable`, which gives the
    /// environment's variables (`PGHOST`, `PGPASSWORD`, `PGPASSFILE`, `PGSERVICE`, `HOME`, ...).
    ///
    /// # Errors
    /// [`SettingsError`], which repeats no value that may be secret.
    pub fn new(
        connection: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<PostgresSettings, SettingsError> {
        let mut pairs = parse(connection)?;
        if let Some(name) = pairs.remove("service").or_else(|| variable("PGSERVICE")) {
            for (key, value) in service(&name, variable)? {
                pairs.entry(key).or_insert(value);
            }
        }
        for (name, key) in VARIABLES {
            if let Some(value) = variable(name) {
                pairs.entry(key.into()).or_insert(value);
            }
        }
        if !pairs.contains_key("host") && !pairs.contains_key("hostaddr") {
            let socket = Path::new("/var/run/postgresql");
            let host = if socket.is_dir() {
                "/var/run/postgresql"
            } else {
                "localhost"
            };
            pairs.insert("host".into(), host.into());
        }
        if let (false, Some(user)) = (pairs.contains_key("user"), variable("USER")) {
            pairs.insert("user".into(), user);
        }
        let tls = tls(&mut pairs, variable)?;
        if !pairs.contains_key("password")
            && let Some(password) = passfile(&pairs, variable)
        {
            pairs.insert("password".into(), password);
        }
        pairs.remove("passfile");
        let mut config = config(&pairs)?;
        config.ssl_mode(tls.1);
        if config.get_application_name().is_none() {
            config.application_name("weir");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        // A server that is gone without a word is noticed before a lease expires.
        if !pairs.contains_key("keepalives_idle") {
            config.keepalives_idle(Duration::from_secs(10));
            config.keepalives_interval(Duration::from_secs(3));
            config.keepalives_retries(3);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(20));
        }
        Ok(PostgresSettings {
            config,
            tls: tls.0,
            schema: "weir".into(),
            may_create: (true, true),
        })
    }

    /// With the tables in this schema; `weir` where nothing is said.
    ///
    /// # Errors
    /// It can't be a schema's name.
    pub fn with_schema(mut self, schema: &str) -> Result<PostgresSettings, SettingsError> {
        if schema.is_empty() || schema.len() > 63 || schema.contains('\0') || schema.contains('@') {
            return Err(SettingsError::new(format!(
                "{schema:?} can't name a schema: a name has 1 to 63 bytes and no `@`"
            )));
        }
        self.schema = schema.into();
        Ok(self)
    }

    /// Whether the schema, and the tables in it, may be made where they are not there.
    pub fn with_creation(mut self, schema: bool, tables: bool) -> PostgresSettings {
        self.may_create = (schema, tables);
        self
    }

    pub(super) fn may_create_schema(&self) -> bool {
        self.may_create.0
    }
    pub(super) fn may_create_tables(&self) -> bool {
        self.may_create.1
    }
    pub(super) fn config(&self) -> &Config {
        &self.config
    }
    pub(super) fn schema(&self) -> &str {
        &self.schema
    }
    pub(super) fn tls(&self) -> Result<Option<MakeRustlsConnect>, Trouble> {
        let connector = self.tls.as_ref().map(Tls::connector).transpose();
        connector.map_err(|e| {
            Trouble::from(StateError::Io {
                path: self.to_string().into(),
                cause: e.to_string(),
            })
        })
    }

    /// What a state in this database is called in messages.
    pub(super) fn place(&self, id: &StateId) -> PathBuf {
        PathBuf::from(format!("state {id} in {self}"))
    }
}

impl fmt::Display for PostgresSettings {
    /// `postgres://user@host:5432/database (schema weir)`, without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        f.write_str("postgres://")?;
        if let Some(user) = config.get_user() {
            write!(f, "{user}@")?;
        }
        let ports = config.get_ports();
        for (i, host) in config.get_hosts().iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            match ports.get(i).or(ports.first()) {
                Some(5432) | None => {}
                Some(port) => write!(f, ":{port}")?,
            }
        }
        if let Some(database) = config.get_dbname() {
            write!(f, "/{database}")?;
        }
        write!(f, " (schema {})", self.schema)
    }
}
impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresSettings({self})")
    }
}

/// The parameters of a connection string in either form.
fn parse(text: &str) -> Result<Pairs, SettingsError> {
    let text = text.trim();
    for scheme in ["postgres://", "postgresql://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return parse_url(rest);
        }
    }
    if text.contains("://") {
        return Err(SettingsError::new(
            "the connection string is a URL of another kind: write it as postgres://USER@HOST/DATABASE",
        ));
    }
    parse_words(text)
}

fn parse_url(rest: &str) -> Result<Pairs, SettingsError> {
    let mut pairs = Pairs::new();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (Some(user), hosts),
        None => (None, authority),
    };
    if let Some(user) = user {
        let (name, password) = match user.split_once(':') {
            Some((name, password)) => (name, Some(password)),
            None => (user, None),
        };
        pairs.insert("user".into(), decoded(name)?);
        if let Some(password) = password {
            pairs.insert("password".into(), decoded(password)?);
        }
    }
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',').filter(|h| !h.is_empty()) {
        let (name, port) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
            Some((name, rest)) => (name, rest.strip_prefix(':').unwrap_or("")),
            None => host.split_once(':').unwrap_or((host, "")),
        };
        names.push(decoded(name)?);
        ports.push(if port.is_empty() { "5432" } else { port });
    }
    if !names.is_empty() && names.iter().any(|n| !n.is_empty()) {
        pairs.insert("host".into(), names.join(","));
    }
    if ports.iter().any(|p| *p != "5432") {
        pairs.insert("port".into(), ports.join(","));
    }
    if !database.is_empty() {
        pairs.insert("dbname".into(), decoded(database)?);
    }
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(SettingsError::new(
                "a parameter of the connection string has no value: write it as ?NAME=VALUE",
            ));
        };
        pairs.insert(decoded(key)?, decoded(value)?);
    }
    Ok(pairs)
}

fn decoded(text: &str) -> Result<String, SettingsError> {
    let wrong = || {
        SettingsError::new(
            "the connection string has a `%` that begins no character: write %25 for the sign itself",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let found = char::from(rest.next()?).to_digit(16)?;
            u8::try_from(found).ok()
        };
        let (high, low) = (digit(), digit());
        bytes.push(high.ok_or_else(wrong)? * 16 + low.ok_or_else(wrong)?);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// `name = value name='va\'lue'`
fn parse_words(text: &str) -> Result<Pairs, SettingsError> {
    let wrong = || {
        SettingsError::new(
            "the connection string can't be read: write it as postgres://USER@HOST/DATABASE, or as host=HOST dbname=DATABASE",
        )
    };
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(wrong)?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(wrong());
        }
        let after = after.trim_start();
        let (quoted, after) = match after.strip_prefix('\'') {
            Some(after) => (true, after),
            None => (false, after),
        };
        let (mut value, mut end, mut closed) = (String::new(), after.len(), !quoted);
        let mut chars = after.char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => value.push(chars.next().ok_or_else(wrong)?.1),
                '\'' if quoted => {
                    (end, closed) = (i + 1, true);
                    break;
                }
                c if c.is_whitespace() && !quoted => {
                    end = i;
                    break;
                }
                c => value.push(c),
            }
        }
        if !closed {
            return Err(wrong());
        }
        pairs.insert(name.to_owned(), value);
        rest = after.get(end..).unwrap_or_default().trim_start();
    }
    Ok(pairs)
}

/// What `tokio_postgres` takes of the parameters.
fn config(pairs: &Pairs) -> Result<Config, SettingsError> {
    let mut text = String::new();
    for (key, value) in pairs {
        let (key, value) = match (key.as_str(), value.as_str()) {
            (key, _) if IGNORED.contains(&key) => continue,
            ("keepalives_count", n) => ("keepalives_retries", n.to_owned()),
            ("target_session_attrs", "primary") => ("target_session_attrs", "read-write".into()),
            // Milliseconds there, seconds here.
            ("tcp_user_timeout", n) => {
                let n: u64 = n.parse().unwrap_or(0);
                ("tcp_user_timeout", n.div_ceil(1000).to_string())
            }
            (key, value) => (key, value.to_owned()),
        };
        let value = value.replace('\\', "\\\\").replace('\'', "\\'");
        text.push_str(&format!("{key}='{value}' "));
    }
    text.parse().map_err(|e: tokio_postgres::Error| {
        SettingsError::new(format!(
            "the connection can't be made as it is written: {}",
            super::fault::text(&e)
        ))
    })
}

/// How the connection is encrypted.
fn tls(
    pairs: &mut Pairs,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Option<Tls>, SslMode), SettingsError> {
    let folder = variable("HOME").map(|home| Path::new(&home).join(".postgresql"));
    let usual = |name: &str| folder.as_ref().map(|f| f.join(name)).filter(|f| f.exists());
    if pairs.remove("ssl").is_some_and(|v| v == "true") {
        pairs.entry("sslmode".into()).or_insert("require".into());
    }
    let mode = pairs.remove("sslmode").unwrap_or_else(|| "prefer".into());
    let roots = pairs.remove("sslrootcert").filter(|r| !r.is_empty());
    let certificate = pairs.remove("sslcert").filter(|c| !c.is_empty());
    let key = pairs.remove("sslkey").filter(|k| !k.is_empty());
    let world = roots.as_deref() == Some("system");
    let roots = match roots {
        Some(path) if !world => Some(PathBuf::from(path)),
        _ => usual("root.crt"),
    };
    let (check, ssl) = match mode.as_str() {
        "disable" => return Ok((None, SslMode::Disable)),
        "allow" | "prefer" => (Check::Nothing, SslMode::Prefer),
        // As libpq has it: with a root certificate at hand the server is looked at.
        "require" if roots.is_some() => (Check::Issuer, SslMode::Require),
        "require" => (Check::Nothing, SslMode::Require),
        "verify-ca" => (Check::Issuer, SslMode::Require),
        "verify-full" => (Check::Host, SslMode::Require),
        _ => {
            return Err(SettingsError::new(
                "sslmode is one of disable, allow, prefer, require, verify-ca and verify-full",
            ));
        }
    };
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => usual("postgresql.crt").zip(usual("postgresql.key")),
        _ => {
            return Err(SettingsError::new(
                "sslcert and sslkey belong together: give both or none",
            ));
        }
    };
    let tls = Tls {
        check,
        roots: roots.filter(|_| !world),
        identity,
    };
    Ok((Some(tls), ssl))
}

/// The parameters of a service.
fn service(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Pairs, SettingsError> {
    let home = variable("HOME").map(|h| Path::new(&h).join(".pg_service.conf"));
    let own = variable("PGSERVICEFILE").map(PathBuf::from).or(home);
    let system = variable("PGSYSCONFDIR").unwrap_or_else(|| "/etc/postgresql-common".into());
    let files = own
        .into_iter()
        .chain([Path::new(&system).join("pg_service.conf")]);
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let lines = text.lines().map(str::trim);
        let mut of_it = lines
            .skip_while(|line| *line != format!("[{name}]"))
            .skip(1)
            .take_while(|line| !line.starts_with('['))
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .peekable();
        if of_it.peek().is_some() {
            let pair = |line: &str| {
                line.split_once('=')
                    .map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()))
            };
            return Ok(of_it.filter_map(pair).collect());
        }
    }
    Err(SettingsError::new(format!(
        "there is no service {name:?} in ~/.pg_service.conf or the file that PGSERVICEFILE names"
    )))
}

/// The password for this server in the password file. One that others can read is left alone, as
/// libpq does.
fn passfile(pairs: &Pairs, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let named = pairs
        .get("passfile")
        .cloned()
        .or_else(|| variable("PGPASSFILE"));
    let path = match named {
        Some(path) => PathBuf::from(path),
        None => Path::new(&variable("HOME")?).join(".pgpass"),
    };
    let mode = std::fs::metadata(&path).ok()?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the password file can be read by others: it is not used");
        return None;
    }
    let text = std::fs::read_to_string(&path).ok()?;
    let get = |key: &str| pairs.get(key).map(String::as_str);
    let user = get("user")?;
    let host = match get("host") {
        Some("/var/run/postgresql") => "localhost",
        Some(host) => host,
        None => get("hostaddr")?,
    };
    let wanted = [
        host,
        get("port").unwrap_or("5432"),
        get("dbname").unwrap_or(user),
        user,
    ];
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(fields)
        .find(|line| {
            line.len() == 5
                && line
                    .iter()
                    .zip(wanted)
                    .all(|(said, is)| said == "*" || said == is)
        })
        .and_then(|mut line| line.pop())
}

/// The fields of a line, parted by `:`; `\` takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let taken = match c {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => chars.next(),
            c => Some(c),
        };
        if let (Some(field), Some(c)) = (fields.last_mut(), taken) {
            field.push(c);
        }
    }
    fields
}
