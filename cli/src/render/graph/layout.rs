//! Where each node of a graph stands: in layers, each node right of all it comes after.
//!
//! 1. a node's layer is the longest way to it;
//! 2. nodes of a layer are sorted by where their neighbours stand, to and fro;
//! 3. a layer that is higher than the drawing is wide takes several columns;
//! 4. each column is moved up or down to where its neighbours are, without overlaps.

use super::{Graph, Node};

/// Sweeps of sorting: more change next to nothing.
const SWEEPS: usize = 6;
/// The height of a box, and of a row.
pub(super) const BOX_HEIGHT: f64 = 34.0;
const ROW: f64 = 46.0;
/// Between two columns of one layer, and between two layers.
const COLUMN_GAP: f64 = 24.0;
const LAYER_GAP: f64 = 90.0;
const MARGIN: f64 = 40.0;
/// The width of a character in a box, and what a box has beside its text.
const CHARACTER: f64 = 7.4;
const SMALL_CHARACTER: f64 = 5.6;
const PADDING: f64 = 24.0;

/// A drawing.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The box of each node.
    pub(super) boxes: Vec<Box>,
    /// The layer of each node: when its turn is.
    pub(super) layer: Vec<usize>,
    /// The size of all.
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Where a node stands: the upper left corner, and how wide it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Box {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
}

/// Lays a graph out.
pub(super) fn layout(graph: &Graph) -> Layout {
    let count = graph.nodes.len();
    let (before, after) = neighbours(graph);
    let layer = layers(count, &before, &after);
    let mut rows = sorted(&layer, &before, &after);
    let mut boxes: Vec<Box> = graph.nodes.iter().map(sized).collect();
    let most = ((count as f64).sqrt() * 1.3).ceil().max(14.0) as usize;
    let mut x = MARGIN;
    for row in &mut rows {
        // A wide layer is cut into columns, in the order that sorting found.
        for column in row.chunks(most) {
            let width = column.iter().map(|&n| boxes[n].width).fold(0.0, f64::max);
            for (i, &n) in column.iter().enumerate() {
                boxes[n].x = x;
                boxes[n].y = i as f64 * ROW;
            }
            place(column, &before, &mut boxes);
            x += width + COLUMN_GAP;
        }
        x += LAYER_GAP - COLUMN_GAP;
    }
    let top = boxes.iter().map(|b| b.y).fold(f64::INFINITY, f64::min);
    let top = if top.is_finite() { top } else { 0.0 };
    for b in &mut boxes {
        b.y += MARGIN - top;
    }
    let bottom = boxes.iter().map(|b| b.y + BOX_HEIGHT).fold(0.0, f64::max);
    let right = boxes.iter().map(|b| b.x + b.width).fold(0.0, f64::max);
    Layout {
        boxes,
        layer,
        width: right + MARGIN,
        height: bottom + MARGIN,
    }
}

fn sized(node: &Node) -> Box {
    let text = node.label.chars().count() as f64 * CHARACTER;
    let module = node.module.chars().count() as f64 * SMALL_CHARACTER;
    Box {
        width: text.max(module) + PADDING,
        ..Box::default()
    }
}

/// What each node comes after, and what comes after it.
pub(super) fn neighbours(graph: &Graph) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let mut before = vec![Vec::new(); graph.nodes.len()];
    let mut after = vec![Vec::new(); graph.nodes.len()];
    for &(from, to) in &graph.edges {
        before[from].push(to);
        after[to].push(from);
    }
    (before, after)
}

/// The longest way to each node. Nodes on a loop, which no sound graph has, stand in the first
/// layer.
fn layers(count: usize, before: &[Vec<usize>], after: &[Vec<usize>]) -> Vec<usize> {
    let mut open: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut layer = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|&n| open[n] == 0).collect();
    while let Some(node) = ready.pop() {
        for &next in &after[node] {
            layer[next] = layer[next].max(layer[node] + 1);
            open[next] -= 1;
            if open[next] == 0 {
                ready.push(next);
            }
        }
    }
    layer
}

/// The nodes of each layer, so that lines cross little.
fn sorted(layer: &[usize], before: &[Vec<usize>], after: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let deepest = layer.iter().max().map_or(0, |l| l + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); deepest];
    for (node, &l) in layer.iter().enumerate() {
        rows[l].push(node);
    }
    // The place of each node in its layer, from 0 to 1.
    let mut place = vec![0.0; layer.len()];
    let number = |row: &[usize], place: &mut Vec<f64>| {
        for (i, &n) in row.iter().enumerate() {
            place[n] = (i as f64 + 0.5) / row.len() as f64;
        }
    };
    for row in &rows {
        number(row, &mut place);
    }
    for sweep in 0..SWEEPS {
        let forward = sweep % 2 == 0;
        let sides = if forward { before } else { after };
        for step in 0..rows.len() {
            let l = if forward { step } else { rows.len() - 1 - step };
            let mean = |n: usize| match sides[n].as_slice() {
                [] => place[n],
                some => some.iter().map(|&m| place[m]).sum::<f64>() / some.len() as f64,
            };
            let mut keyed: Vec<(f64, usize)> = rows[l].iter().map(|&n| (mean(n), n)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            rows[l] = keyed.into_iter().map(|(_, n)| n).collect();
            number(&rows[l], &mut place);
        }
    }
    rows
}

/// Moves the nodes of a column to the height of what they come after, each at least a row below
/// the one before it.
fn place(column: &[usize], before: &[Vec<usize>], boxes: &mut [Box]) {
    let wanted: Vec<f64> = column
        .iter()
        .map(|&n| match before[n].as_slice() {
            [] => boxes[n].y,
            some => some.iter().map(|&m| boxes[m].y).sum::<f64>() / some.len() as f64,
        })
        .collect();
    // Groups that touch are moved together, to the mean of what they want.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (i, want) in wanted.iter().enumerate() {
        let offset = want - i as f64 * ROW;
        groups.push((offset, 1));
        while let [.., (upper, many), (lower, few)] = groups.as_slice()
            && upper > lower
        {
            let (many, few) = (*many, *few);
            let mean = (upper * many as f64 + lower * few as f64) / (many + few) as f64;
            groups.truncate(groups.len() - 2);
            groups.push((mean, many + few));
        }
    }
    let offsets = groups
        .iter()
        .flat_map(|&(offset, many)| std::iter::repeat_n(offset, many));
    for ((i, &n), offset) in column.iter().enumerate().zip(offsets) {
        boxes[n].y = i as f64 * ROW + offset;
    }
}
