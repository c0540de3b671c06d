//! Users and groups, read from `/etc/passwd` and `/etc/group` by ourselves: the agent is
//! linked statically, where the C library's name services don't work.

use std::fs;

use tokio::process::Command;

use super::disk::{self, Ids};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) ids: Ids,
    pub(crate) home: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    gid: u32,
    members: Vec<String>,
}

/// All local users and groups, as of one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    users: Vec<User>,
    groups: Vec<Group>,
}

impl Accounts {
    pub(crate) fn load() -> Self {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        Self::parse(&text("/etc/passwd"), &text("/etc/group"))
    }

    pub(crate) fn parse(passwd: &str, group: &str) -> Self {
        let users = passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            let home = fields.nth(1)?.to_owned();
            Some(User {
                name,
                ids: Ids { uid, gid },
                home,
            })
        });
        let groups = group.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let gid = fields.nth(1)?.parse().ok()?;
            let members = fields.next().unwrap_or_default();
            let members = members.split(',').filter(|name| !name.is_empty());
            Some(Group {
                name,
                gid,
                members: members.map(str::to_owned).collect(),
            })
        });
        Self {
            users: users.collect(),
            groups: groups.collect(),
        }
    }

    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    pub(crate) fn user_name(&self, uid: u32) -> String {
        let user = self.users.iter().find(|user| user.ids.uid == uid);
        user.map_or_else(|| uid.to_string(), |user| user.name.clone())
    }

    pub(crate) fn group_name(&self, gid: u32) -> String {
        let group = self.groups.iter().find(|group| group.gid == gid);
        group.map_or_else(|| gid.to_string(), |group| group.name.clone())
    }

    fn gid(&self, name: &str) -> Option<u32> {
        let group = self.groups.iter().find(|group| group.name == name);
        group.map(|group| group.gid)
    }

    /// All groups a process of this user is in.
    pub(crate) fn groups_of(&self, user: &User) -> Vec<u32> {
        let mut groups = vec![user.ids.gid];
        for group in &self.groups {
            if group.members.contains(&user.name) && !groups.contains(&group.gid) {
                groups.push(group.gid);
            }
        }
        groups
    }

    /// Who must own something: the named owner and group, else the pod's user, else root.
    /// None when the agent is not root: it can't give files away, and what it makes is its own.
    ///
    /// # Errors
    /// In words, when a name isn't known or can't be had without root.
    pub(crate) fn owner_ids(
        &self,
        owner: Option<&str>,
        group: Option<&str>,
        pod_user: Option<&str>,
    ) -> Result<Option<Ids>, String> {
        let find = |name: &str| {
            self.user(name)
                .map(|user| user.ids)
                .ok_or_else(|| format!("user {name:?} does not exist on this host"))
        };
        let mut ids = match owner.or(pod_user) {
            Some(name) => find(name)?,
            None => Ids { uid: 0, gid: 0 },
        };
        if let Some(name) = group {
            ids.gid = self
                .gid(name)
                .ok_or_else(|| format!("group {name:?} does not exist on this host"))?;
        }
        let own = nix::unistd::geteuid();
        if own.is_root() {
            return Ok(Some(ids));
        }
        match owner {
            Some(name) if ids.uid != own.as_raw() => Err(format!(
                "the agent runs as {} and can't give it to {name:?}; run the agent as root or leave the owner out",
                self.user_name(own.as_raw())
            )),
            _ => Ok(None),
        }
    }
}

/// Makes a system user without a login.
///
/// # Errors
/// In words.
pub(crate) async fn create_user(name: &str, accounts: &Accounts) -> Result<(), String> {
    let group: &[&str] = match accounts.gid(name) {
        Some(_) => &["--gid", name],
        None => &["--user-group"],
    };
    let common = [
        "--system",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
    ];
    run("useradd", &[&common, group, &[name]].concat()).await
}

/// Removes a user.
///
/// # Errors
/// In words.
pub(crate) async fn remove_user(name: &str) -> Result<(), String> {
    run("userdel", &[name]).await
}

async fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("PATH", super::SYSTEM_PATH)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .map_err(|error| format!("{program} can't be run: {}", disk::cause(&error)))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{program} failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_read() {
        let accounts = Accounts::parse(
            "root:x:0:0:root:/root:/bin/bash\nweb:x:998:997::/home/web:/usr/sbin/nologin\nbroken\n",
            "root:x:0:\nweb:x:997:\nlogs:x:30:alice,web\n",
        );
        let web = accounts.user("web").expect("web is listed");
        assert_eq!(web.ids, Ids { uid: 998, gid: 997 });
        assert_eq!(web.home, "/home/web");
        assert_eq!(accounts.groups_of(web), [997, 30]);
        assert_eq!(accounts.user_name(0), "root");
        assert_eq!(accounts.user_name(5), "5");
        assert_eq!(accounts.group_name(30), "logs");
        assert!(accounts.user("broken").is_none());
    }

    #[test]
    fn an_unknown_owner_is_named() {
        let accounts = Accounts::parse("", "");
        let error = accounts.owner_ids(Some("nobody-here"), None, None);
        assert_eq!(
            error.unwrap_err(),
            "user \"nobody-here\" does not exist on this host"
        );
    }
}
