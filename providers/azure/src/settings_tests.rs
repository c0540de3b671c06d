//! The block and the environment together.

use super::*;
use weir_core::Type;

fn read(block: &[(&str, Value)], env: &[(&str, &str)]) -> Result<Settings, Diagnostics> {
    let fields = block.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    let block = Value::object(fields);
    let env: Vec<(String, String)> = (env.iter())
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    Settings::read(&block, &move |name| {
        env.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone())
    })
}

#[test]
fn the_block_wins_over_the_environment() {
    let env = [
        ("ARM_TENANT_ID", "t1"),
        ("AZURE_TENANT_ID", "t2"),
        ("AZURE_CLIENT_ID", "c"),
        ("ARM_CLIENT_SECRET", "s"),
    ];
    let s = read(&[("tenant_id", Value::from("t0"))], &env).unwrap();
    assert_eq!(
        (s.tenant.as_deref(), s.client_id.as_deref()),
        (Some("t0"), Some("c"))
    );
    assert_eq!(s.secret.as_deref(), Some("s"));
    let s = read(&[], &env).unwrap();
    assert_eq!(s.tenant.as_deref(), Some("t1"));
    assert!(!format!("{s:?}").contains("\"s\""));
}

#[test]
fn what_is_missing_or_wrong_is_told() {
    let table: [(&[(&str, Value)], &str); 4] = [
        (&[("client_secret", Value::from("s"))], "not whole"),
        (
            &[("subscription_id", Value::from("production"))],
            "is no id",
        ),
        (&[("environment", Value::from("moon"))], "can't be \"moon\""),
        (
            &[(
                "auxiliary_tenant_ids",
                Value::list(Type::String, vec![Value::from("t")]),
            )],
            "can't be set yet",
        ),
    ];
    for (block, told) in table {
        let d = read(block, &[]).unwrap_err().to_string();
        assert!(d.contains(told), "{d}");
    }
}

#[test]
fn features_have_terraforms_defaults() {
    let s = read(&[], &[]).unwrap();
    assert!(s.features.keep_full_groups && s.features.delete_os_disk && !s.features.force_delete);
    assert!(s.use_cli && !s.use_msi);
    let s = read(&[], &[("ARM_USE_CLI", "false"), ("ARM_USE_MSI", "true")]).unwrap();
    assert!(!s.use_cli && s.use_msi);
}

#[test]
fn tokens_of_others_come_from_the_first_place_that_has_one() {
    let on = ("ARM_USE_OIDC", "true");
    let who = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c")];
    let with = |more: &[(&'static str, &'static str)]| {
        let env: Vec<(&str, &str)> = who.iter().chain([&on]).chain(more).copied().collect();
        read(&[], &env).unwrap().oidc
    };
    assert!(matches!(
        with(&[("ARM_OIDC_TOKEN", "x")]),
        Some(Oidc::Token(_))
    ));
    assert!(matches!(
        with(&[("AZURE_FEDERATED_TOKEN_FILE", "/x")]),
        Some(Oidc::File(_))
    ));
    let github = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "y"),
    ];
    assert!(matches!(with(&github), Some(Oidc::Request(..))));
    assert!(
        read(&[], &[("ARM_OIDC_TOKEN", "x")])
            .unwrap()
            .oidc
            .is_none()
    );
}
