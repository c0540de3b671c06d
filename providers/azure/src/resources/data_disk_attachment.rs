//! `azurerm_virtual_machine_data_disk_attachment`

use super::linux_virtual_machine::PLACE;
use crate::{
    client::Azure,
    resource::{COMPUTE, Call, Failure, Found, Minutes, Resource, fields, gone, pruned, send},
};
use async_trait::async_trait;
use azure_core::http::Method;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Value};
use weir_provider::{
    cloud::Cause,
    declared::{Fields as _, checks},
};

pub(super) struct Attachment;

/// The machine, the disk and the disk's name.
struct Ends {
    machine: String,
    disk: String,
    name: String,
}

fn ends(value: &Value) -> Ends {
    let text = |key: &str| value.text(key).unwrap_or_default();
    let disk = text("managed_disk_id");
    Ends {
        machine: text("virtual_machine_id"),
        name: disk.rsplit('/').next().unwrap_or_default().to_owned(),
        disk,
    }
}

/// The id that Terraform gives an attachment, which has none of its own.
fn id(value: &Value) -> String {
    let Ends { machine, name, .. } = ends(value);
    format!("{machine}/dataDisks/{name}")
}

fn is_of(disk: &Json, name: &str) -> bool {
    disk["name"]
        .as_str()
        .is_some_and(|n| n.eq_ignore_ascii_case(name))
}

/// The machine's data disks as they are.
async fn disks(azure: &Azure, machine: &str) -> Result<Option<Vec<Json>>, Failure> {
    let found = azure.get("VirtualMachines_Get", machine, COMPUTE).await?;
    let disks = found.map(|m| m["properties"]["storageProfile"]["dataDisks"].clone());
    Ok(disks.map(|d| d.as_array().cloned().unwrap_or_default()))
}

/// Changes the list of the machine's data disks.
async fn change(
    cx: &Call<'_>,
    machine: &str,
    f: impl Fn(&mut Vec<Json>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let _turn = cx.cloud.turn(machine).await;
    let what = "VirtualMachines_Update";
    let Some(mut all) = disks(cx.cloud, machine).await? else {
        return Err(Failure {
            cause: Cause::Gone,
            ..Failure::new(what, format!("{machine} is not there"))
        });
    };
    f(&mut all)?;
    let body = pruned(json!({ "properties": { "storageProfile": { "dataDisks": all } } }));
    gone(cx, what, || {
        send(cx, (what, Method::Patch), (machine, COMPUTE), Some(&body))
    })
    .await
}

fn row(planned: &Value) -> Json {
    let Ends { disk, name, .. } = ends(planned);
    json!({
        "lun": planned.int("lun"),
        "name": name,
        "caching": planned.text("caching"),
        "createOption": planned.text("create_option"),
        "managedDisk": { "id": disk },
        "writeAcceleratorEnabled": planned.flag("write_accelerator_enabled"),
    })
}

#[async_trait]
impl Resource<Azure> for Attachment {
    fn name(&self) -> &'static str {
        "azurerm_virtual_machine_data_disk_attachment"
    }
    fn minutes(&self) -> Minutes {
        (30, 30, 30)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        checks::choice(config, "caching", &["None", "ReadOnly", "ReadWrite"], out);
        checks::choice(config, "create_option", &["Attach", "Empty"], out);
        checks::within(config, "lun", 0..=63, out);
        super::check_id(PLACE, "virtual_machine_id", config, out);
        super::check_id(super::managed_disk::PLACE, "managed_disk_id", config, out);
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let Ends { machine, name, .. } = ends(planned);
        change(cx, &machine, |all| {
            if all.iter().any(|d| is_of(d, &name)) {
                return Err(crate::resource::exists(
                    "VirtualMachines_Update",
                    &id(planned),
                ));
            }
            all.push(row(planned));
            Ok(())
        })
        .await?;
        Ok(id(planned))
    }

    /// An attachment is known by its ends, and is the same where its number is.
    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let found = self.read(cx.cloud, &id(planned), planned).await?;
        let lun = planned.int("lun").map(i64::from);
        let same = |f: &Found| f.get("lun").and_then(Json::as_i64) == lun;
        Ok(found.filter(same).map(|_| id(planned)))
    }

    async fn read(&self, azure: &Azure, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let Some((machine, name)) = id.rsplit_once("/dataDisks/") else {
            return Ok(None);
        };
        let Some(all) = disks(azure, machine).await? else {
            return Ok(None);
        };
        let Some(disk) = all.iter().find(|d| is_of(d, name)) else {
            return Ok(None);
        };
        let known_id = |key: &str, now: &str| match known.text(key) {
            Some(was) if was.eq_ignore_ascii_case(now) => was,
            _ => now.to_owned(),
        };
        let there = disk["managedDisk"]["id"].as_str().unwrap_or_default();
        Ok(Some(fields(json!({
            "id": id,
            "caching": disk["caching"].as_str().unwrap_or("None"),
            "create_option": disk["createOption"].as_str().unwrap_or("Attach"),
            "lun": disk["lun"],
            "managed_disk_id": known_id("managed_disk_id", there),
            "virtual_machine_id": known_id("virtual_machine_id", machine),
            "write_accelerator_enabled": disk["writeAcceleratorEnabled"].as_bool().unwrap_or(false),
        }))))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        _id: &str,
        _prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let Ends { machine, name, .. } = ends(planned);
        let new = row(planned);
        change(cx, &machine, |all| {
            if let Some(disk) = all.iter_mut().find(|d| is_of(d, &name)) {
                for key in ["caching", "writeAcceleratorEnabled"] {
                    disk[key] = new[key].clone();
                }
            }
            Ok(())
        })
        .await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, _id: &str, prior: &Value) -> Result<(), Failure> {
        let Ends { machine, name, .. } = ends(prior);
        change(cx, &machine, |all| {
            all.retain(|d| !is_of(d, &name));
            Ok(())
        })
        .await
    }

    fn import(&self, id: &str) -> Result<Found, String> {
        let form = "the id is that of the machine, /dataDisks/ and the disk's name";
        let (machine, name) = id.rsplit_once("/dataDisks/").ok_or(form)?;
        let (machine, _) = PLACE.read(machine).ok_or(form)?;
        Ok(fields(json!({
            "id": format!("{machine}/dataDisks/{name}"),
            "virtual_machine_id": machine,
        })))
    }
}
