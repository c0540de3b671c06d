//! Random cases: what proptest draws and makes smaller.

use super::model::{Attribute, Edit, Gone, Home, How, Kind, Repeat};
use proptest::{collection::vec, option, prelude::*};

/// A stack's history.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Things of one zone go in one call.
    pub(crate) batch: bool,
    /// A second provider is configured with an ephemeral value.
    pub(crate) ephemeral: bool,
    pub(crate) parallelism: u8,
    pub(crate) steps: Vec<Step>,
}

/// What a person does, and what happens to it.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) edits: Vec<Edit>,
    pub(crate) drift: Vec<(u8, Drift)>,
    pub(crate) asked: Asked,
    pub(crate) faults: Vec<(u8, Fault)>,
    pub(crate) end: End,
    /// The plan goes through a file.
    pub(crate) filed: bool,
    /// The run is repeated without faults before the next step.
    pub(crate) settled: bool,
}

/// What somebody else does to an object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Drift {
    Vanishes,
    Size(u8),
    /// A value that the configuration does not set.
    Class,
    Zone,
}

/// The options of the run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    Nothing,
    Target(u8),
    Exclude(u8),
    Replace(u8),
    Light,
    NoRefresh,
    RefreshOnly,
    Destroy,
}

/// What goes wrong with an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Every call is refused.
    Refused,
    /// So many calls time out before they are done.
    Busy(u8),
    /// The first call is done, and its answer is lost.
    Lost,
    /// Its creation stops half-way.
    Half,
    /// The answer is not what was planned.
    Lie,
    /// The provider crashes.
    Crash,
}

/// How the run ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// By itself.
    Whole,
    /// The process dies at this record.
    Killed(u8),
    /// The process dies while this call is answered.
    KilledInCall(u8),
    /// It is told to stop while this call is answered.
    Stopped(u8),
}

fn home() -> impl Strategy<Value = Home> {
    prop_oneof![
        5 => Just(Home::Root),
        2 => (0..2_usize).prop_map(Home::Module),
    ]
}

fn repeat() -> impl Strategy<Value = Repeat> {
    prop_oneof![
        5 => Just(Repeat::One),
        2 => (0..4_u8).prop_map(Repeat::Count),
        2 => (0..8_u8).prop_map(Repeat::Keys),
    ]
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![5 => Just(How::Tag), 2 => Just(How::Zone), 1 => Just(How::Size)]
}

fn attribute() -> impl Strategy<Value = Attribute> {
    prop_oneof![4 => Just(Attribute::Id), 1 => Just(Attribute::Endpoint)]
}

fn nth() -> impl Strategy<Value = Option<u8>> {
    option::weighted(0.4, 0..3_u8)
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![8 => Just(Kind::Thing), 2 => Just(Kind::Data), 1 => Just(Kind::Lookup)]
}

fn add() -> impl Strategy<Value = Edit> {
    let uses = vec((any::<u8>(), how(), attribute(), nth()), 0..3);
    let import = option::weighted(0.3, 0..4_u8);
    (
        kind(),
        home(),
        repeat(),
        uses,
        0..3_u8,
        any::<bool>(),
        import,
    )
        .prop_map(
            |(kind, home, repeat, uses, zone, create_first, import)| Edit::Add {
                kind,
                home,
                repeat,
                uses,
                zone,
                create_first,
                import,
            },
        )
}

