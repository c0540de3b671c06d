//! `weir state replace-provider`

use super::super::{Context, Result, apply};
use super::{
    count,
    edit::{Changes, Edit, EditArgs},
    legacy::Legacy,
};
use crate::{
    args::ApproveArgs,
    compose,
    error::{CommandError, Outcome},
    render::json::{provider_source, source_address},
    tfstate,
};
use std::{collections::BTreeSet, fmt};
use weir_core::{Address, Object, address::ProviderRef, snapshot::Resource};
use weir_engine::Registry;
use weir_state::{Begin, Entry};

/// Flags of `state replace-provider`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplaceProvider {
    /// The provider that state names: `aws`, `hashicorp/aws`, `registry.terraform.io/hashicorp/aws`;
    /// only one of its configurations with `aws.west`.
    from: String,
    /// The provider that takes over, written the same way.
    to: String,
    #[command(flatten)]
    approve: ApproveArgs,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    legacy: Legacy,
}

/// A provider as it is named on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    /// Its configuration: which provider, and which alias and module where those are named.
    provider: ProviderRef,
    /// Its source address, where that is named.
    source: Option<String>,
}

impl Named {
    /// `aws.west`, `hashicorp/aws.west`, `HOST/hashicorp/aws.west`, or as a state file has it,
    /// `provider["HOST/hashicorp/aws"].west`.
    fn read(text: &str) -> std::result::Result<Named, CommandError> {
        let wrong = || {
            CommandError::usage(format!("{text:?} names no provider")).hint(
                "Write its name (`aws`), its source address (`hashicorp/aws`, \
                 `registry.terraform.io/hashicorp/aws`), and `.ALIAS` after it for one \
                 configuration of it.",
            )
        };
        if text.contains("provider[") || text.starts_with("provider.") {
            let (provider, source) = tfstate::provider_of(text).ok_or_else(wrong)?;
            let source = source.unwrap_or_else(|| provider_source(&provider.name));
            return Ok(Named {
                provider,
                source: Some(source),
            });
        }
        let Some((head, tail)) = text.rsplit_once('/') else {
            let provider = text.parse().map_err(|_| wrong())?;
            return Ok(Named {
                provider,
                source: None,
            });
        };
        let parts: Vec<&str> = head.split('/').collect();
        let namespace = |s: &str| {
            let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
            !s.is_empty() && s.chars().all(fits)
        };
        let host = |s: &str| s.contains(['.', ':']) || s == "localhost" || s == "weir";
        let known = match parts.as_slice() {
            [one] => namespace(one),
            [first, second] => host(first) && namespace(second),
            _ => false,
        };
        let provider: ProviderRef = tail.parse().map_err(|_| wrong())?;
        if !known || !provider.module.is_root() {
            return Err(wrong());
        }
        Ok(Named {
            source: Some(source_address(&format!("{head}/{}", provider.name))),
            provider,
        })
    }

    /// Whether the object is of this provider, and of the configuration that is named.
    fn has(&self, resource: &Resource) -> bool {
        let (this, its) = (&self.provider, &resource.provider);
        let provider = match &self.source {
            Some(source) => tfstate::source(resource) == *source,
            None => this.name == its.name,
        };
        provider
            && (this.alias.is_none() || this.alias == its.alias && this.key == its.key)
            && (this.module.is_root() || this.module == its.module)
    }

    /// Its source address.
    fn source(&self) -> String {
        let source = self.source.clone();
        source.unwrap_or_else(|| provider_source(&self.provider.name))
    }

    /// The object in the care of this provider. Where nothing is said of a configuration, neither
    /// here nor in `from`, it keeps the one that goes by the same alias.
    fn takes(&self, from: &Named, resource: &Resource) -> Resource {
        let this = &self.provider;
        let said = |p: &ProviderRef| p.alias.is_some() || !p.module.is_root();
        let provider = match said(this) || said(&from.provider) {
            true => this.clone(),
            false => ProviderRef {
                name: this.name.clone(),
                ..resource.provider.clone()
            },
        };
        tfstate::served_by(resource, provider, &self.source())
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(source) = &self.source else {
            return self.provider.fmt(f);
        };
        let name = self.provider.to_string();
        let plain = self.provider.name.as_str();
        f.write_str(source)?;
        f.write_str(name.strip_prefix(plain).unwrap_or_default())
    }
}

/// Lets a provider serve what another one served.
pub(super) async fn cmd_replace_provider(args: &ReplaceProvider, context: &Context) -> Result {
    args.legacy.check()?;
    let (from, to) = (Named::read(&args.from)?, Named::read(&args.to)?);
    let what = format!("state replace-provider {} {}", args.from, args.to);
    let edit = Edit::begin(what, args.edit, context).await?;
    let registry = compose::registry(&context.env);
    let changes = match changes(&edit, (&from, &to), &registry) {
        Ok(changes) => changes,
        Err(error) => {
            edit.leave().await?;
            return Err(error);
        }
    };
    let changed = changes.rows.iter().map(|(a, _)| a);
    let aside = changes.aside.iter().filter_map(|(_, b)| b.as_ref());
    let changed: BTreeSet<&Address> = changed.chain(aside.map(|b| &b.address)).collect();
    if changed.is_empty() {
        edit.leave().await?;
        context.ui.tell(&format!(
            "Nothing in state is served by {from}: nothing was changed."
        ));
        return Ok(Outcome::Done);
    }
    let lines: String = changed.iter().map(|a| format!("  {a}\n")).collect();
    let told = format!("{from} gives these to {to}:\n\n{lines}\n");
    context.ui.data(&told)?;
    if let Err(error) = apply::confirmed(args.approve, "Do this?", context).await {
        edit.leave().await?;
        return Err(error);
    }
    let counted = count(changed.len(), "resource instance");
    edit.commit(changes).await?;
    context.ui.data(&format!("{counted} changed.\n"))?;
    Ok(Outcome::Done)
}

