//! `azurerm_subnet_network_security_group_association` and
//! `azurerm_network_interface_security_group_association`: a group's place in another resource.

use super::{network_interface, network_security_group, subnet};
use crate::{
    client::Azure,
    resource::{Call, Failure, Found, Place, Resource, fields, gone, pruned, send},
};
use async_trait::async_trait;
use azure_core::http::Method;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Value};
use weir_provider::{cloud::Cause, declared::Fields as _};

/// Which of the two.
#[derive(Debug, Clone, Copy)]
pub(super) enum Guard {
    /// Of a subnet: its id is the subnet's.
    OfSubnet,
    /// Of an interface: its id is both, with `|` between.
    OfInterface,
}

impl Guard {
    fn place(self) -> Place {
        match self {
            Guard::OfSubnet => subnet::PLACE,
            Guard::OfInterface => network_interface::PLACE,
        }
    }

    fn attribute(self) -> &'static str {
        match self {
            Guard::OfSubnet => "subnet_id",
            Guard::OfInterface => "network_interface_id",
        }
    }

    /// What is guarded, and by which group.
    fn ends(self, value: &Value) -> (String, String) {
        let text = |key: &str| value.text(key).unwrap_or_default();
        (text(self.attribute()), text("network_security_group_id"))
    }

    fn id(self, value: &Value) -> String {
        let (guarded, group) = self.ends(value);
        match self {
            Guard::OfSubnet => guarded,
            Guard::OfInterface => format!("{guarded}|{group}"),
        }
    }

    async fn now(self, azure: &Azure, guarded: &str) -> Result<Option<Json>, Failure> {
        let place = self.place();
        azure
            .get(&format!("{}_Get", place.calls), guarded, place.version)
            .await
    }

    /// Puts a group at what it guards, or takes it away.
    async fn set(self, cx: &Call<'_>, guarded: &str, group: Option<&str>) -> Result<(), Failure> {
        let turn = match self {
            Guard::OfSubnet => subnet::network(guarded),
            Guard::OfInterface => guarded.to_owned(),
        };
        let _turn = cx.cloud.turn(&turn).await;
        let place = self.place();
        let what = format!("{}_CreateOrUpdate", place.calls);
        let Some(mut body) = self.now(cx.cloud, guarded).await? else {
            return match group {
                None => Ok(()),
                Some(_) => Err(Failure {
                    cause: Cause::Gone,
                    ..Failure::new(&what, format!("{guarded} is not there"))
                }),
            };
        };
        let there = body["properties"]["networkSecurityGroup"]["id"]
            .as_str()
            .map(str::to_owned);
        match (group, &there) {
            // What others have put there is not ours to take away.
            (None, None) => return Ok(()),
            (Some(group), Some(there)) if !there.eq_ignore_ascii_case(group) => {
                return Err(Failure {
                    help: Some(
                        "Import that association (`weir import ADDRESS ID`), or remove it first.",
                    ),
                    ..Failure::new(
                        &what,
                        format!("{guarded} has another security group already: {there}"),
                    )
                });
            }
            _ => {}
        }
        body["properties"]["networkSecurityGroup"] = match group {
            Some(group) => json!({ "id": group }),
            None => Json::Null,
        };
        let body = pruned(body);
        gone(cx, &what, || {
            send(
                cx,
                (&what, Method::Put),
                (guarded, place.version),
                Some(&body),
            )
        })
        .await
    }
}

#[async_trait]
impl Resource<Azure> for Guard {
    fn name(&self) -> &'static str {
        match self {
            Guard::OfSubnet => "azurerm_subnet_network_security_group_association",
            Guard::OfInterface => "azurerm_network_interface_security_group_association",
        }
    }
    fn minutes(&self) -> crate::resource::Minutes {
        (30, 30, 30)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_id(self.place(), self.attribute(), config, out);
        let group = network_security_group::PLACE;
        super::check_id(group, "network_security_group_id", config, out);
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let (guarded, group) = self.ends(planned);
        self.set(cx, &guarded, Some(&group)).await?;
        Ok(self.id(planned))
    }

    /// An association is known by its ends.
    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let there = self.read(cx.cloud, &self.id(planned), planned).await?;
        Ok(there.map(|_| self.id(planned)))
    }

    async fn read(&self, azure: &Azure, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let (guarded, group) = match id.split_once('|') {
            Some((guarded, group)) => (guarded, Some(group.to_owned())),
            None => (id, known.text("network_security_group_id")),
        };
        let Some(body) = self.now(azure, guarded).await? else {
            return Ok(None);
        };
        let there = body["properties"]["networkSecurityGroup"]["id"].as_str();
        let Some(there) = there else { return Ok(None) };
        // Another group is drift at a subnet, and another association at an interface.
        let same = group.as_ref().is_none_or(|g| g.eq_ignore_ascii_case(there));
        if !same && matches!(self, Guard::OfInterface) {
            return Ok(None);
        }
        let group = group.filter(|_| same).unwrap_or_else(|| there.to_owned());
        let guarded = known
            .text(self.attribute())
            .unwrap_or_else(|| guarded.to_owned());
        Ok(Some(fields(json!({
            "id": id,
            self.attribute(): guarded,
            "network_security_group_id": group,
        }))))
    }

    async fn delete(&self, cx: &Call<'_>, _id: &str, prior: &Value) -> Result<(), Failure> {
        let (guarded, group) = self.ends(prior);
        let now = self.now(cx.cloud, &guarded).await?;
        let there = now
            .as_ref()
            .and_then(|n| n["properties"]["networkSecurityGroup"]["id"].as_str());
        match there.is_some_and(|t| t.eq_ignore_ascii_case(&group)) {
            true => self.set(cx, &guarded, None).await,
            false => Ok(()),
        }
    }

    fn waits_for_deletion(&self, _prior: &Value) -> bool {
        false
    }

    fn import(&self, id: &str) -> Result<Found, String> {
        let (guarded, group) = match (self, id.split_once('|')) {
            (Guard::OfSubnet, None) => (id, None),
            (Guard::OfInterface, Some((guarded, group))) => (guarded, Some(group)),
            (Guard::OfSubnet, _) => return Err("the id is that of the subnet".into()),
            (Guard::OfInterface, _) => {
                return Err(
                    "the id is those of the interface and of the group with `|` between".into(),
                );
            }
        };
        let read = self.place().read(guarded);
        let (guarded, _) = read.ok_or_else(|| format!("{guarded:?} is no id of what it guards"))?;
        let id = match group {
            Some(group) => format!("{guarded}|{group}"),
            None => guarded.clone(),
        };
        Ok(fields(json!({
            "id": id,
            self.attribute(): guarded,
            "network_security_group_id": group,
        })))
    }
}