fn edit() -> impl Strategy<Value = Edit> {
    let pick = any::<u8>;
    let gone = prop_oneof![
        2 => Just(Gone::Silently),
        1 => Just(Gone::Destroyed),
        1 => Just(Gone::Forgotten),
    ];
    prop_oneof![
        6 => add(),
        3 => (pick(), gone).prop_map(|(p, g)| Edit::Remove(p, g)),
        2 => (pick(), 0..4_u8).prop_map(|(p, s)| Edit::Size(p, s)),
        4 => (pick(), 0..3_u8).prop_map(|(p, z)| Edit::Zone(p, z)),
        1 => (pick(), any::<bool>()).prop_map(|(p, c)| Edit::CreateFirst(p, c)),
        1 => (pick(), any::<bool>()).prop_map(|(p, c)| Edit::Ignore(p, c)),
        1 => (pick(), any::<bool>()).prop_map(|(p, c)| Edit::Borrow(p, c)),
        2 => (pick(), repeat(), any::<bool>()).prop_map(|(p, r, t)| Edit::Repeat(p, r, t)),
        4 => (pick(), pick(), how(), attribute(), nth())
            .prop_map(|(p, o, h, a, n)| Edit::Use(p, o, h, a, n)),
        1 => pick().prop_map(Edit::Unuse),
        1 => (pick(), pick()).prop_map(|(p, o)| Edit::After(p, o)),
        1 => (pick(), pick()).prop_map(|(p, o)| Edit::Trigger(p, o)),
        2 => (pick(), any::<bool>()).prop_map(|(p, t)| Edit::Rename(p, t)),
        1 => (pick(), home()).prop_map(|(p, h)| Edit::Rehome(p, h)),
        1 => (0..2_u8, repeat()).prop_map(|(m, r)| Edit::Modules(m, r)),
        1 => (0..2_u8, pick()).prop_map(|(m, p)| Edit::ModuleAfter(m, p)),
        2 => (pick(), pick()).prop_map(|(a, b)| Edit::Turn(a, b)),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        12 => Just(Asked::Nothing),
        2 => any::<u8>().prop_map(Asked::Target),
        1 => any::<u8>().prop_map(Asked::Exclude),
        2 => any::<u8>().prop_map(Asked::Replace),
        1 => Just(Asked::Light),
        1 => Just(Asked::NoRefresh),
        1 => Just(Asked::RefreshOnly),
        1 => Just(Asked::Destroy),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::Refused),
        2 => (1..9_u8).prop_map(Fault::Busy),
        2 => Just(Fault::Lost),
        2 => Just(Fault::Half),
        1 => Just(Fault::Lie),
        1 => Just(Fault::Crash),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        6 => Just(End::Whole),
        2 => (1..40_u8).prop_map(End::Killed),
        1 => (1..6_u8).prop_map(End::KilledInCall),
        1 => (1..6_u8).prop_map(End::Stopped),
    ]
}

fn drift() -> impl Strategy<Value = Drift> {
    prop_oneof![
        1 => Just(Drift::Vanishes),
        1 => (0..9_u8).prop_map(Drift::Size),
        1 => Just(Drift::Class),
        1 => Just(Drift::Zone),
    ]
}

fn step(edits: std::ops::Range<usize>) -> impl Strategy<Value = Step> {
    let drift = prop_oneof![
        4 => Just(Vec::new()),
        1 => vec((any::<u8>(), drift()), 1..3),
    ];
    let faults = prop_oneof![
        2 => Just(Vec::new()),
        1 => vec((any::<u8>(), fault()), 1..4),
    ];
    let settled = proptest::bool::weighted(0.5);
    (
        vec(edit(), edits),
        drift,
        asked(),
        faults,
        end(),
        any::<bool>(),
        settled,
    )
        .prop_map(|(edits, drift, asked, faults, end, filed, settled)| Step {
            edits,
            drift,
            asked,
            faults,
            end,
            filed,
            settled,
        })
}

/// A first stack, and what becomes of it.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    let first = (vec(add(), 2..6), step(0..4)).prop_map(|(add, mut step)| {
        step.edits.splice(0..0, add);
        step
    });
    let parallelism = prop_oneof![Just(1_u8), Just(2), Just(10)];
    (
        any::<bool>(),
        any::<bool>(),
        parallelism,
        first,
        vec(step(1..5), 1..4),
    )
        .prop_map(|(batch, ephemeral, parallelism, first, mut rest)| {
            rest.insert(0, first);
            Case {
                batch,
                ephemeral,
                parallelism,
                steps: rest,
            }
        })
}
