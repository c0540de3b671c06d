//! `aws_key_pair`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Resource, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::{primitives::Blob, types::ResourceType};
use serde_json::json;
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::Fields as _;

pub(super) struct KeyPair;

#[async_trait]
impl Resource<Aws> for KeyPair {
    fn name(&self) -> &'static str {
        "aws_key_pair"
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::not_both(config, "key_name", "key_name_prefix", out);
        let known = ["ssh-rsa ", "ssh-ed25519 ", "---- BEGIN SSH2", "MII"];
        if let Some(key) = config.text("public_key")
            && !known.iter().any(|k| key.trim_start().starts_with(k))
        {
            out.push(
                Diagnostic::error("`public_key` is not a public key that EC2 takes")
                    .because("EC2 takes ED25519 and RSA keys in the form of OpenSSH.")
                    .help("Give the content of a file such as ~/.ssh/id_ed25519.pub."),
            );
        }
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let names = ("key_name", "key_name_prefix");
        let key = |v: &Value| v.text("public_key").map(|k| k.trim().to_owned());
        let planned = match prior {
            // A line's end is no other key.
            Some(p) if key(p).is_some() && key(p) == key(&planned) => planned.with(
                "public_key",
                p.get("public_key").cloned().unwrap_or_else(Value::null),
            ),
            _ => planned,
        };
        (super::named_by(config, prior, planned, names), Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx, planned, "key_name", "key_name_prefix");
        let key = planned.text("public_key").unwrap_or_default();
        let made = cx
            .cloud
            .make("ImportKeyPair", || {
                let call = cx.cloud.ec2.import_key_pair().key_name(&name);
                call.public_key_material(Blob::new(key.trim().as_bytes()))
                    .tag_specifications(tags::specification(cx, ResourceType::KeyPair, planned))
                    .send()
            })
            .await?;
        let name = made.key_name();
        name.map(str::to_owned)
            .ok_or_else(|| super::nameless("ImportKeyPair"))
    }

    /// A key is known by its name, so the tag is looked for on the keys themselves.
    async fn find(&self, cx: &Call<'_>, _planned: &Value) -> Result<Option<String>, Failure> {
        let mine = tags::mine(cx);
        let found = cx
            .cloud
            .call("DescribeKeyPairs", || {
                cx.cloud
                    .ec2
                    .describe_key_pairs()
                    .filters(mine.clone())
                    .send()
            })
            .await?;
        Ok(found.key_pairs().first().and_then(|k| k.key_name.clone()))
    }

    async fn read(&self, aws: &Aws, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let answer = aws.call("DescribeKeyPairs", || {
            let call = aws.ec2.describe_key_pairs().key_names(id);
            call.include_public_key(true).send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        let Some(key) = answer.key_pairs().first() else {
            return Ok(None);
        };
        let name = key.key_name().unwrap_or(id);
        let account = aws.account().await?;
        let mut fields = weir_provider::declared::object(json!({
            "arn": aws.arn(&account, "key-pair", name),
            "fingerprint": key.key_fingerprint(),
            "key_name": name,
            "key_name_prefix": super::prefix_of(known, name),
            "key_pair_id": key.key_pair_id(),
            "key_type": key.key_type().map(|t| t.as_str()),
            "tags_all": tags::found(aws, key.tags()),
        }));
        // The API cuts the comment and the end of the line: what was given stays as it is.
        if known.text("public_key").is_none()
            && let Some(text) = key.public_key()
        {
            fields.insert("public_key".into(), json!(text));
        }
        Ok(Some(fields))
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        cx.cloud
            .call("DeleteKeyPair", || {
                cx.cloud.ec2.delete_key_pair().key_name(id).send()
            })
            .await?;
        Ok(())
    }

    fn tag_id(&self, id: &str, value: &Value) -> String {
        value.text("key_pair_id").unwrap_or_else(|| id.to_owned())
    }
}
