//! Sites, clusters and services.

use crate::kit::{Mode, all, config, drive, evaluator, plan, run};
use std::collections::BTreeSet;

const SITE: &str = r#"
site "zurich" {
  ssh {
    user             = "root"
    private_key_file = "~/.ssh/id"
    bastion          = ["ops@jump.example.org:2222", { address = "10.0.0.1", host_key = "k" }]
  }
  host "zrh-1" {
    address  = "10.1.0.11"
    host_key = "ssh-ed25519 AAAA"
    labels   = { rack = "a" }
  }
  host "zrh-2" {
    address = "10.1.0.12"
    user    = "admin"
    port    = 2022
    bastion = []
  }
}
cluster "main" {
  pool "base" { site = site.zurich }
}
"#;

fn with_site(text: &str) -> String {
    format!("{SITE}\n{text}")
}

#[test]
fn hosts_take_what_their_site_says() {
    let run = plan(SITE);
    let (one, two) = (
        r#"site.zurich.host["zrh-1"]"#,
        r#"site.zurich.host["zrh-2"]"#,
    );
    assert_eq!(run.addresses(), [one, two]);
    assert_eq!(run.get(one, "connection"), r#""ssh""#);
    assert_eq!(run.get(one, "user"), r#""root""#);
    assert_eq!(run.get(one, "port"), "22");
    assert_eq!(run.get(one, "host_key"), r#"["ssh-ed25519 AAAA"]"#);
    assert_eq!(run.get(one, "labels"), r#"{"rack" = "a"}"#);
    assert_eq!(run.get(one, "cpus"), "null");
    assert_eq!(
        run.get(one, "bastion"),
        r#"[{"address" = "jump.example.org", "host_key" = [], "port" = 2222, "private_key_file" = null, "user" = "ops"}, {"address" = "10.0.0.1", "host_key" = ["k"], "port" = 22, "private_key_file" = null, "user" = null}]"#
    );
    assert_eq!(run.get(two, "user"), r#""admin""#);
    assert_eq!(run.get(two, "port"), "2022");
    assert_eq!(run.get(two, "bastion"), "[]");
    assert_eq!(run.get(two, "private_key_file"), r#""~/.ssh/id""#);
    assert_eq!(run.instance(one).provider.to_string(), "host");
}

#[test]
fn a_local_host_needs_nothing() {
    let run = plan("site \"here\" {\n  host \"me\" { connection = \"local\" }\n}");
    let me = r#"site.here.host["me"]"#;
    assert_eq!(run.get(me, "connection"), r#""local""#);
    assert_eq!(run.get(me, "address"), r#""127.0.0.1""#);
}

#[test]
fn hosts_may_be_made_from_a_map() {
    let run = plan(
        r#"
        variable "hosts" { default = { b = "10.0.0.2", a = "10.0.0.1" } }
        site "s" {
          dynamic "host" {
            for_each = var.hosts
            labels   = [host.key]
            content { address = host.value }
          }
        }
        output "site" { value = site.s.hosts[*].address }
        "#,
    );
    assert_eq!(
        run.addresses(),
        [r#"site.s.host["a"]"#, r#"site.s.host["b"]"#]
    );
    assert_eq!(run.output("site"), r#"["10.0.0.1", "10.0.0.2"]"#);
}

const WEB: &str = r#"
service "web" {
  cluster = cluster.main
  version = "1.2"
  pod "app" {
    count    = 2
    user     = "www"
    packages = ["nginx", "curl"]
    env      = { PORT = self.port.http, WHO = self.name }
    place {
      distinct = ["host"]
      avoid    = [pod.db]
      spread   = ["site"]
      require  = { rack = "a" }
    }
    resources {
      cpus   = 0.5
      memory = "4GiB"
      port "http" { number = 8080 }
      port "admin" {}
    }
    volume "data" {
      path = "data"
      size = "20GiB"
    }
    artifact "app" {
      path = "./app.tar.gz"
    }
    directory "/srv/www" { mode = "0755" }
    file "etc/app.conf" {
      template  = "app.conf.j2"
      vars      = { threads = 4, names = ["a", "b"] }
      on_change = "reload"
    }
    file "etc/plain" { content = "on ${self.host}\n" }
    file "etc/copied" {
      source = "copied.txt"
      mode   = "0600"
    }
    task "migrate" {
      goal = "once"
      run  = "bin/migrate"
    }
    task "server" {
      run    = "bin/server ${self.port.http}"
      reload = "HUP"
      ready {
        tcp     = self.port.http
        timeout = "20s"
      }
      alive {
        http     = "http://${self.address}:${self.port.http}/"
        failures = 3
      }
      kill_grace = "1m30s"
    }
  }
  pod "db" {
    task "db" { unit = "postgresql.service" }
  }
}
output "endpoints" { value = service.web.endpoints }
output "pods"      { value = service.web.pods.db[0] }
"#;

fn web_files() -> Vec<(&'static str, String)> {
    vec![
        ("main.hcl", with_site(WEB)),
        (
            "templates/app.conf.j2",
            "listen {{ self.port.http }} on {{ self.address }}\n{% for n in names %}{{ n }} {% endfor %}{{ threads }}\n{% for h in cluster.hosts %}{{ h.name }} {% endfor %}{{ service.endpoints.http | join(',') }}\n".into(),
        ),
        ("copied.txt", "as it is".into()),
    ]
}

fn run_files(files: &[(&'static str, String)], mode: Mode) -> crate::kit::Run {
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (*p, t.as_str())).collect();
    run(&files, mode)
}

#[test]
fn pods_are_placed_and_configured() {
    let run = run_files(&web_files(), Mode::Plan);
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let request = &run.requests[0];
    assert_eq!(request.service, "web");
    assert_eq!(request.hosts.len(), 2);
    assert_eq!(request.hosts[0].id, "zurich/zrh-1");
    assert_eq!(request.hosts[0].cpus, None);
    let demand = &request.demands[0];
    assert_eq!(demand.address.to_string(), r#"service.web.pod.app["0"]"#);
    assert!((demand.cpus - 0.5).abs() < 1e-9);
    assert_eq!(demand.memory, 4 << 30);
    assert_eq!(demand.ports["http"], Some(8080));
    assert_eq!(demand.ports["admin"], None);
    assert_eq!(demand.distinct, ["host"]);
    assert_eq!(demand.avoid, ["db"]);
    assert_eq!(demand.spread, ["site"]);
    assert_eq!(demand.require["rack"], "a");

    let app = r#"service.web.pod.app["0"]"#;
    assert_eq!(run.get(app, "host"), r#""zurich/zrh-1""#);
    assert_eq!(run.get(app, "address"), r#""10.1.0.11""#);
    assert_eq!(run.get(app, "slug"), r#""web-app-0""#);
    assert_eq!(run.get(app, "user"), r#""www""#);
    assert_eq!(run.get(app, "packages"), r#"["curl", "nginx"]"#);
    assert_eq!(run.get(app, "env"), r#"{"PORT" = "8080", "WHO" = "app-0"}"#);
    assert_eq!(run.get(app, "memory"), (4_u64 << 30).to_string());
    assert_eq!(run.get(app, "ports"), r#"{"admin" = 20000, "http" = 8080}"#);
    assert_eq!(
        run.get(app, "volumes"),
        r#"{"data" = {"path" = "data", "size" = "20GiB"}}"#
    );
    assert_eq!(
        run.get(app, "directories"),
        r#"{"/srv/www" = {"group" = null, "mode" = "0755", "owner" = null}}"#
    );
    let file = |path: &str, field: &str| {
        let files = run.config(app).get("files").unwrap();
        files.get(path).unwrap().get(field).unwrap().to_string()
    };
    assert_eq!(
        file("etc/app.conf", "content"),
        r#""listen 8080 on 10.1.0.11\na b 4\nzrh-1 zrh-2 10.1.0.11:8080,10.1.0.12:8080\n""#
    );
    assert_eq!(file("etc/app.conf", "on_change"), r#""reload""#);
    assert_eq!(file("etc/plain", "content"), r#""on zrh-1\n""#);
    assert_eq!(file("etc/plain", "mode"), r#""0644""#);
    assert_eq!(file("etc/plain", "on_change"), r#""restart""#);
    assert_eq!(file("etc/copied", "content"), r#""as it is""#);
    let tasks = run.config(app).get("tasks").unwrap();
    let tasks = tasks.elements().unwrap();
    assert_eq!(tasks[0].get("name").unwrap().to_string(), r#""migrate""#);
    assert_eq!(tasks[0].get("goal").unwrap().to_string(), r#""once""#);
    assert_eq!(tasks[1].get("essential").unwrap().to_string(), "true");
    assert_eq!(
        tasks[1]
            .get("ready")
            .unwrap()
            .get("tcp")
            .unwrap()
            .to_string(),
        r#""8080""#
    );

    assert_eq!(run.dependencies(app), [r#"site.zurich.host["zrh-1"]"#]);
    assert_eq!(
        run.dependencies(r#"service.web.pod.app["1"]"#),
        [r#"site.zurich.host["zrh-2"]"#, app]
    );
    assert_eq!(
        run.dependencies(r#"service.web.pod.db["0"]"#),
        [
            r#"site.zurich.host["zrh-1"]"#,
            r#"service.web.pod.app["1"]"#
        ]
    );
    assert_eq!(
        run.output("endpoints"),
        r#"{"admin" = ["10.1.0.11:20000", "10.1.0.12:20001"], "http" = ["10.1.0.11:8080", "10.1.0.12:8080"]}"#
    );
    assert_eq!(
        run.output("pods"),
        r#"{"address" = "10.1.0.11", "host" = "zrh-1", "name" = "db-0", "ports" = {}, "site" = "zurich"}"#
    );
}

#[test]
fn facts_of_hosts_reach_placement() {
    let run = run_files(&web_files(), Mode::Apply);
    assert_eq!(run.requests[0].hosts[0].cpus, Some(4.0));
    assert_eq!(run.requests[0].hosts[0].memory, Some(8_000_000_000));
}

#[test]
fn every_host_has_one_and_phases_set_the_order() {
    let run = plan(&with_site(
        r#"
        service "exporter" {
          cluster = cluster.main
          pod "seed" {
            count = 1
            task "seed" { run = "seed" }
          }
          pod "node" {
            every = "host"
            resources {
              port "m" { number = 9100 }
            }
            task "t" { run = "x" }
          }
          pod "last" {
            task "t" { run = "x" }
          }
          plan "deploy" {
            phase "seed" { pod = pod.seed }
            phase "node" {
              pod   = pod.node
              order = "parallel"
            }
            phase "last" { pod = pod.last }
          }
        }
        service "reader" {
          cluster = cluster.main
          needs   = [service.exporter]
          pod "r" {
            task "t" { run = "x" }
          }
        }
        service "user" {
          cluster = cluster.main
          pod "u" {
            env = { ALL = join(",", service.exporter.endpoints.m) }
            task "t" { run = "x" }
          }
        }
        "#,
    ));
    let node = r#"service.exporter.pod.node["zrh-2"]"#;
    assert_eq!(run.get(node, "host"), r#""zurich/zrh-2""#);
    assert_eq!(run.get(node, "slug"), r#""exporter-node-zrh-2""#);
    assert_eq!(
        run.dependencies(node),
        [
            r#"site.zurich.host["zrh-2"]"#,
            r#"service.exporter.pod.seed["0"]"#
        ]
    );
    assert_eq!(
        run.dependencies(r#"service.exporter.pod.last["0"]"#),
        [r#"site.zurich.host["zrh-2"]"#, "service.exporter.pod.node"]
    );
    let all = [
        r#"site.zurich.host["zrh-1"]"#,
        "service.exporter.pod.last",
        "service.exporter.pod.node",
        "service.exporter.pod.seed",
    ];
    assert_eq!(run.dependencies(r#"service.reader.pod.r["0"]"#), all);
    assert_eq!(run.dependencies(r#"service.user.pod.u["0"]"#), all);
    assert_eq!(
        run.get(r#"service.user.pod.u["0"]"#, "env"),
        r#"{"ALL" = "10.1.0.11:9100,10.1.0.12:9100"}"#
    );
}

#[test]
fn secrets_and_unknowns_reach_the_files() {
    let files = [
        (
            "main.hcl",
            with_site(
                r#"
                variable "password" {
                  default   = "hunter2"
                  sensitive = true
                }
                resource "fake_thing" "db" {}
                service "s" {
                  cluster = cluster.main
                  pod "p" {
                    file "secret" {
                      template = "secret.j2"
                      vars     = { password = var.password, unused = fake_thing.db.id }
                    }
                    file "unknown" {
                      template = "unknown.j2"
                      vars     = { id = fake_thing.db.id }
                    }
                    file "plain" {
                      template = "plain.j2"
                      vars     = { password = var.password }
                    }
                    task "t" { run = "x" }
                  }
                }
                "#,
            ),
        ),
        ("templates/secret.j2", "p={{ password }}".into()),
        ("templates/unknown.j2", "{{ id }}".into()),
        ("plain.j2", "nothing".into()),
    ];
    let run = run_files(&files, Mode::Plan);
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let config = run.config(r#"service.s.pod.p["0"]"#);
    let content = |path: &str| {
        config
            .get("files")
            .unwrap()
            .get(path)
            .unwrap()
            .get("content")
            .unwrap()
    };
    assert!(content("secret").is_sensitive());
    assert_eq!(content("secret").as_str(), Some("p=hunter2"));
    assert!(content("unknown").is_unknown());
    assert_eq!(content("plain").to_string(), r#""nothing""#);
    assert_eq!(
        run.dependencies(r#"service.s.pod.p["0"]"#),
        ["fake_thing.db", r#"site.zurich.host["zrh-1"]"#]
    );
}

#[test]
fn a_host_that_fails_takes_its_own_pods_along() {
    let text = with_site(
        r#"
        service "s" {
          cluster = cluster.main
          pod "p" {
            every = "host"
            task "t" { run = "x" }
          }
          plan "deploy" {
            phase "p" {
              pod   = pod.p
              order = "parallel"
            }
          }
        }
        "#,
    );
    let failing = BTreeSet::from([r#"site.zurich.host["zrh-1"]"#]);
    let run = drive(
        &mut evaluator(config(&[("main.hcl", &text)])),
        &Mode::Plan,
        &failing,
    );
    assert!(
        run.addresses()
            .contains(&r#"service.s.pod.p["zrh-2"]"#.to_owned())
    );
    assert!(
        !run.addresses()
            .contains(&r#"service.s.pod.p["zrh-1"]"#.to_owned())
    );
}

#[test]
fn services_in_modules_have_slugs_of_their_own() {
    let run = run(
        &[
            (
                "main.hcl",
                &with_site(
                    r#"
                    module "a" {
                      source   = "./web"
                      for_each = toset(["x", "y"])
                      cluster  = cluster.main
                    }
                    output "all" { value = { for k, m in module.a : k => m.endpoints } }
                    "#,
                ),
            ),
            (
                "web/main.hcl",
                r#"
                variable "cluster" { type = any }
                service "web" {
                  cluster = var.cluster
                  pod "app_one" {
                    resources {
                      port "p" { number = 80 }
                    }
                    file "f" { template = "f.j2" }
                    task "t" { run = "x" }
                  }
                }
                output "endpoints" { value = service.web.endpoints.p }
                "#,
            ),
            ("web/templates/f.j2", "{{ cluster.name }}"),
        ],
        Mode::Plan,
    );
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let pod = r#"module.a["x"].service.web.pod.app_one["0"]"#;
    assert_eq!(run.get(pod, "slug"), r#""a-x-web-app-one-0""#);
    assert_eq!(
        run.output("all"),
        r#"{"x" = ["10.1.0.11:80"], "y" = ["10.1.0.11:80"]}"#
    );
}

#[test]
fn pools_pick_hosts_of_their_site() {
    let run = plan(
        r#"
        site "s" {
          host "a" { address = "1" }
          host "b" { address = "2" }
          host "c" { address = "3" }
        }
        cluster "m" {
          pool "p" {
            site   = site.s
            hosts  = ["c", "a"]
            labels = { tier = "base" }
          }
          pool "q" { hosts = [site.s.hosts[1]] }
        }
        output "m" { value = [for h in cluster.m.hosts : "${h.name}:${lookup(h.labels, "tier", "-")}"] }
        output "id" { value = cluster.m.id }
        "#,
    );
    assert_eq!(run.output("m"), r#"["c:base", "a:base", "b:-"]"#);
    assert_eq!(run.output("id"), r#""cluster.m""#);
}
