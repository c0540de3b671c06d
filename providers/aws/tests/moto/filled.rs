//! What EC2 does and moto does not, done by the proxy before it: placement groups, the kind of host
//! names of a subnet's machines, and new tags of launch templates.

use crate::server::texts;
use std::collections::BTreeMap;

/// Parameters of a call, by name.
type Form = BTreeMap<String, String>;

/// What is kept here, as moto keeps the rest.
#[derive(Debug, Default)]
pub struct Filled {
    groups: BTreeMap<String, Group>,
    /// By the subnet's id.
    hostnames: BTreeMap<String, String>,
    /// Changes of a launch template's tags, by its id: the value, `None` where it was deleted.
    retagged: BTreeMap<String, BTreeMap<String, Option<String>>>,
    made: usize,
}

#[derive(Debug)]
struct Group {
    id: String,
    strategy: String,
    level: String,
    partitions: Option<String>,
    tags: BTreeMap<String, String>,
}

/// How a call of these is answered: the whole XML, or EC2's code and its words.
pub type Answer = Result<String, (&'static str, String)>;

impl Filled {
    /// The answer, where moto has none.
    pub fn answer(&mut self, body: &str) -> Option<Answer> {
        let form = form(body);
        let get = |key: &str| form.get(key).cloned().unwrap_or_default();
        match get("Action").as_str() {
            "CreatePlacementGroup" => Some(self.create(&form)),
            "DescribePlacementGroups" => Some(self.describe(&form)),
            "DeletePlacementGroup" => Some(match self.groups.remove(&get("GroupName")) {
                Some(_) => Ok(whole("DeletePlacementGroup", "<return>true</return>")),
                None => Err(unknown(&get("GroupName"))),
            }),
            "ModifySubnetAttribute" => {
                let kind = form.get("PrivateDnsHostnameTypeOnLaunch")?;
                self.hostnames.insert(get("SubnetId"), kind.clone());
                Some(Ok(whole("ModifySubnetAttribute", "<return>true</return>")))
            }
            action @ ("CreateTags" | "DeleteTags") => {
                let id = get("ResourceId.1");
                if id.starts_with("lt-") {
                    let changes = self.retagged.entry(id).or_default();
                    changes.extend(tags(&form, "Tag").map(|(key, value)| {
                        let value = (action == "CreateTags").then_some(value);
                        (key, value)
                    }));
                    return None;
                }
                let group = self.groups.values_mut().find(|g| g.id == id)?;
                for (key, value) in tags(&form, "Tag") {
                    match action {
                        "CreateTags" => group.tags.insert(key, value),
                        _ => group.tags.remove(&key),
                    };
                }
                Some(Ok(whole(action, "<return>true</return>")))
            }
            _ => None,
        }
    }

    /// moto's answer, with what it has not kept of what was asked for by its id.
    pub fn amended(&self, body: &str, answer: Vec<u8>) -> Vec<u8> {
        let form = form(body);
        let of = |key: &str| form.get(key).map(String::as_str).unwrap_or_default();
        let text = String::from_utf8_lossy(&answer);
        let Some((head, xml)) = text.split_once("\r\n\r\n") else {
            return answer;
        };
        let xml = match of("Action") {
            "DescribeSubnets" => match self.hostnames.get(of("SubnetId.1")) {
                Some(kind) => xml.replace(
                    "<hostnameType>ip-name</hostnameType>",
                    &format!("<hostnameType>{kind}</hostnameType>"),
                ),
                None => return answer,
            },
            "DescribeLaunchTemplates" => match self.retagged.get(of("LaunchTemplateId.1")) {
                Some(changes) => retagged(xml, changes),
                None => return answer,
            },
            _ => return answer,
        };
        let lines = head.lines().map(|l| match l.split_once(':') {
            Some((name, _)) if name.eq_ignore_ascii_case("content-length") => {
                format!("{name}: {}", xml.len())
            }
            _ => l.to_owned(),
        });
        let head: Vec<String> = lines.collect();
        format!("{}\r\n\r\n{xml}", head.join("\r\n")).into_bytes()
    }

    /// How many placement groups there are.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Somebody deletes a placement group.
    pub fn lose(&mut self, name: &str) {
        self.groups.remove(name);
    }

    fn create(&mut self, form: &Form) -> Answer {
        let get = |key: &str| form.get(key).cloned();
        let name = get("GroupName").unwrap_or_default();
        if self.groups.contains_key(&name) {
            let words = format!("The placement group '{name}' already exists.");
            return Err(("InvalidPlacementGroup.Duplicate", words));
        }
        self.made += 1;
        let strategy = get("Strategy").unwrap_or_else(|| "cluster".into());
        let level = match strategy.as_str() {
            "spread" => get("SpreadLevel").unwrap_or_else(|| "rack".into()),
            _ => String::new(),
        };
        let partitions = match strategy.as_str() {
            "partition" => Some(get("PartitionCount").unwrap_or_else(|| "2".into())),
            _ => None,
        };
        let group = Group {
            id: format!("pg-{:017x}", self.made),
            strategy,
            level,
            partitions,
            tags: tags(form, "TagSpecification.1.Tag").collect(),
        };
        let answer = whole(
            "CreatePlacementGroup",
            &format!("<placementGroup>{}</placementGroup>", xml(&name, &group)),
        );
        self.groups.insert(name, group);
        Ok(answer)
    }

    fn describe(&self, form: &Form) -> Answer {
        let named = form.get("GroupName.1");
        if let Some(name) = named.filter(|n| !self.groups.contains_key(*n)) {
            return Err(unknown(name));
        }
        let tag = form
            .get("Filter.1.Name")
            .and_then(|n| n.strip_prefix("tag:"));
        let value = form.get("Filter.1.Value.1");
        let fits = |(name, group): &(&String, &Group)| {
            named.is_none_or(|n| n == *name) && tag.is_none_or(|t| group.tags.get(t) == value)
        };
        let items = self.groups.iter().filter(fits);
        let items: String = items
            .map(|(name, group)| format!("<item>{}</item>", xml(name, group)))
            .collect();
        let set = format!("<placementGroupSet>{items}</placementGroupSet>");
        Ok(whole("DescribePlacementGroups", &set))
    }
}

/// The answer with the changes in its only set of tags.
fn retagged(xml: &str, changes: &BTreeMap<String, Option<String>>) -> String {
    let (before, after) = match (xml.split_once("<tagSet>"), xml.split_once("</tagSet>")) {
        (Some((before, _)), Some((_, after))) => (before.to_owned(), after.to_owned()),
        _ => {
            let (before, after) = xml.split_once("<tagSet/>").unwrap_or((xml, ""));
            (before.to_owned(), after.to_owned())
        }
    };
    let keys = texts(xml, "key").into_iter();
    let mut all: BTreeMap<String, String> = keys.zip(texts(xml, "value")).collect();
    for (key, value) in changes {
        match value {
            Some(value) => all.insert(key.clone(), value.clone()),
            None => all.remove(key),
        };
    }
    format!("{before}<tagSet>{}</tagSet>{after}", items(&all))
}

fn items(tags: &BTreeMap<String, String>) -> String {
    let one = |(k, v)| format!("<item><key>{k}</key><value>{v}</value></item>");
    tags.iter().map(one).collect()
}

fn unknown(name: &str) -> (&'static str, String) {
    let words = format!("The Placement Group '{name}' is unknown.");
    ("InvalidPlacementGroup.Unknown", words)
}

fn xml(name: &str, g: &Group) -> String {
    let tags = items(&g.tags);
    let (id, strategy) = (&g.id, &g.strategy);
    let arn = format!("arn:aws:ec2:eu-central-1:123456789012:placement-group/{name}");
    let mut text = format!(
        "<groupName>{name}</groupName><strategy>{strategy}</strategy><state>available</state><groupId>{id}</groupId><groupArn>{arn}</groupArn><tagSet>{tags}</tagSet>"
    );
    if !g.level.is_empty() {
        text += &format!("<spreadLevel>{}</spreadLevel>", g.level);
    }
    if let Some(count) = &g.partitions {
        text += &format!("<partitionCount>{count}</partitionCount>");
    }
    text
}

fn whole(action: &str, inner: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>weir</requestId>{inner}</{action}Response>"
    )
}

/// `PREFIX.1.Key` and `PREFIX.1.Value`, `PREFIX.2.Key` ...
fn tags<'f>(form: &'f Form, prefix: &'f str) -> impl Iterator<Item = (String, String)> + 'f {
    (1..).map_while(move |n| {
        let key = form.get(&format!("{prefix}.{n}.Key"))?;
        let value = form.get(&format!("{prefix}.{n}.Value"));
        Some((key.clone(), value.cloned().unwrap_or_default()))
    })
}

fn form(body: &str) -> Form {
    let pairs = body.split('&').filter_map(|p| p.split_once('='));
    let text = |t: &str| crate::proxy::decoded(t);
    pairs.map(|(k, v)| (text(k), text(v))).collect()
}
