//! Where tokens come from, and where a cloud says what its endpoints are.

use super::places;
use crate::{Call, http::Reply};
use serde_json::json;

/// Answers what is asked before there is a token; `None` where that is not so.
pub(super) fn answer(call: &Call<'_>) -> Option<Reply> {
    let request = call.request;
    let origin = &request.origin;
    let parts = request.parts();
    let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
    match parts.as_slice() {
        [m, e] if is(m, "metadata") && is(e, "endpoints") => Some(Reply::json(
            200,
            &json!([{
                "name": "AzureCloud",
                "authentication": {
                    "loginEndpoint": format!("{origin}/"), "tenant": "common",
                    "audiences": [format!("{origin}/")], "identityProvider": "AAD",
                },
                "resourceManager": format!("{origin}/"), "media": "", "suffixes": {},
                "portal": origin, "graph": origin, "gallery": origin,
            }]),
        )),
        [m, i, o, t]
            if is(m, "metadata") && is(i, "identity") && is(o, "oauth2") && is(t, "token") =>
        {
            let of_app = request.header("x-identity-header").is_some();
            let told = of_app || request.header("metadata") == Some("true");
            Some(match told {
                true => Reply::json(
                    200,
                    &json!({
                        "access_token": "weir-clouds.identity", "token_type": "Bearer",
                        "expires_in": "3599", "expires_on": "4102444800", "resource": request.query("resource"),
                    }),
                ),
                false => Reply::json(
                    400,
                    &json!({ "error": "bad_request", "error_description": "Required metadata header not specified" }),
                ),
            })
        }
        [tenant, o, v, t] if is(o, "oauth2") && is(v, "v2.0") && is(t, "token") => {
            Some(token(call, tenant))
        }
        [tenant, v, w, o]
            if is(v, "v2.0") && is(w, ".well-known") && is(o, "openid-configuration") =>
        {
            let base = format!("{origin}/{tenant}");
            Some(Reply::json(
                200,
                &json!({
                    "token_endpoint": format!("{base}/oauth2/v2.0/token"),
                    "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
                    "issuer": format!("{base}/v2.0"), "tenant_region_scope": "EU",
                }),
            ))
        }
        _ => None,
    }
}

/// A token for whoever has a secret, an assertion or a token of another; not where that is `wrong`.
fn token(call: &Call<'_>, tenant: &str) -> Reply {
    let refused = |status: u16, error: &str, code: u32, text: &str| {
        let text = format!("AADSTS{code}: {text} Trace ID: 00000000-0000-0000-0000-000000000000");
        Reply::json(
            status,
            &json!({
                "error": error, "error_description": text, "error_codes": [code],
                "error_uri": format!("{}/error?code={code}", call.request.origin),
            }),
        )
    };
    if tenant != places::TENANT {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        );
        return refused(400, "invalid_request", 90002, &text);
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.request.body)
        .into_owned()
        .collect();
    let field = |key: &str| form.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    if field("client_id").is_none_or(str::is_empty) || field("scope").is_none_or(str::is_empty) {
        return refused(
            400,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'client_id'.",
        );
    }
    let proof = match (field("client_secret"), field("client_assertion")) {
        (Some(secret), _) => Some(secret),
        (None, Some(assertion)) => {
            let kind = field("client_assertion_type");
            let told = kind == Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            let is_jwt = assertion.split('.').count() == 3 || assertion == "wrong";
            (told && is_jwt).then_some(assertion)
        }
        (None, None) => None,
    };
    match proof {
        None => refused(
            401,
            "invalid_client",
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        ),
        Some("wrong") => refused(
            401,
            "invalid_client",
            7_000_215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app.",
        ),
        Some(_) => Reply::json(
            200,
            &json!({
                "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
                "access_token": "weir-clouds.token",
            }),
        ),
    }
}
