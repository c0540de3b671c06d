//! The page of a graph in a browser, where a Chromium is on the PATH: its script is used as a
//! person uses it.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;
use std::process::Command;

const STACK: &str = r#"
resource "terraform_data" "base" {}
resource "terraform_data" "web" {
  count = 2
  input = terraform_data.base.id
}
resource "terraform_data" "last" {
  input = terraform_data.web[*].id
}
"#;

/// What is done on the page, and what is looked at after each.
const HANDS: &str = r#"
<script>
const seen = {};
const scale = () => Number(all.getAttribute("transform").match(/scale\((.*)\)/)[1]);
const marked = name => document.querySelectorAll(".node." + name).length;
seen.nodes = nodes.length;
seen.count = $("count").textContent;
let was = scale();
document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "+", bubbles: true }));
seen.larger = scale() > was;
drawing.dispatchEvent(new WheelEvent("wheel", { deltaY: 400, cancelable: true }));
seen.smaller = scale() < was;
$("fit").click();
seen.fits = scale() === was;
$("search").value = "web";
$("search").oninput();
seen.hits = marked("hit");
$("search").value = "no such thing";
$("search").oninput();
seen.none = marked("hit");
$("search").value = "last";
$("search").oninput();
$("search").onkeydown({ key: "Enter" });
seen.lit = marked("lit");
seen.chosen = marked("chosen");
seen.panel = panel.textContent.includes("3 before it in all, 0 after it");
$("turn").value = 1;
$("turn").oninput();
seen.later = marked("later");
seen.turn = $("count").textContent;
$("turn").value = 0;
$("turn").oninput();
seen.all = marked("later");
document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
seen.left = marked("chosen") + marked("lit");
const out = document.createElement("pre");
out.id = "seen";
out.textContent = JSON.stringify(seen);
document.body.append(out);
</script>
</body>"#;

#[test]
fn the_page_is_zoomed_searched_and_shows_the_order() {
    let stack = Stack::new(STACK);
    stack.expect(0, "plan -out=p");
    let page = stack.expect(0, "graph -plan=p -format=html").out;
    stack.write("page.html", &page.replace("</body>", HANDS));
    let run = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!(
            "--user-data-dir={}",
            stack.path().join("browser").display()
        ))
        .arg(format!(
            "file://{}",
            stack.path().join("page.html").display()
        ))
        .output();
    let Ok(run) = run else {
        println!("SKIPPED: there is no chromium on the PATH: the page's script is not run");
        return;
    };
    let dom = String::from_utf8_lossy(&run.stdout);
    let said = String::from_utf8_lossy(&run.stderr);
    let seen = dom.split_once("<pre id=\"seen\">").map(|(_, rest)| rest);
    let seen = seen.and_then(|rest| rest.split_once("</pre>"));
    let (seen, _) = seen.unwrap_or_else(|| panic!("the script did not end: {said}\n{dom}"));
    let seen: serde_json::Value = serde_json::from_str(seen).unwrap();
    let expected = serde_json::json!({
        "nodes": 4, "count": "4 nodes, 3 turns",
        "larger": true, "smaller": true, "fits": true,
        "hits": 2, "none": 0,
        "lit": 4, "chosen": 1, "panel": true,
        "later": 3, "turn": "turn 1 of 3", "all": 0, "left": 0,
    });
    assert_eq!(seen, expected);
}
