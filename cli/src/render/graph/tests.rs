use super::{Graph, Look, Node, dot, html, layout, mermaid};

fn node(module: &str, label: &str) -> Node {
    let id = match module {
        "" => label.to_owned(),
        module => format!("{module}.{label}"),
    };
    Node {
        id,
        label: label.to_owned(),
        module: module.to_owned(),
        look: Look::Create,
        details: "</script><b>&\"".into(),
    }
}

fn small() -> Graph {
    Graph {
        title: "a <stack>".into(),
        nodes: vec![
            node("", "t.a"),
            node("", "t.b[\"x\"]"),
            node("module.m", "t.c"),
            node("module.m", "data.t.<d>"),
        ],
        edges: vec![(1, 0), (2, 0), (2, 1), (3, 2)],
    }
}

/// Layers of many nodes, each after some of the layer before.
fn large(layers: usize, width: usize) -> Graph {
    let mut graph = Graph::default();
    for layer in 0..layers {
        for i in 0..width {
            let n = graph.nodes.len();
            graph.nodes.push(node("", &format!("t.l{layer}_{i}")));
            if layer > 0 {
                let before = (layer - 1) * width;
                graph.edges.push((n, before + i));
                graph.edges.push((n, before + (i * 7 + 3) % width));
            }
        }
    }
    graph
}

#[test]
fn texts_in_their_languages() {
    insta::assert_snapshot!(dot(&small()), @r##"
    digraph G {
      rankdir = "RL";
      node [shape = rect, fontname = "sans-serif"];
      "t.a" [label="t.a"];
      "t.b[\"x\"]" [label="t.b[\"x\"]"];
      subgraph "cluster_module.m" {
        label = "module.m"
        fontname = "sans-serif"
        "module.m.t.c" [label="t.c"];
        "module.m.data.t.<d>" [label="data.t.<d>"];
      }
      "t.b[\"x\"]" -> "t.a";
      "module.m.t.c" -> "t.a";
      "module.m.t.c" -> "t.b[\"x\"]";
      "module.m.data.t.<d>" -> "module.m.t.c";
    }
    "##);
    insta::assert_snapshot!(mermaid(&small()), @r##"
    graph RL
      n0["t.a"]:::create
      n1["t.b[#quot;x#quot;]"]:::create
      subgraph m1["module.m"]
        n2["t.c"]:::create
        n3["data.t.<d>"]:::create
      end
      n1 --> n0
      n2 --> n0
      n2 --> n1
      n3 --> n2
      classDef create fill:#dcfce7,stroke:#15803d,color:#0f172a
    "##);
}

/// No two boxes touch, and every node stands right of what it comes after.
fn assert_readable(graph: &Graph) {
    let drawing = layout::layout(graph);
    for &(from, to) in &graph.edges {
        let (a, b) = (drawing.boxes[to], drawing.boxes[from]);
        assert!(a.x + a.width < b.x, "{}", graph.nodes[from].id);
    }
    let mut boxes: Vec<_> = drawing.boxes.iter().collect();
    boxes.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    for pair in boxes.windows(2) {
        let same_column = (pair[0].x - pair[1].x).abs() < 0.1;
        let apart = pair[1].y - pair[0].y >= layout::BOX_HEIGHT;
        assert!(!same_column || apart, "{pair:?}");
    }
    for b in boxes {
        assert!(b.x >= 0.0 && b.x + b.width <= drawing.width, "{b:?}");
        assert!(
            b.y >= 0.0 && b.y + layout::BOX_HEIGHT <= drawing.height,
            "{b:?}"
        );
    }
}

#[test]
fn layouts_are_readable() {
    assert_readable(&small());
    assert_readable(&large(6, 50));
    assert_readable(&large(50, 100));
    assert_readable(&large(1, 5_000));
    assert_readable(&large(300, 1));
    assert_readable(&Graph::default());
}

#[test]
fn a_drawing_is_not_much_longer_than_wide() {
    for graph in [large(1, 5_000), large(6, 50)] {
        let drawing = layout::layout(&graph);
        let ratio = drawing.width / drawing.height;
        assert!((0.2..=6.0).contains(&ratio), "{ratio}");
    }
}

/// Whether each element is closed, in order.
fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    for piece in xml.split('<').skip(1) {
        let tag = piece.split('>').next().expect("a tag ends");
        let name = tag.split([' ', '/']).find(|w| !w.is_empty()).unwrap_or("");
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn images_are_well_formed() {
    let image = small().svg();
    assert_well_formed(&image);
    assert!(image.contains("data.t.&lt;d&gt;"), "{image}");
    assert_well_formed(&large(6, 50).svg());
}

#[test]
fn pages_hold_all_and_load_nothing() {
    let page = html(&small());
    // What a value says can't end the script it stands in, or begin another.
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.contains("<title>a &lt;stack&gt;</title>"));
    for node in &small().nodes {
        let id = serde_json::Value::from(node.id.as_str()).to_string();
        assert!(page.contains(&id.replace('<', "\\u003c")), "{id}");
    }
    let outside: Vec<&str> = ["http://", "https://", "src=", "@import", "url("]
        .into_iter()
        .flat_map(|what| page.match_indices(what))
        .map(|(at, what)| page[at..].get(..what.len() + 24).unwrap_or(what))
        .filter(|found| !found.starts_with("http://www.w3.org/2000/svg"))
        .filter(|found| !found.starts_with("url(#"))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}
