use std::collections::BTreeMap;
use std::fs;

use super::seed::{self, Image};
use super::{Machine, Power, SshKey, Step, Twin, steps};

fn machine(id: &str, power: Power) -> Machine {
    Machine {
        id: id.to_owned(),
        name: format!("name-{id}"),
        address: "10.0.0.4".to_owned(),
        public_address: Some("54.214.0.9".to_owned()),
        power,
        ssh_keys: Vec::new(),
        user_data: None,
        metadata: BTreeMap::new(),
    }
}

fn twins(machines: &[Machine]) -> BTreeMap<String, Twin> {
    let twin = |m: &Machine| Twin {
        host: format!("host-{}", m.id),
        machine: m.clone(),
    };
    machines.iter().map(|m| (m.id.clone(), twin(m))).collect()
}

#[test]
fn the_lab_does_what_the_api_says() {
    let (on, off) = (Power::Running, Power::Stopped);
    let moved = Machine {
        public_address: Some("54.214.0.10".to_owned()),
        ..machine("i-1", on)
    };
    let cases = [
        (
            "new",
            vec![],
            vec![machine("i-1", on)],
            vec![Step::Add(machine("i-1", on))],
        ),
        ("never ran", vec![], vec![machine("i-1", off)], vec![]),
        (
            "as it was",
            vec![machine("i-1", on)],
            vec![machine("i-1", on)],
            vec![],
        ),
        (
            "gone",
            vec![machine("i-1", on)],
            vec![],
            vec![Step::Remove("i-1".to_owned())],
        ),
        (
            "gone while off",
            vec![machine("i-1", off)],
            vec![],
            vec![Step::Remove("i-1".to_owned())],
        ),
        (
            "stopped",
            vec![machine("i-1", on)],
            vec![machine("i-1", off)],
            vec![Step::Stop(machine("i-1", off))],
        ),
        (
            "another address after a stop",
            vec![machine("i-1", off)],
            vec![moved.clone()],
            vec![Step::Readdress(moved.clone()), Step::Start(moved)],
        ),
        (
            "one for another: its address is free before it is taken",
            vec![machine("i-1", on)],
            vec![machine("i-0", on)],
            vec![
                Step::Remove("i-1".to_owned()),
                Step::Add(machine("i-0", on)),
            ],
        ),
    ];
    for (what, before, told, expected) in cases {
        assert_eq!(steps(&twins(&before), &told), expected, "{what}");
    }
}

#[test]
fn a_seed_is_what_the_machine_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut given = machine("/Subscriptions/S/vm-1", Power::Running);
    given.user_data = Some("#cloud-config\n{}".to_owned());
    given.ssh_keys = vec![SshKey {
        user: "azure".to_owned(),
        key: "ssh-ed25519 AAAA".to_owned(),
    }];
    seed::write(folder.path(), &given, Image::CloudInit).unwrap();
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    assert_eq!(
        read("var/lib/cloud/seed/nocloud/user-data"),
        "#cloud-config\n{}"
    );
    assert_eq!(
        read("var/lib/cloud/seed/nocloud/meta-data"),
        r#"{"instance-id":"/subscriptions/s/vm-1","local-hostname":"name-/Subscriptions/S/vm-1","public-keys":["ssh-ed25519 AAAA"]}"#
    );
    assert_eq!(
        read("etc/cloud/cloud.cfg.d/95_user.cfg"),
        r#"{"system_info":{"default_user":{"name":"azure"}}}"#
    );
}

#[test]
fn without_cloud_init_the_start_script_is_run_and_user_data_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut given = machine("17", Power::Running);
    given.user_data = Some("#cloud-config\n{}".to_owned());
    let script = "#!/bin/sh\ntrue\n".to_owned();
    given
        .metadata
        .insert("startup-script".to_owned(), script.clone());
    seed::write(folder.path(), &given, Image::StartupScript).unwrap();
    let read = |path: &str| fs::read_to_string(folder.path().join(path));
    assert_eq!(read("var/lib/google/startup-script").unwrap(), script);
    let enabled = "etc/systemd/system/multi-user.target.wants/google-startup-scripts.service";
    assert!(
        read(enabled)
            .unwrap()
            .contains("/var/lib/google/startup-script")
    );
    assert!(read("var/lib/cloud/seed/nocloud/user-data").is_err());
}
