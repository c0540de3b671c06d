//! Connection strings and what completes them, as libpq has it.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::fs::PermissionsExt as _;
use weir_state::PostgresSettings;

fn read(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let settings = PostgresSettings::new(text, &variable).map_err(|e| e.to_string())?;
    assert!(!format!("{settings:?} {settings}").contains("s3cret"));
    Ok(settings.to_string())
}

#[test]
fn connection_strings_are_read_as_libpq_reads_them() {
    for (text, variables, expected) in [
        ("postgres://ann:s3cret@h/db", vec![], "postgres://ann@h/db"),
        (
            "postgresql://ann@h:6000/db?sslmode=disable",
            vec![],
            "postgres://ann@h:6000/db",
        ),
        (
            "postgres://ann:s3cret%40%2F@[::1]:6000/d%20b",
            vec![],
            "postgres://ann@::1:6000/d b",
        ),
        (
            "postgres://ann@a:1,b:2/db?target_session_attrs=primary",
            vec![],
            "postgres://ann@a:1,b:2/db",
        ),
        (
            "postgres://ann@%2Ftmp%2Fs/db",
            vec![],
            "postgres://ann@/tmp/s/db",
        ),
        (
            "postgres:///db?host=/tmp/s&user=ann",
            vec![],
            "postgres://ann@/tmp/s/db",
        ),
        (
            "host=h user=ann dbname='d b' password='s3cret \\' x'",
            vec![],
            "postgres://ann@h/d b",
        ),
        ("host = h  user= ann", vec![], "postgres://ann@h"),
        (
            "",
            vec![
                ("PGHOST", "h"),
                ("PGUSER", "ann"),
                ("PGDATABASE", "db"),
                ("PGPORT", "1"),
            ],
            "postgres://ann@h:1/db",
        ),
        (
            "postgres://h/db",
            vec![("PGHOST", "other"), ("PGUSER", "ann")],
            "postgres://ann@h/db",
        ),
        (
            "postgres://h/db",
            vec![("USER", "ann")],
            "postgres://ann@h/db",
        ),
        (
            "postgres://ann@h/db?ssl=true&keepalives_count=2&tcp_user_timeout=1500&client_encoding=utf8",
            vec![],
            "postgres://ann@h/db",
        ),
    ] {
        let found = read(text, &variables);
        assert_eq!(found, Ok(format!("{expected} (schema weir)")), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_without_the_password() {
    for (text, words) in [
        ("mysql://ann:s3cret@h/db", "a URL of another kind"),
        ("postgres://ann:s3cret%zz@h/db", "begins no character"),
        ("postgres://ann:s3cret@h/db?nope=1", "unknown option `nope`"),
        ("postgres://ann:s3cret@h/db?nope", "has no value"),
        ("postgres://ann:s3cret@h:x/db", "port"),
        ("host=h password='s3cret", "can't be read"),
        ("h s3cret", "can't be read"),
        (
            "postgres://ann:s3cret@h/db?sslmode=sometimes",
            "verify-full",
        ),
        ("postgres://ann:s3cret@h/db?sslcert=a", "belong together"),
        ("service=nope password=s3cret", "no service \"nope\""),
    ] {
        let said = read(text, &[]).unwrap_err();
        assert!(said.contains(words), "{text}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    let settings = PostgresSettings::new("host=h", &|_| None).unwrap();
    for schema in ["", "a@b", &"x".repeat(64)] {
        assert!(settings.clone().with_schema(schema).is_err(), "{schema}");
    }
}

#[test]
fn a_service_is_found_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("services");
    std::fs::write(
        &file,
        "# ours\n[other]\nhost=no\n[infra]\nhost=h\nport=7\nuser=ann\n\n[third]\nhost=no\n",
    )
    .unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = file.display().to_string();
    let variables = [("PGSERVICEFILE", file.as_str()), ("PGHOST", "no")];
    let found = read("service=infra dbname=db", &variables);
    assert_eq!(found.unwrap(), "postgres://ann@h:7/db (schema weir)");
}
