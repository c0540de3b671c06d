//! What hands out tokens: OAuth's token address, IAM's for impersonation, and the metadata server
//! of a machine. None of them asks who it is.

use crate::http::{Reply, Request};
use http::Method;
use serde_json::json;

/// The reply, where the request is for one of them.
pub fn answer(request: &Request, now: std::time::SystemTime) -> Option<Reply> {
    let token =
        |text: &str| json!({"access_token": text, "expires_in": 3600, "token_type": "Bearer"});
    let path = request.path.as_str();
    if path == "/token" && request.method == Method::POST {
        return Some(Reply::json(200, &token("ya29.token-of-a-key")));
    }
    if path.ends_with(":generateAccessToken") && request.method == Method::POST {
        let later = now + std::time::Duration::from_secs(3600);
        let seconds = later
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        return Some(Reply::json(
            200,
            &json!({"accessToken": "ya29.token-of-another", "expireTime": rfc3339(seconds)}),
        ));
    }
    let of_metadata = path.strip_prefix("/computeMetadata/v1/")?;
    if request.header("metadata-flavor") != Some("Google") {
        return Some(Reply::text(403, "Missing Metadata-Flavor:Google header.\n"));
    }
    let reply = match of_metadata {
        "instance/service-accounts/default/token" => {
            Reply::json(200, &token("ya29.token-of-a-machine"))
        }
        "instance/service-accounts/default/email" => {
            Reply::text(200, "123456789012-compute@developer.gserviceaccount.com")
        }
        "project/project-id" => Reply::text(200, "weir-project"),
        "universe/universe-domain" => Reply::text(200, "googleapis.com"),
        _ => Reply::text(404, "Not found\n"),
    };
    Some(reply.with("metadata-flavor", "Google"))
}

/// Seconds since 1970 as RFC 3339 in UTC.
fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a date, by the civil calendar's 400-year cycle counted from March.
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