/// What changes hands.
///
/// # Errors
/// The provider that takes over can't serve what is there, or it is not clear what is meant.
fn changes(
    edit: &Edit,
    (from, to): (&Named, &Named),
    registry: &Registry,
) -> std::result::Result<Changes, CommandError> {
    let on_hosts = |a: &Address| matches!(a.object, Object::Host { .. } | Object::Pod { .. });
    let fits = |a: &Address, r: &Resource| from.has(r) && !on_hosts(a);
    let deposed = |e: &Entry| {
        let of = edit.snapshot.deposed.get(&e.begin.address)?;
        of.get(&e.id.deposed_key())
    };
    let aside: Vec<(&Entry, &Resource)> = (edit.put_aside())
        .filter_map(|e| Some((e, deposed(e)?)))
        .filter(|(e, r)| fits(&e.begin.address, r))
        .collect();
    let current = edit.snapshot.resources.iter();
    let current: Vec<(&Address, &Resource)> = current.filter(|(a, r)| fits(a, r)).collect();
    let of_aside = aside.iter().map(|(e, r)| (&e.begin.address, *r));
    let chosen: Vec<(&Address, &Resource)> = current.iter().copied().chain(of_aside).collect();
    let sources: BTreeSet<String> = chosen.iter().map(|(_, r)| tfstate::source(r)).collect();
    if sources.len() > 1 {
        let sources: Vec<String> = sources.into_iter().collect();
        return Err(CommandError::usage(format!(
            "{from} may be {}: nothing was changed",
            sources.join(" or ")
        ))
        .hint("Write the source address of the one that is meant."));
    }
    check(&chosen, (from, to), registry)?;
    let rows = current.into_iter().filter_map(|(address, resource)| {
        let after = to.takes(from, resource);
        (after != *resource).then(|| (address.clone(), Some(after)))
    });
    let aside = aside.iter().filter_map(|(entry, resource)| {
        let after = to.takes(from, resource);
        let begin = Begin {
            provider: after.provider.clone(),
            foreign: after.foreign.clone(),
            ..entry.begin.clone()
        };
        (after != **resource).then_some((entry.id, Some(begin)))
    });
    Ok(Changes {
        rows: rows.collect(),
        aside: aside.collect(),
        ..Changes::default()
    })
}

/// Whether the provider can serve what it takes over. One that is not part of this program can
/// take what no provider of this program serves: such objects stay as they came.
fn check(
    chosen: &[(&Address, &Resource)],
    (from, to): (&Named, &Named),
    registry: &Registry,
) -> std::result::Result<(), CommandError> {
    let at_hand = |name: &str, source: &str| {
        let factory = registry.factory(name);
        factory.filter(|_| provider_source(name) == source)
    };
    let Some(factory) = at_hand(&to.provider.name, &to.source()) else {
        let served = chosen
            .iter()
            .find(|(_, r)| at_hand(&r.provider.name, &tfstate::source(r)).is_some());
        let Some((address, _)) = served else {
            return Ok(());
        };
        let names: Vec<String> = registry.names().map(provider_source).collect();
        return Err(CommandError::failed(format!(
            "provider {to} is not at hand, and {address} is served by {from}, which is: nothing \
             was changed"
        ))
        .hint(format!("This weir has {}.", names.join(", "))));
    };
    let schema = factory.schema();
    let serves = |a: &Address| {
        let ty = a.object.type_name();
        match a.object {
            Object::Data { .. } => schema.data.contains_key(ty),
            _ => schema.resources.contains_key(ty),
        }
    };
    match chosen.iter().find(|(a, _)| !serves(a)) {
        None => Ok(()),
        Some((address, _)) => Err(CommandError::failed(format!(
            "provider {to} can't take over {address}"
        ))
        .hint("It has nothing of that type. Nothing was changed.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_by_name_and_by_source() {
        let table = [
            ("aws", "aws", None),
            ("aws.west", "aws.west", None),
            ("module.net.aws.west", "module.net.aws.west", None),
            (
                "hashicorp/aws",
                "aws",
                Some("registry.terraform.io/hashicorp/aws"),
            ),
            (
                "acme/aws.west",
                "aws.west",
                Some("registry.terraform.io/acme/aws"),
            ),
            (
                "registry.terraform.io/-/aws",
                "aws",
                Some("registry.terraform.io/-/aws"),
            ),
            (
                "registry.acme.test:8443/infra/aws",
                "aws",
                Some("registry.acme.test:8443/infra/aws"),
            ),
            (
                "provider[\"registry.terraform.io/hashicorp/aws\"].west",
                "aws.west",
                Some("registry.terraform.io/hashicorp/aws"),
            ),
            ("weir/builtin/fake", "fake", Some("weir/builtin/fake")),
            (
                "terraform.io/builtin/terraform",
                "terraform",
                Some("terraform.io/builtin/terraform"),
            ),
        ];
        for (text, provider, source) in table {
            let named = Named::read(text).expect(text);
            assert_eq!(named.provider.to_string(), provider, "{text}");
            assert_eq!(named.source.as_deref(), source, "{text}");
            assert_eq!(Named::read(&named.to_string()).expect(text), named);
        }
        for wrong in [
            "",
            "/",
            "a/",
            "/aws",
            "a/b/c/aws",
            "a b/aws",
            "no.host",
            "x/y/aws",
        ] {
            let named = Named::read(wrong);
            assert!(wrong == "no.host" || named.is_err(), "{wrong}: {named:?}");
        }
    }
}
