//! `catalog:process` on this machine: any command as a service, on ports that weir chooses and keeps.

use std::{io::Read, net::TcpStream};
use weir_tests::cli::Stack;

const STACK: &str = r#"
stack "catalogue" {}

variable "greeting" {
  type    = string
  default = "hello"
}

site "here" {
  host "me" { connection = "local" }
}

cluster "main" {
  pool "base" { site = site.here }
}

module "echo" {
  source    = "catalog:process"
  cluster   = cluster.main
  instances = 2
  command   = "exec perl echo.pl"
  env       = { GREETING = var.greeting, PERL5OPT = "-MIO::Socket::INET" }
  files     = { "echo.pl" = file("echo.pl") }
}

output "endpoints" {
  value = module.echo.endpoints
}
"#;

const ECHO: &str = r#"my $l = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT}, Listen => 5, ReuseAddr => 1) or die $!;
while (my $c = $l->accept) { print $c $ENV{GREETING}; close $c }
"#;

/// What each instance answers.
fn answers(stack: &Stack) -> (Vec<String>, Vec<String>) {
    let run = stack
        .weir(&["output", "-json", "endpoints"])
        .expect_success();
    let endpoints: Vec<String> = serde_json::from_str(&run.stdout).expect("a list of addresses");
    let said = endpoints.iter().map(|endpoint| {
        let mut text = String::new();
        let mut stream = TcpStream::connect(endpoint).expect("it is ready when apply ends");
        stream.read_to_string(&mut text).expect("it answers");
        text
    });
    let said = said.collect();
    (endpoints, said)
}

#[test]
fn a_command_becomes_a_service_that_keeps_its_ports() {
    let stack = Stack::new();
    stack.file("stack.hcl", STACK).file("echo.pl", ECHO);
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    let (ports, said) = answers(&stack);
    assert_eq!(said, ["hello", "hello"]);
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    let change = ["apply", "-auto-approve", "-var", "greeting=goodbye"];
    stack.weir(&change).expect_success();
    let (kept, said) = answers(&stack);
    assert_eq!(said, ["goodbye", "goodbye"]);
    assert_eq!(kept, ports, "ports that were chosen are kept");
    stack.weir(&["destroy", "-auto-approve"]).expect_success();
}
